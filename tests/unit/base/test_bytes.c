/* SPDX-License-Identifier: Apache-2.0 */
#include "base/bytes.h"
#include "tests/unit/unit.h"

static const uint8_t data[] = {1, 2, 3, 4, 5, 6, 7, 8, 9};

static void bytes_reads_little_and_big_endian(void **state)
{
	struct bytes b = bytes_of(data, sizeof(data));

	(void)state;
	assert_int_equal(bytes_u8(&b), 1);
	assert_int_equal(bytes_u16(&b), 0x0302);
	assert_int_equal(bytes_u32_be(&b), 0x04050607);
	assert_int_equal(b.left, 2);
	assert_int_equal(bytes_u16_be(&b), 0x0809);
	assert_false(b.failed);
}

static void bytes_stays_failed_when_read_past_end(void **state)
{
	struct bytes b = bytes_of(data, 3);
	uint8_t out[4] = {9, 9, 9, 9};

	(void)state;
	assert_int_equal(bytes_u32(&b), 0);
	assert_true(b.failed);
	assert_int_equal(bytes_u8(&b), 0);
	bytes_copy(&b, out, sizeof(out));
	assert_int_equal(out[3], 0);
	assert_null(bytes_take(&b, 0));
}

static void bytes_slice_fails_when_range_wraps(void **state)
{
	struct bytes b = bytes_of(data, sizeof(data));

	(void)state;
	assert_false(bytes_slice(&b, 2, 7).failed);
	assert_int_equal(bytes_slice(&b, 2, 7).at[0], 3);
	assert_true(bytes_slice(&b, 2, 8).failed);
	assert_true(bytes_slice(&b, UINT64_MAX, 2).failed);
	assert_true(bytes_slice(&b, 1, UINT64_MAX).failed);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(bytes_reads_little_and_big_endian),
	cmocka_unit_test(bytes_stays_failed_when_read_past_end),
	cmocka_unit_test(bytes_slice_fails_when_range_wraps),
};
UNIT_MAIN(tests)
