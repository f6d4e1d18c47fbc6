/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/boot.h"

#include "base/num.h"
#include "memory/layout.h"
#include "tests/unit/load/make_kernel.h"
#include "tests/unit/unit.h"
#include "vmm/x86/map.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CBIT (UINT64_C(1) << 45)

static const struct make_elf plain = {.entry = 0x200000, .segments = {{0x200000, 0x1000, "code"}}};
static const uint8_t initramfs[5000] = "initramfs";

static struct layout layout;
static struct made file;
static struct boot boot;
static struct err e;

static int prepare(void **state)
{
	(void)state;
	return layout_init(&layout, MIB(64), &e);
}

static int build(const struct make_elf *desc, struct boot_request req)
{
	int rc;

	image_fini(&boot.image);
	free(file.at);
	file = make_elf(desc);
	e = (struct err)ERR_INIT;
	req.kernel = made_bytes(file);
	req.kernel_name = "K";
	req.layout = &layout;
	req.n_vcpus = req.n_vcpus ? req.n_vcpus : 1;
	rc = boot_build(&boot, &req, &e);
	assert_int_equal(rc, -e.code);
	if (rc)
		assert_int_equal(boot.image.n_parts, 0);
	return rc;
}

/* at() - Return: what the image has at an address; the test fails if it has nothing there. */
static const uint8_t *at(uint64_t addr)
{
	for (size_t i = 0; i < boot.image.n_parts; i++) {
		const struct image_part *p = &boot.image.parts[i];

		if (addr >= p->gpa.v && addr - p->gpa.v < p->bytes_len)
			return (const uint8_t *)p->bytes + (addr - p->gpa.v);
	}
	fail_msg("nothing at %#llx", (unsigned long long)addr);
	return NULL;
}

static void boot_enters_elf_in_long_mode(void **state)
{
	struct boot_request req = {.cmdline = "console=ttyS0",
		.cbit = CBIT,
		.initramfs = bytes_of(initramfs, sizeof(initramfs)),
		.initramfs_name = "I"};
	const uint8_t *params, *pml4;

	(void)state;
	assert_int_equal(build(&plain, req), 0);
	assert_int_equal(boot.entry.mode, X86_LONG64);
	assert_int_equal(boot.entry.rip, 0x200000);
	assert_int_equal(boot.entry.cr3, MAP_PAGE_TABLES | CBIT);
	assert_int_equal(load_le64(at(boot.entry.gdt + 0x10)) >> 53 & 1, 1);
	assert_int_equal(boot.entry.gdt_limit, 31);
	pml4 = at(boot.entry.cr3 & ~CBIT);
	assert_int_equal(load_le64(pml4), (MAP_PAGE_TABLES + 4096) | CBIT | 3);
	params = at(boot.entry.rsi);
	assert_string_equal((const char *)at(load_le32(params + 0x228)), "console=ttyS0");
	assert_string_equal((const char *)at(load_le32(params + 0x218)), "initramfs");
	assert_int_equal(load_le32(params + 0x21c), sizeof(initramfs));
	assert_memory_equal(at(load_le64(params + 0x70)), "RSD PTR ", 8);
}

static void boot_enters_pvh_in_protected_mode(void **state)
{
	struct make_elf desc = plain;
	struct boot_request req = {.cmdline = NULL};
	const uint8_t *info;

	(void)state;
	desc.pvh_entry = 0x200001;
	assert_int_equal(build(&desc, req), 0);
	assert_int_equal(boot.format, KERNEL_PVH);
	assert_int_equal(boot.entry.mode, X86_PROTECTED32);
	assert_int_equal(boot.entry.rip, 0x200001);
	assert_int_equal(load_le64(at(boot.entry.gdt + 0x10)) >> 53 & 1, 0);
	info = at(boot.entry.rbx);
	assert_int_equal(load_le32(info), 0x336ec578);
	assert_string_equal((const char *)at(load_le64(info + 24)), "");
	req.need_sev_guest = true;
	assert_int_equal(build(&desc, req), -ENOTSUP);
}

static void boot_data_stays_in_the_first_mib(void **state)
{
	struct boot_request req = {.cmdline = "x", .n_vcpus = 8};
	unsigned int low = 0;

	(void)state;
	assert_int_equal(build(&plain, req), 0);
	for (size_t i = 0; i < boot.image.n_parts; i++) {
		const struct image_part *p = &boot.image.parts[i];

		low += p->gpa.v + p->len <= LAYOUT_LOW_LEN;
		assert_true(p->gpa.v + p->len <= LAYOUT_LOW_LEN || p->gpa.v >= LAYOUT_LOW_LEN);
	}
	assert_int_equal(low, 5); /* GDT, command line, ACPI, boot_params, page tables */
}

static void boot_fails_when_cmdline_is_too_long(void **state)
{
	char text[2049];
	struct boot_request req = {.cmdline = text};

	(void)state;
	memset(text, 'a', sizeof(text));
	text[2047] = 0;
	assert_int_equal(build(&plain, req), 0);
	text[2047] = 'a';
	text[2048] = 0;
	assert_int_equal(build(&plain, req), -E2BIG);
	assert_memory_equal(e.text, "--cmdline: ", 11);
}

static void boot_fails_when_parts_do(void **state)
{
	struct boot_request req = {
		.initramfs = bytes_of(initramfs, MIB(64)), .initramfs_name = "I"};
	struct make_elf low = {.entry = 0x1000, .segments = {{0x1000, 0x1000, "code"}}};

	(void)state;
	assert_int_equal(build(&plain, req), -E2BIG); /* not read: it does not fit */
	assert_memory_equal(e.text, "--initramfs I: ", 15);
	req.initramfs = bytes_of(initramfs, 0);
	assert_int_equal(build(&plain, req), -EINVAL);
	req.initramfs_name = NULL;
	assert_int_equal(build(&low, req), -EINVAL);
	assert_memory_equal(e.text, "--kernel K: ", 12);
	req.n_vcpus = 10000;
	assert_int_equal(build(&plain, req), -E2BIG);
	assert_memory_equal(e.text, "--cpus: ", 8);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(boot_enters_elf_in_long_mode),
	cmocka_unit_test(boot_enters_pvh_in_protected_mode),
	cmocka_unit_test(boot_data_stays_in_the_first_mib),
	cmocka_unit_test(boot_fails_when_cmdline_is_too_long),
	cmocka_unit_test(boot_fails_when_parts_do),
};

int main(void)
{
	int rc = cmocka_run_group_tests(tests, prepare, NULL);

	image_fini(&boot.image);
	free(file.at);
	return rc;
}
