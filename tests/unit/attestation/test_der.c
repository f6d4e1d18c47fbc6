/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/der.h"

#include "tests/unit/unit.h"

static int read_uint(const char *der, size_t len, uint32_t max, uint32_t *out)
{
	struct bytes b = bytes_of(der, len);
	int ret = der_uint(&b, max, out);

	return ret ? ret : (int)b.left;
}

static void der_reads_numbers(void **state)
{
	uint32_t v;

	(void)state;
	assert_int_equal(read_uint("\x02\x01\x00", 3, 255, &v), 0);
	assert_int_equal(v, 0);
	assert_int_equal(read_uint("\x02\x02\x00\xd2", 4, 255, &v), 0);
	assert_int_equal(v, 0xd2);
	assert_int_equal(read_uint("\x02\x05\x00\xff\xff\xff\xff", 7, UINT32_MAX, &v), 0);
	assert_int_equal(v, UINT32_MAX);
	assert_int_equal(read_uint("\x02\x01\x07rest", 7, 255, &v), 4);
}

static void der_refuses_numbers_that_are_not_minimal_or_too_large(void **state)
{
	uint32_t v;

	(void)state;
	assert_true(read_uint("\x02\x02\x00\x07", 4, 255, &v) < 0);
	assert_true(read_uint("\x02\x01\x80", 3, 255, &v) < 0);
	assert_true(read_uint("\x02\x02\x01\x00", 4, 255, &v) < 0);
	assert_true(read_uint("\x02\x00", 2, 255, &v) < 0);
	assert_true(read_uint("\x02\x01", 2, 255, &v) < 0);
	assert_true(read_uint("\x04\x01\x01", 3, 255, &v) < 0);
	assert_true(read_uint("\x02\x81\x01\x01", 4, 255, &v) < 0);
	assert_true(read_uint("\x02\x80\x01\x00\x00", 5, 255, &v) < 0);
	assert_true(read_uint("\x02\x06\x00\x01\x01\x01\x01\x01", 8, UINT32_MAX, &v) < 0);
	assert_true(read_uint("", 0, 255, &v) < 0);
}

static void der_reads_long_lengths_when_needed_only(void **state)
{
	uint8_t long_form[200] = {DER_OCTETS, 0x81, 197}, padded[200] = {DER_OCTETS, 0x82, 0, 196};
	struct bytes b = bytes_of(long_form, sizeof(long_form)), content;

	(void)state;
	assert_int_equal(der_take(&b, DER_OCTETS, &content), 0);
	assert_int_equal(content.left, 197);
	assert_int_equal(b.left, 0);
	b = bytes_of(padded, sizeof(padded));
	assert_true(der_take(&b, DER_OCTETS, &content) < 0);
	b = bytes_of(long_form, sizeof(long_form) - 1);
	assert_true(der_take(&b, DER_OCTETS, &content) < 0);
}

static void der_reads_octets_of_one_length(void **state)
{
	struct bytes b = bytes_of("\x04\x02\xaa\xbb", 4);
	uint8_t out[2];

	(void)state;
	assert_int_equal(der_octets(&b, out, 2), 0);
	assert_int_equal(out[1], 0xbb);
	b = bytes_of("\x04\x03\xaa\xbb\xcc", 5);
	assert_true(der_octets(&b, out, 2) < 0);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(der_reads_numbers),
	cmocka_unit_test(der_refuses_numbers_that_are_not_minimal_or_too_large),
	cmocka_unit_test(der_reads_long_lengths_when_needed_only),
	cmocka_unit_test(der_reads_octets_of_one_length),
};

UNIT_MAIN(tests)
