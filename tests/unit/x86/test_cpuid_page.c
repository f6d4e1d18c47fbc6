/* SPDX-License-Identifier: Apache-2.0 */
#include "base/bytes.h"
#include "tests/unit/unit.h"
#include "vmm/x86/cpuid_page.h"

#include <errno.h>
#include <string.h>

#define ENTRY(n) (16 + 48 * (n)) /* u32 leaf, subleaf; u64 xcr0, xss; u32 eax, ebx, ecx, edx */

static struct cpuid_table table;
static uint8_t page[CPUID_PAGE_LEN];

/* add() - one leaf with all bits set; a subleaf from 0 up counts */
static struct kvm_cpuid_entry2 *add(uint32_t leaf, int subleaf)
{
	struct kvm_cpuid_entry2 *en = &table.entries[table.head.nent++];

	*en = (struct kvm_cpuid_entry2){.function = leaf,
		.index = subleaf < 0 ? 0 : (uint32_t)subleaf,
		.flags = subleaf < 0 ? 0 : KVM_CPUID_FLAG_SIGNIFCANT_INDEX,
		.eax = UINT32_MAX,
		.ebx = UINT32_MAX,
		.ecx = UINT32_MAX,
		.edx = UINT32_MAX};
	return en;
}

static int setup(void **state)
{
	(void)state;
	memset(&table, 0, sizeof(table));
	memset(page, 0xee, sizeof(page));
	return 0;
}

static uint32_t reg(unsigned int entry, unsigned int n)
{
	return load_le32(page + ENTRY(entry) + 24 + 4 * n);
}

static void cpuid_page_clears_what_firmware_refuses(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	add(1, -1);
	add(7, 0);
	add(7, 1);
	add(0x80000008, -1);
	assert_int_equal(cpuid_page_fill(page, &table, &e), 0);
	assert_int_equal(load_le32(page), 4);
	assert_int_equal(reg(0, 2), ~(1u << 24)); /* TSC deadline */
	assert_int_equal(reg(0, 0), UINT32_MAX);
	assert_int_equal(reg(1, 1), ~(1u << 1)); /* TSC_ADJUST */
	assert_int_equal(reg(1, 3), 0x03ffffff);
	assert_int_equal(reg(2, 3), UINT32_MAX); /* another subleaf */
	assert_int_equal(load_le32(page + ENTRY(2) + 4), 1);
	assert_int_equal(reg(3, 1), ~(1u << 25));
	for (size_t i = ENTRY(4); i < sizeof(page); i++)
		assert_int_equal(page[i], 0);
}

static void cpuid_page_gives_the_size_of_the_first_save_area(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	for (int i = 0; i < 3; i++)
		add(0xd, i);
	assert_int_equal(cpuid_page_fill(page, &table, &e), 0);
	for (unsigned int i = 0; i < 3; i++) {
		assert_int_equal(load_le64(page + ENTRY(i) + 8), i < 2);
		assert_int_equal(load_le64(page + ENTRY(i) + 16), 0);
		assert_int_equal(reg(i, 1), i < 2 ? 0x240 : UINT32_MAX);
	}
}

static void cpuid_page_leaves_out_zeros_and_holds_64_entries(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	for (uint32_t i = 0; i < CPUID_PAGE_MAX; i++)
		add(0x100 + i, -1);
	*add(0x4, 0) = (struct kvm_cpuid_entry2){.function = 4, .index = 9, .flags = 1};
	assert_int_equal(cpuid_page_fill(page, &table, &e), 0);
	assert_int_equal(load_le32(page), CPUID_PAGE_MAX);
	table.entries[CPUID_PAGE_MAX].edx = 1;
	assert_int_equal(cpuid_page_fill(page, &table, &e), -E2BIG);
}

static void cpuid_page_finds_each_difference_once(void **state)
{
	uint8_t other[CPUID_PAGE_LEN];
	struct cpuid_page_entry d[2];
	unsigned int at = 0;
	struct err e = ERR_INIT;

	(void)state;
	add(1, -1);
	add(2, -1);
	add(0xb, 2);
	assert_int_equal(cpuid_page_fill(page, &table, &e), 0);
	memcpy(other, page, sizeof(other));
	assert_false(cpuid_page_differ(page, other, &at, d));
	store_le32(other + ENTRY(2) + 24 + 8, 7);
	store_le32(other + ENTRY(0) + 24, 5);
	at = 0;
	assert_true(cpuid_page_differ(page, other, &at, d));
	assert_int_equal(d[1].leaf, 1);
	assert_int_equal(d[0].regs[0], UINT32_MAX);
	assert_int_equal(d[1].regs[0], 5);
	assert_true(cpuid_page_differ(page, other, &at, d));
	assert_int_equal(d[1].leaf, 0xb);
	assert_int_equal(d[1].subleaf, 2);
	assert_int_equal(d[1].regs[2], 7);
	assert_false(cpuid_page_differ(page, other, &at, d));
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test_setup(cpuid_page_clears_what_firmware_refuses, setup),
	cmocka_unit_test_setup(cpuid_page_gives_the_size_of_the_first_save_area, setup),
	cmocka_unit_test_setup(cpuid_page_leaves_out_zeros_and_holds_64_entries, setup),
	cmocka_unit_test_setup(cpuid_page_finds_each_difference_once, setup),
};

UNIT_MAIN(tests)
