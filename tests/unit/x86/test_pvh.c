/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/x86/pvh.h"

#include "base/bytes.h"
#include "tests/unit/unit.h"

#define AT UINT64_C(0x30000)

static uint8_t info[PVH_LEN];

static void pvh_info_names_its_parts(void **state)
{
	struct pvh_desc desc = {.addr = AT,
		.cmdline = 0x20000,
		.initrd = 0x800000,
		.initrd_len = 99,
		.rsdp = 0xe0000,
		.e820 = {{0, 0x9fc00, E820_RAM}, {0x100000, 7, E820_RAM}},
		.n_e820 = 2};
	const uint8_t *module, *map;

	(void)state;
	pvh_fill(info, &desc);
	assert_int_equal(load_le32(info), 0x336ec578);
	assert_int_equal(load_le32(info + 4), 1);
	assert_int_equal(load_le32(info + 12), 1);
	assert_int_equal(load_le64(info + 24), 0x20000);
	assert_int_equal(load_le64(info + 32), 0xe0000);
	module = info + (load_le64(info + 16) - AT);
	assert_int_equal(load_le64(module), 0x800000);
	assert_int_equal(load_le64(module + 8), 99);
	map = info + (load_le64(info + 40) - AT);
	assert_int_equal(load_le32(info + 48), 2);
	assert_int_equal(load_le64(map + 24), 0x100000);
	assert_int_equal(load_le64(map + 32), 7);
	assert_int_equal(load_le32(map + 40), 1);
	assert_true(map >= module + 32);
}

static void pvh_info_has_no_module_without_initrd(void **state)
{
	struct pvh_desc desc = {.addr = AT};

	(void)state;
	pvh_fill(info, &desc);
	assert_int_equal(load_le32(info + 12), 0);
	assert_int_equal(load_le64(info + 16), 0);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(pvh_info_names_its_parts),
	cmocka_unit_test(pvh_info_has_no_module_without_initrd),
};
UNIT_MAIN(tests)
