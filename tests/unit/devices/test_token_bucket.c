/* SPDX-License-Identifier: Apache-2.0 */
#include "devices/back/token_bucket.h"

#include "tests/unit/unit.h"

#define MS UINT64_C(1000000)

static struct token_bucket make(uint64_t size, uint64_t burst, uint64_t refill_ms)
{
	const struct spawn_limit limit = {size, burst, refill_ms};
	struct token_bucket b;

	token_bucket_init(&b, &limit, 0);
	return b;
}

static void token_bucket_limits_nothing_when_size_or_time_is_zero(void **state)
{
	struct token_bucket none = make(0, 0, 100), at_once = make(10, 0, 0);

	(void)state;
	for (int i = 0; i < 1000; i++) {
		token_bucket_take(&none, 1000);
		token_bucket_take(&at_once, 1000);
	}
	assert_int_equal(token_bucket_wait(&none, 0), 0);
	assert_int_equal(token_bucket_wait(&at_once, 0), 0);
}

static void token_bucket_waits_when_empty(void **state)
{
	struct token_bucket b = make(10, 0, 100);

	(void)state;
	for (int i = 0; i < 10; i++) {
		assert_int_equal(token_bucket_wait(&b, 0), 0);
		token_bucket_take(&b, 1);
	}
	assert_int_equal(token_bucket_wait(&b, 0), 10 * MS);
	assert_int_equal(token_bucket_wait(&b, 4 * MS), 6 * MS);
	assert_int_equal(token_bucket_wait(&b, 10 * MS), 0);
}

static void token_bucket_holds_no_more_than_size(void **state)
{
	struct token_bucket b = make(10, 0, 100);

	(void)state;
	assert_int_equal(token_bucket_wait(&b, 1000000 * MS), 0);
	token_bucket_take(&b, 10);
	assert_int_equal(token_bucket_wait(&b, 1000000 * MS), 10 * MS);
}

static void token_bucket_uses_burst_once(void **state)
{
	struct token_bucket b = make(10, 5, 100);

	(void)state;
	token_bucket_take(&b, 15);
	assert_int_equal(token_bucket_wait(&b, 0), 10 * MS);
	assert_int_equal(token_bucket_wait(&b, 10000 * MS), 0);
	token_bucket_take(&b, 10);
	assert_int_equal(token_bucket_wait(&b, 10000 * MS), 10 * MS);
}

static void token_bucket_makes_wait_for_debt_when_operation_is_large(void **state)
{
	struct token_bucket b = make(10, 0, 100);

	(void)state;
	assert_int_equal(token_bucket_wait(&b, 0), 0);
	token_bucket_take(&b, 30);
	assert_int_equal(token_bucket_wait(&b, 0), 210 * MS);
	assert_int_equal(token_bucket_wait(&b, 209 * MS), 1 * MS);
	assert_int_equal(token_bucket_wait(&b, 210 * MS), 0);
}

/* Looked at often and at odd times, what goes through in a second is the rate, to one token. */
static void token_bucket_keeps_rate_when_asked_often(void **state)
{
	const uint64_t steps[] = {1, 7, 999, 1001, 333333, 1000003};

	(void)state;
	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
		struct token_bucket b = make(1000, 0, 1000);
		uint64_t passed = 0, begin = 5000 * MS;

		assert_int_equal(token_bucket_wait(&b, begin), 0);
		token_bucket_take(&b, 1000);
		for (uint64_t at = begin; at < begin + 50 * MS; at += steps[i]) {
			if (token_bucket_wait(&b, at))
				continue;
			token_bucket_take(&b, 1);
			passed++;
		}
		assert_in_range(passed, 48, 50);
	}
}

static void token_bucket_stands_extremes(void **state)
{
	struct token_bucket b = make(UINT64_MAX, UINT64_MAX, UINT64_MAX);
	struct token_bucket c = make(1, 0, UINT64_MAX);

	(void)state;
	for (int i = 0; i < 4; i++)
		token_bucket_take(&b, UINT64_MAX);
	assert_true(token_bucket_wait(&b, 1000 * MS) > 0);
	assert_int_equal(token_bucket_wait(&b, 0), token_bucket_wait(&b, 0)); /* time stands */
	token_bucket_take(&c, 1);
	assert_true(token_bucket_wait(&c, 1000 * MS) > 1000 * MS);
	for (int i = 0; i < 4; i++)
		token_bucket_take(&c, UINT64_MAX);
	assert_true(token_bucket_wait(&c, 1000 * MS) > UINT64_MAX / 8);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(token_bucket_limits_nothing_when_size_or_time_is_zero),
	cmocka_unit_test(token_bucket_waits_when_empty),
	cmocka_unit_test(token_bucket_holds_no_more_than_size),
	cmocka_unit_test(token_bucket_uses_burst_once),
	cmocka_unit_test(token_bucket_makes_wait_for_debt_when_operation_is_large),
	cmocka_unit_test(token_bucket_keeps_rate_when_asked_often),
	cmocka_unit_test(token_bucket_stands_extremes),
};
UNIT_MAIN(tests)
