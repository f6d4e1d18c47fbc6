/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/x86/page_tables.h"

#include "base/bytes.h"
#include "base/num.h"
#include "tests/unit/unit.h"

#define AT   UINT64_C(0x9000)
#define CBIT (UINT64_C(1) << 45)
#define ADDR UINT64_C(0x000ffffffffff000)

static uint8_t tables[PAGE_TABLES_LEN];

/* walk() - translate as the CPU does. Return: the entry that maps a 2 MiB page, 0 if not present.
 */
static uint64_t walk(uint64_t v, uint64_t cbit)
{
	uint64_t entry = AT | cbit | 1;

	for (unsigned int shift = 39; shift >= 21; shift -= 9) {
		uint64_t table = entry & ADDR & ~cbit;

		assert_int_equal(entry & cbit, cbit);
		assert_true(table >= AT && table + PAGE_SIZE <= AT + PAGE_TABLES_LEN);
		entry = load_le64(tables + (table - AT) + (v >> shift & 511) * 8);
		if (!(entry & 1))
			return 0;
		assert_int_equal(entry & 2, 2);
		assert_int_equal(entry >> 7 & 1, shift == 21);
	}
	assert_int_equal(entry & cbit, cbit);
	return entry & ~cbit;
}

static void page_tables_map_4_gib_one_to_one(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		uint64_t cbit = i ? CBIT : 0;

		page_tables_fill(tables, AT, cbit);
		for (uint64_t v = 0; v < GIB(4); v += MIB(2))
			assert_int_equal(walk(v, cbit) & ADDR, v);
		assert_int_equal(walk(GIB(4), cbit), 0);
		assert_int_equal(walk(UINT64_C(1) << 39, cbit), 0);
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(page_tables_map_4_gib_one_to_one),
};
UNIT_MAIN(tests)
