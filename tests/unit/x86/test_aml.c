/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/x86/aml.h"

#include "tests/unit/unit.h"

#include <string.h>

static uint8_t buf[300000];
static struct aml aml;

static void begin(void)
{
	memset(buf, 0xee, sizeof(buf));
	aml_init(&aml, buf, sizeof(buf));
}

static void expect(const char *bytes, size_t len)
{
	assert_false(aml.failed);
	assert_int_equal(aml.len, len);
	assert_memory_equal(buf, bytes, len);
}

static void aml_int_takes_shortest_form(void **state)
{
	(void)state;
	begin();
	aml_int(&aml, 0);
	aml_int(&aml, 1);
	aml_int(&aml, 2);
	aml_int(&aml, 0xff);
	aml_int(&aml, 0x100);
	aml_int(&aml, 0x10000);
	aml_int(&aml, UINT64_C(0x100000000));
	expect("\x00\x01\x0a\x02\x0a\xff\x0b\x00\x01\x0c\x00\x00\x01\x00\x0e\x00\x00\x00\x00\x01\x00\x00\x00",
		23);
}

static void aml_eisa_id_is_compressed(void **state)
{
	(void)state;
	begin();
	aml_eisa_id(
		&aml, "PNP0A03"); /* ACPI 6.5, section 19.6.36: EISAID("PNP0A03") = 0x030AD041 */
	expect("\x0c\x41\xd0\x0a\x03", 5);
}

static void aml_close_writes_one_byte_length(void **state)
{
	(void)state;
	begin();
	aml_open_package(&aml, 1);
	aml_int(&aml, 5);
	aml_close(&aml);
	expect("\x12\x04\x01\x0a\x05", 5);
}

/* length_at() - the package length as a reader decodes it: ACPI 6.5, section 20.2.4 */
static size_t length_at(const uint8_t *p, size_t *n)
{
	size_t len = p[0] >> 6 ? p[0] & 0x0f : p[0] & 0x3f;

	*n = (p[0] >> 6) + 1u;
	for (size_t i = 1; i < *n; i++)
		len |= (size_t)p[i] << (8 * i - 4);
	return len;
}

static void aml_close_length_is_right_for_every_size(void **state)
{
	static const struct {
		size_t body, length_bytes;
	} cases[] = {{0, 1}, {62, 1}, {63, 2}, {4093, 2}, {4094, 3}, {70000, 3}, {280000, 3}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t n;

		begin();
		aml_open_scope(&aml, "");
		for (size_t k = 0; k < cases[i].body; k++)
			aml_int(&aml, 1);
		aml_close(&aml);
		assert_false(aml.failed);
		assert_int_equal(length_at(buf + 1, &n), aml.len - 1);
		assert_int_equal(n, cases[i].length_bytes);
		assert_int_equal(aml.len, 1 + n + cases[i].body);
		if (cases[i].body)
			assert_int_equal(buf[1 + n], 1);
	}
}

static void aml_close_moves_inner_terms_too(void **state)
{
	(void)state;
	begin();
	aml_open_scope(&aml, "_SB_");
	aml_open_device(&aml, "DEV0");
	aml_name(&aml, "_UID");
	aml_int(&aml, 1);
	aml_close(&aml);
	aml_close(&aml);
	expect("\x10\x12_SB_\x5b\x82\x0b"
	       "DEV0\x08_UID\x01",
		19);
}

static void aml_resources_get_size_and_end_tag(void **state)
{
	(void)state;
	begin();
	aml_open_resources(&aml);
	aml_io(&aml, 0x3f8, 8);
	aml_close(&aml);
	expect("\x11\x0d\x0a\x0a\x47\x01\xf8\x03\xf8\x03\x01\x08\x79\x00", 14);
}

static void aml_fails_for_good_when_out_of_room(void **state)
{
	(void)state;
	for (size_t room = 0; room < 14; room++) {
		memset(buf, 0xee, sizeof(buf));
		aml_init(&aml, buf, room);
		aml_open_resources(&aml);
		aml_io(&aml, 0x3f8, 8);
		aml_close(&aml);
		assert_true(aml.failed);
		assert_int_equal(buf[room], 0xee);
		aml_int(&aml, 0);
		assert_true(aml.failed);
		assert_int_equal(buf[room], 0xee);
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(aml_int_takes_shortest_form),
	cmocka_unit_test(aml_eisa_id_is_compressed),
	cmocka_unit_test(aml_close_writes_one_byte_length),
	cmocka_unit_test(aml_close_length_is_right_for_every_size),
	cmocka_unit_test(aml_close_moves_inner_terms_too),
	cmocka_unit_test(aml_resources_get_size_and_end_tag),
	cmocka_unit_test(aml_fails_for_good_when_out_of_room),
};
UNIT_MAIN(tests)
