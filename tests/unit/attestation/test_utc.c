/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/utc.h"

#include "tests/unit/unit.h"

static int64_t epoch_of(struct utc t)
{
	int64_t out;

	return utc_epoch(&t, &out) ? INT64_MIN : out;
}
#define epoch(...) epoch_of((struct utc){__VA_ARGS__})

static void utc_counts_seconds(void **state)
{
	(void)state;
	assert_int_equal(epoch(1970, 1, 1, 0, 0, 0), 0);
	assert_int_equal(epoch(1969, 12, 31, 23, 59, 59), -1);
	assert_int_equal(epoch(2000, 2, 29, 12, 0, 0), 951825600);
	assert_int_equal(epoch(2027, 1, 15, 8, 0, 0), 1800000000);
	assert_int_equal(epoch(2038, 1, 19, 3, 14, 8), INT64_C(1) << 31);
	assert_int_equal(epoch(2100, 3, 1, 0, 0, 0) - epoch(2100, 2, 28, 0, 0, 0), 86400);
	assert_int_equal(epoch(9999, 12, 31, 23, 59, 59), INT64_C(253402300799));
}

static void utc_refuses_times_that_are_none(void **state)
{
	(void)state;
	assert_int_equal(epoch(0, 1, 1, 0, 0, 0), INT64_MIN);
	assert_int_equal(epoch(10000, 1, 1, 0, 0, 0), INT64_MIN);
	assert_int_equal(epoch(2027, 13, 1, 0, 0, 0), INT64_MIN);
	assert_int_equal(epoch(2027, 0, 1, 0, 0, 0), INT64_MIN);
	assert_int_equal(epoch(2027, 2, 29, 0, 0, 0), INT64_MIN);
	assert_int_equal(epoch(2100, 2, 29, 0, 0, 0), INT64_MIN);
	assert_int_equal(epoch(2027, 4, 31, 0, 0, 0), INT64_MIN);
	assert_int_equal(epoch(2027, 4, 30, 24, 0, 0), INT64_MIN);
	assert_int_equal(epoch(2027, 4, 30, 0, 60, 0), INT64_MIN);
	assert_int_equal(epoch(2027, 4, 30, 0, 0, 60), INT64_MIN);
	assert_int_equal(epoch(2027, 4, 30, -1, 0, 0), INT64_MIN);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(utc_counts_seconds),
	cmocka_unit_test(utc_refuses_times_that_are_none),
};

UNIT_MAIN(tests)
