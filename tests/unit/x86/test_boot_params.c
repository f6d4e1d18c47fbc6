/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/x86/boot_params.h"

#include "tests/unit/unit.h"

#include <asm/bootparam.h>
#include <string.h>

static union {
	uint8_t page[BOOT_PARAMS_LEN];
	struct boot_params p;
} u;

static const struct boot_params_desc plain = {
	.cmdline = 0x20000,
	.cmdline_max = 2047,
	.initrd = 0x1f000000,
	.initrd_len = 12345,
	.rsdp = 0xe0000,
	.e820 = {{0, 0x9fc00, E820_RAM}, {0x100000, 0x1ff00000, E820_RAM}},
	.n_e820 = 2,
};

static void boot_params_make_a_header_when_file_has_none(void **state)
{
	(void)state;
	memset(&u, 0xff, sizeof(u));
	boot_params_fill(u.page, &plain);
	assert_int_equal(u.p.hdr.boot_flag, 0xaa55);
	assert_int_equal(u.p.hdr.header, 0x53726448);
	assert_int_equal(u.p.hdr.type_of_loader, 0xff);
	assert_int_equal(u.p.hdr.loadflags, LOADED_HIGH);
	assert_int_equal(u.p.hdr.cmd_line_ptr, 0x20000);
	assert_int_equal(u.p.hdr.cmdline_size, 2047);
	assert_int_equal(u.p.hdr.ramdisk_image, 0x1f000000);
	assert_int_equal(u.p.hdr.ramdisk_size, 12345);
	assert_int_equal(u.p.acpi_rsdp_addr, 0xe0000);
	assert_int_equal(u.p.sentinel, 0);
}

static void boot_params_tell_the_memory_map(void **state)
{
	(void)state;
	boot_params_fill(u.page, &plain);
	assert_int_equal(u.p.e820_entries, 2);
	assert_int_equal(u.p.e820_table[1].addr, 0x100000);
	assert_int_equal(u.p.e820_table[1].size, 0x1ff00000);
	assert_int_equal(u.p.e820_table[1].type, 1);
	assert_int_equal(u.p.e820_table[2].size, 0);
}

static void boot_params_keep_the_files_header(void **state)
{
	uint8_t header[0x80];
	struct boot_params_desc desc = plain;
	struct setup_header h = {.boot_flag = 0xaa55,
		.header = 0x53726448,
		.version = 0x20f,
		.loadflags = 0xff,
		.setup_data = 0x1234,
		.cmdline_size = 99,
		.init_size = 77};

	(void)state;
	memset(header, 0, sizeof(header));
	memcpy(header, &h, sizeof(h));
	desc.setup_header = bytes_of(header, sizeof(header));
	boot_params_fill(u.page, &desc);
	assert_int_equal(u.p.hdr.cmdline_size, 99);
	assert_int_equal(u.p.hdr.init_size, 77);
	assert_int_equal(u.p.hdr.setup_data, 0);
	assert_int_equal(u.p.hdr.loadflags, LOADED_HIGH | QUIET_FLAG);
	assert_int_equal(u.p.hdr.type_of_loader, 0xff);
	assert_int_equal(u.p.hdr.ramdisk_size, 12345);
}

static void boot_params_cut_a_header_that_is_too_long(void **state)
{
	static uint8_t header[4096];
	struct boot_params_desc desc = plain;

	(void)state;
	memset(header, 0x5a, sizeof(header));
	desc.setup_header = bytes_of(header, sizeof(header));
	boot_params_fill(u.page, &desc);
	assert_int_equal(u.page[0x28f], 0x5a);
	assert_int_equal(u.page[0x290], 0);
	assert_int_equal(u.p.e820_entries, 2);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(boot_params_make_a_header_when_file_has_none),
	cmocka_unit_test(boot_params_tell_the_memory_map),
	cmocka_unit_test(boot_params_keep_the_files_header),
	cmocka_unit_test(boot_params_cut_a_header_that_is_too_long),
};
UNIT_MAIN(tests)
