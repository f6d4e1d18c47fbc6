/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/x86/td_hob.h"

#include "base/bytes.h"
#include "memory/image.h"
#include "memory/layout.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <string.h>

#define AT  UINT64_C(0x809000)
#define LEN 0x2000

static uint8_t hob[LEN];

static void add(struct image *image, uint64_t gpa, uint64_t len)
{
	struct image_part part = {.gpa = gpa_of(gpa), .len = len, .type = IMAGE_UNMEASURED};
	struct err e = ERR_INIT;

	assert_int_equal(image_add(image, &part, &e), 0);
}

/* The parts of Debian's OVMF.inteltdx.ms.fd: firmware, then out of order what lies in RAM. */
static void ovmf(struct image *image)
{
	image_init(image);
	add(image, 0xffc84000, 0x37c000);
	add(image, 0xffc00000, 0x84000);
	add(image, 0x810000, 0x10000);
	add(image, 0x80b000, 0x2000);
	add(image, AT, LEN);
	add(image, 0x800000, 0x6000);
}

static int fill(uint64_t ram, size_t len, const struct image *image, struct err *e)
{
	const struct td_hob to = {hob, len, gpa_of(AT)};
	struct layout layout;

	memset(hob, 0, sizeof(hob));
	assert_int_equal(layout_init(&layout, ram, e), 0);
	return td_hob_fill(&to, &layout, image, e);
}

static void is_resource(size_t n, uint32_t type, uint64_t start, uint64_t end)
{
	const uint8_t *at = hob + 56 + 48 * n;
	static const uint8_t owner[16];

	assert_int_equal(load_le16(at), 3);
	assert_int_equal(load_le16(at + 2), 48);
	assert_memory_equal(at + 8, owner, sizeof(owner));
	assert_int_equal(load_le32(at + 24), type);
	assert_int_equal(load_le32(at + 28), 7);
	assert_int_equal(load_le64(at + 32), start);
	assert_int_equal(load_le64(at + 40), end - start);
}

static void is_end(size_t n)
{
	size_t at = 56 + 48 * n;

	assert_int_equal(load_le16(hob + at), 0xffff);
	assert_int_equal(load_le16(hob + at + 2), 8);
	assert_int_equal(load_le64(hob + 48), AT + at + 8);
}

static void td_hob_tells_what_is_accepted_already(void **state)
{
	struct err e = ERR_INIT;
	struct image image;

	(void)state;
	ovmf(&image);
	assert_int_equal(fill(GIB(4), LEN, &image, &e), 0);
	assert_int_equal(load_le16(hob), 1);
	assert_int_equal(load_le16(hob + 2), 56);
	assert_int_equal(load_le32(hob + 8), 9);
	is_resource(0, 7, 0, 0x800000);
	is_resource(1, 0, 0x800000, 0x806000);
	is_resource(2, 7, 0x806000, AT);
	is_resource(3, 0, AT, AT + LEN);
	is_resource(4, 0, 0x80b000, 0x80d000);
	is_resource(5, 7, 0x80d000, 0x810000);
	is_resource(6, 0, 0x810000, 0x820000);
	is_resource(7, 7, 0x820000, GIB(3));
	is_resource(8, 7, GIB(4), GIB(5));
	is_end(9);
	image_fini(&image);
}

static void td_hob_refuses_what_does_not_fit(void **state)
{
	struct err e = ERR_INIT;
	struct image image;

	(void)state;
	ovmf(&image);
	assert_int_equal(fill(MIB(64), 56 + 8 * 48 + 8, &image, &e), 0);
	is_end(8);
	assert_int_equal(fill(MIB(64), 56 + 8 * 48 + 7, &image, &e), -ENOSPC);
	assert_int_equal(fill(MIB(64), 63, &image, &e), -ENOSPC);
	add(&image, MIB(64) - PAGE_SIZE, 2 * PAGE_SIZE);
	assert_int_equal(fill(MIB(64), LEN, &image, &e), -EINVAL);
	assert_non_null(strstr(e.text, "0x3fff000"));
	image_fini(&image);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(td_hob_tells_what_is_accepted_already),
	cmocka_unit_test(td_hob_refuses_what_does_not_fit),
};
UNIT_MAIN(tests)
