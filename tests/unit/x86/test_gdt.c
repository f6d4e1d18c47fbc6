/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/x86/gdt.h"

#include "base/bytes.h"
#include "tests/unit/unit.h"

#define BIT_L (UINT64_C(1) << 53)
#define BIT_D (UINT64_C(1) << 54)

static uint8_t gdt[GDT_LEN];

static void gdt_code_fits_the_mode(void **state)
{
	(void)state;
	gdt_fill(gdt, X86_LONG64);
	assert_int_equal(load_le64(gdt + 0x10) & (BIT_L | BIT_D), BIT_L);
	gdt_fill(gdt, X86_PROTECTED32);
	assert_int_equal(load_le64(gdt + 0x10) & (BIT_L | BIT_D), BIT_D);
}

static void gdt_segments_are_flat_and_present(void **state)
{
	(void)state;
	gdt_fill(gdt, X86_LONG64);
	assert_int_equal(load_le64(gdt), 0);
	assert_int_equal(load_le64(gdt + 8), 0);
	for (unsigned int s = 0x10; s <= 0x18; s += 8) {
		uint64_t d = load_le64(gdt + s);

		assert_int_equal(d & 0xffff, 0xffff);    /* limit, low */
		assert_int_equal(d >> 48 & 0xf, 0xf);    /* limit, high */
		assert_int_equal(d >> 16 & 0xffffff, 0); /* base */
		assert_int_equal(d >> 56, 0);
		assert_int_equal(d >> 55 & 1, 1);         /* limit in pages */
		assert_int_equal(d >> 47 & 1, 1);         /* present */
		assert_int_equal(d >> 43 & 1, s == 0x10); /* code */
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(gdt_code_fits_the_mode),
	cmocka_unit_test(gdt_segments_are_flat_and_present),
};
UNIT_MAIN(tests)
