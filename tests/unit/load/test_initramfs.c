/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/load/initramfs.h"

#include "base/num.h"
#include "memory/image.h"
#include "memory/layout.h"
#include "tests/unit/unit.h"
#include "vmm/load/kernel.h"

#include <errno.h>
#include <string.h>

static const uint8_t byte;
static struct image image;
static struct err e;
static gpa_t addr;

/* load() - place len bytes; only their place matters, so they are not read */
static int load(uint64_t ram, size_t len, uint32_t initrd_max)
{
	struct layout layout;
	struct kernel kernel = {.end = MIB(20) + 1, .initrd_max = initrd_max};
	struct initramfs_request req = {
		.file = bytes_of(&byte, len), .name = "I", .layout = &layout, .kernel = &kernel};
	int rc;

	image_fini(&image);
	e = (struct err)ERR_INIT;
	assert_int_equal(layout_init(&layout, ram, &e), 0);
	rc = initramfs_load(&addr, &image, &req, &e);
	assert_int_equal(rc, -e.code);
	return rc;
}

static void initramfs_goes_as_high_as_allowed(void **state)
{
	static const struct {
		uint64_t ram;
		size_t len;
		uint32_t max;
		uint64_t addr;
	} cases[] = {
		{MIB(512), 1, 0x7fffffff, MIB(512) - 4096},
		{MIB(512), 4097, 0x7fffffff, MIB(512) - 8192},
		{GIB(8), 4096, 0x7fffffff, GIB(2) - 4096},
		{GIB(8), 4096, UINT32_MAX, GIB(3) - 4096},
		{MIB(512), 4096, 0x18000123, 0x17fff000},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(load(cases[i].ram, cases[i].len, cases[i].max), 0);
		assert_int_equal(addr.v, cases[i].addr);
		assert_int_equal(image.parts[0].gpa.v, cases[i].addr);
		assert_int_equal(image.parts[0].bytes_len, cases[i].len);
	}
}

static void initramfs_fails_when_it_does_not_fit(void **state)
{
	(void)state;
	assert_int_equal(load(MIB(64), MIB(44) - 4096, 0x7fffffff), 0);
	assert_int_equal(addr.v, MIB(20) + 4096);
	assert_int_equal(load(MIB(64), MIB(44) - 4095, 0x7fffffff), -E2BIG);
	assert_non_null(strstr(e.text, "--initramfs I: "));
	assert_non_null(strstr(e.text, "--memory"));
	assert_int_equal(load(MIB(64), MIB(65), 0x7fffffff), -E2BIG);
	assert_int_equal(load(MIB(64), SIZE_MAX, 0x7fffffff), -E2BIG);
	assert_int_equal(load(MIB(64), 1, 0), -E2BIG);
}

static void initramfs_fails_when_empty(void **state)
{
	(void)state;
	assert_int_equal(load(MIB(64), 0, 0x7fffffff), -EINVAL);
	assert_non_null(strstr(e.text, "--initramfs I: "));
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(initramfs_goes_as_high_as_allowed),
	cmocka_unit_test(initramfs_fails_when_it_does_not_fit),
	cmocka_unit_test(initramfs_fails_when_empty),
};

int main(void)
{
	int rc = cmocka_run_group_tests(tests, NULL, NULL);

	image_fini(&image);
	return rc;
}
