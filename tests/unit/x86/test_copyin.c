/* SPDX-License-Identifier: Apache-2.0 */
#include "memory/image.h"
#include "memory/layout.h"
#include "tests/unit/unit.h"
#include "vmm/x86/copyin.h"
#include "vmm/x86/map.h"

#include <errno.h>
#include <string.h>

#define CBIT (UINT64_C(1) << 38)

static const struct image_part *part_at(const struct image *image, uint64_t gpa)
{
	for (size_t i = 0; i < image->n_parts; i++)
		if (image->parts[i].gpa.v == gpa)
			return &image->parts[i];
	return NULL;
}

static uint64_t table_entry(const struct image *image, uint64_t table, unsigned int index)
{
	const struct image_part *p = part_at(image, MAP_COPYIN_TABLES);
	uint64_t value;

	assert_in_range(table, MAP_COPYIN_TABLES, MAP_COPYIN_TABLES + MAP_COPYIN_TABLES_LEN - 1);
	memcpy(&value, (const char *)p->bytes + (table - MAP_COPYIN_TABLES) + index * 8, 8);
	assert_true(value & 1);
	return value & ~UINT64_C(0xfff);
}

/* What the CPU would do with a virtual address: three levels and a 2 MiB page. */
static uint64_t walk(const struct image *image, uint64_t va)
{
	uint64_t at = table_entry(image, MAP_COPYIN_TABLES, va >> 39 & 511);

	at = table_entry(image, at, va >> 30 & 511);
	at = table_entry(image, at, va >> 21 & 511);
	return at + (va & (MIB(2) - 1));
}

static void copyin_maps_both_sides_and_lists_bytes(void **state)
{
	char bytes[6000] = "kernel";
	struct image_part parts[] = {
		{.gpa = gpa_of(0x7000), .len = 4096, .bytes = bytes, .bytes_len = 4096},
		{.gpa = gpa_of(MIB(16)), .len = MIB(8), .bytes = bytes, .bytes_len = 6000},
		{.gpa = gpa_of(MIB(32)), .len = MIB(1)}, /* zeros need no copy */
	};
	struct x86_entry entry = {.mode = X86_LONG64, .rip = 0x1000000, .rsi = 0x7000, .cr3 = CBIT | 0x9000};
	struct copyin_info info;
	struct err e = ERR_INIT;
	struct image image;

	(void)state;
	image_init(&image);
	for (int i = 0; i < 3; i++)
		assert_int_equal(image_add(&image, &parts[i], &e), 0);
	assert_int_equal(copyin_add(&image, &entry, CBIT, &e), 0);
	assert_int_equal(entry.cr3, MAP_COPYIN_TABLES);
	memcpy(&info, part_at(&image, entry.rsi)->bytes, sizeof(info));
	assert_int_equal(info.n_ranges, 1);
	assert_int_equal(info.ranges[0].gpa, MIB(16));
	assert_int_equal(info.ranges[0].words, 8192 / 8);
	assert_int_equal(info.rip, 0x1000000);
	assert_int_equal(info.cr3, CBIT | 0x9000);
	assert_int_equal(walk(&image, MIB(16) + 5), MIB(16) + 5);
	assert_int_equal(walk(&image, GIB(4) - 1), GIB(4) - 1);
	assert_int_equal(walk(&image, COPYIN_PRIVATE + MIB(16) + 5), CBIT + MIB(16) + 5);
	assert_int_equal(walk(&image, COPYIN_PRIVATE + GIB(3)), CBIT + GIB(3));
	image_fini(&image);
}

static void copyin_refuses_parts_that_stub_cannot_reach(void **state)
{
	struct image_part part = {.gpa = gpa_of(GIB(4)), .len = 4096, .bytes = "x", .bytes_len = 1};
	struct x86_entry entry = {.mode = X86_LONG64};
	struct err e = ERR_INIT;
	struct image image;

	(void)state;
	image_init(&image);
	assert_int_equal(image_add(&image, &part, &e), 0);
	assert_int_equal(copyin_add(&image, &entry, CBIT, &e), -EINVAL);
	entry.mode = X86_PROTECTED32;
	assert_int_equal(copyin_add(&image, &entry, CBIT, &e), -EINVAL);
	image_fini(&image);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(copyin_maps_both_sides_and_lists_bytes),
	cmocka_unit_test(copyin_refuses_parts_that_stub_cannot_reach),
};
UNIT_MAIN(tests)
