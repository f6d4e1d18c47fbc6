/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/x86/e820.h"

#include "memory/layout.h"
#include "tests/unit/unit.h"
#include "vmm/x86/map.h"

static struct e820_entry map[E820_MAX];

static unsigned int fill(uint64_t ram)
{
	struct layout layout;
	struct err e = ERR_INIT;
	unsigned int n;

	assert_int_equal(layout_init(&layout, ram, &e), 0);
	n = e820_fill(map, &layout);
	assert_true(n <= E820_MAX);
	return n;
}

/* type_at() - Return: the type of the entry that covers addr, 0 for none */
static uint32_t type_at(unsigned int n, uint64_t addr)
{
	for (unsigned int i = 0; i < n; i++)
		if (addr >= map[i].addr && addr - map[i].addr < map[i].len)
			return map[i].type;
	return 0;
}

static void e820_is_sorted_and_without_overlaps(void **state)
{
	static const uint64_t sizes[] = {MIB(16), MIB(512), GIB(3), GIB(3) + MIB(1), GIB(8)};

	(void)state;
	for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
		unsigned int n = fill(sizes[s]);
		uint64_t ram = 0;

		for (unsigned int i = 0; i < n; i++) {
			assert_true(map[i].len > 0);
			if (i)
				assert_true(map[i].addr >= map[i - 1].addr + map[i - 1].len);
			ram += map[i].type == E820_RAM ? map[i].len : 0;
		}
		assert_int_equal(ram, sizes[s] - (MIB(1) - MAP_LOW_RAM_END));
	}
}

static void e820_tells_what_is_taken(void **state)
{
	unsigned int n = fill(GIB(8));

	(void)state;
	assert_int_equal(type_at(n, MAP_BOOT_PARAMS), E820_RAM);
	assert_int_equal(type_at(n, MAP_LOW_RAM_END), E820_RESERVED);
	assert_int_equal(type_at(n, MAP_ACPI), E820_ACPI);
	assert_int_equal(type_at(n, MAP_ACPI + MAP_ACPI_LEN - 1), E820_ACPI);
	assert_int_equal(type_at(n, 0xfffff), E820_RESERVED);
	assert_int_equal(type_at(n, 0x100000), E820_RAM);
	assert_int_equal(type_at(n, MAP_PCI_MMIO), 0);
	assert_int_equal(type_at(n, MAP_PCI_ECAM), E820_RESERVED);
	assert_int_equal(type_at(n, MAP_LAPIC), 0);
	assert_int_equal(type_at(n, GIB(4)), E820_RAM);
	assert_int_equal(type_at(n, GIB(9) - 1), E820_RAM);
	assert_int_equal(type_at(n, GIB(9)), 0);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(e820_is_sorted_and_without_overlaps),
	cmocka_unit_test(e820_tells_what_is_taken),
};
UNIT_MAIN(tests)
