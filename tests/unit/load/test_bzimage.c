/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/load/bzimage.h"

#include "tests/unit/load/make_kernel.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct make_bzimage plain = {
	.elf = {.entry = 0x200000, .segments = {{0x200000, 0x1000, "code"}}},
	.codec = MAKE_GZIP,
};

static struct bzimage bz;

static int parse(const void *file, size_t len)
{
	struct err e = ERR_INIT;
	void *copy = malloc(len ? len : 1);
	int rc;

	memcpy(copy, file, len);
	rc = bzimage_parse(&bz, bytes_of(copy, len), &e);
	assert_int_equal(rc, -e.code);
	free(copy);
	return rc;
}

static void bzimage_reads_the_header(void **state)
{
	struct made m = make_bzimage(&plain);
	struct err e = ERR_INIT;

	(void)state;
	assert_true(bzimage_is(made_bytes(m)));
	assert_int_equal(bzimage_parse(&bz, made_bytes(m), &e), 0);
	assert_ptr_equal(bz.setup_header.at, m.at + 0x1f1);
	assert_int_equal(bz.setup_header.left, 0x26c - 0x1f1);
	assert_ptr_equal(bz.code.at, m.at + MADE_CODE);
	assert_ptr_equal(bz.payload.at, bz.code.at + MADE_PAYLOAD);
	assert_int_equal(load_le16(bz.payload.at), 0x8b1f);
	assert_true(bz.entry_64);
	assert_int_equal(bz.pref_address, 0x1000000);
	assert_int_equal(bz.init_size, 0x200000);
	assert_int_equal(bz.cmdline_max, 2047);
	assert_int_equal(bz.initrd_max, 0x7fffffff);
	assert_string_equal(bz.version, "6.9.0-test");
	free(m.at);
}

static void bzimage_fails_when_truncated_anywhere(void **state)
{
	struct made m = make_bzimage(&plain);
	size_t payload_end = MADE_CODE + MADE_PAYLOAD + load_le32(m.at + 0x24c);

	(void)state;
	for (size_t len = 0; len < payload_end; len++)
		assert_true(parse(m.at, len) < 0);
	for (size_t len = payload_end; len <= m.len; len++)
		assert_int_equal(parse(m.at, len), 0);
	free(m.at);
}

static void bzimage_ignores_what_follows_the_code(void **state)
{
	struct made m = make_bzimage(&plain);
	uint8_t *signed_file = calloc(1, m.len + 1000);

	(void)state;
	memcpy(signed_file, m.at, m.len);
	assert_int_equal(parse(signed_file, m.len + 1000), 0);
	assert_int_equal(bz.code.left, m.len - MADE_CODE);
	free(signed_file);
	free(m.at);
}

static void bzimage_survives_any_value_in_any_field(void **state)
{
	static const uint32_t values[] = {0, 1, 0x7fffffff, UINT32_MAX - 1024, UINT32_MAX};

	(void)state;
	for (size_t off = 0x1f0; off < 0x26c; off++)
		for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
			struct made m = make_bzimage(&plain);

			store_le32(m.at + off, values[i]);
			if (!parse(m.at, m.len)) {
				assert_true(bz.setup_header.left <= 0x290 - 0x1f1);
				assert_true(bz.code.left < m.len);
				assert_true(bz.payload.left <= bz.code.left);
			}
			free(m.at);
		}
}

static void bzimage_cuts_version_at_the_first_odd_character(void **state)
{
	static const struct {
		const char *in, *out;
	} cases[] = {{"7.3.4+deb13 x", "7.3.4+deb13"}, {"a\x1b[31m", "a"}, {"", ""}, {" b", ""},
		{"6.1-\xc3\xa4", "6.1-"},
		{"0123456789012345678901234567890123456789012345678901234567890123456789012345678901",
			"0123456789012345678901234567890123456789012345678901234567890123456789012345678"}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct make_bzimage desc = plain;
		struct made m;

		desc.version = cases[i].in;
		m = make_bzimage(&desc);
		assert_int_equal(parse(m.at, m.len), 0);
		assert_string_equal(bz.version, cases[i].out);
		free(m.at);
	}
}

static void bzimage_refuses_old_protocols(void **state)
{
	struct made m = make_bzimage(&plain);

	(void)state;
	store_le16(m.at + 0x206, 0x20b);
	assert_int_equal(parse(m.at, m.len), -ENOTSUP);
	store_le16(m.at + 0x206, 0x20f);
	m.at[0x211] = 0;
	assert_int_equal(parse(m.at, m.len), -ENOTSUP);
	free(m.at);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(bzimage_reads_the_header),
	cmocka_unit_test(bzimage_fails_when_truncated_anywhere),
	cmocka_unit_test(bzimage_ignores_what_follows_the_code),
	cmocka_unit_test(bzimage_survives_any_value_in_any_field),
	cmocka_unit_test(bzimage_cuts_version_at_the_first_odd_character),
	cmocka_unit_test(bzimage_refuses_old_protocols),
};
UNIT_MAIN(tests)
