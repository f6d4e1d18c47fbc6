/* SPDX-License-Identifier: Apache-2.0 */
#include "devices/back/rate_limiter.h"

#include "base/clock.h"
#include "tests/unit/unit.h"

#define MS UINT64_C(1000000)

struct fixture {
	struct loop *loop;
	struct rate_limiter r;
	unsigned int calls;
};

static void called(void *ctx)
{
	struct fixture *f = ctx;

	f->calls++;
}

static void open_limiter(struct fixture *f, struct spawn_limits limits)
{
	struct rate_limiter_config config = {.limits = limits, .fn = called, .ctx = f};
	struct err e = ERR_INIT;

	*f = (struct fixture){0};
	assert_int_equal(loop_create(&f->loop, &e), 0);
	config.loop = f->loop;
	assert_int_equal(rate_limiter_init(&f->r, &config, &e), 0);
}

static void close_limiter(struct fixture *f)
{
	rate_limiter_fini(&f->r);
	loop_destroy(f->loop);
}

static void rate_limiter_says_yes_when_nothing_is_limited(void **state)
{
	struct fixture f;

	(void)state;
	open_limiter(&f, (struct spawn_limits){.bytes = {0, 0, 0}});
	assert_int_equal(f.r.timer.fd, -1);
	for (int i = 0; i < 100; i++) {
		assert_true(rate_limiter_may(&f.r));
		rate_limiter_take(&f.r, 1 << 30);
	}
	close_limiter(&f);
}

static void rate_limiter_calls_back_when_time_has_come(void **state)
{
	uint64_t begin = clock_ns();
	struct fixture f;

	(void)state;
	open_limiter(&f, (struct spawn_limits){.ops = {2, 0, 40}});
	assert_true(rate_limiter_may(&f.r));
	rate_limiter_take(&f.r, 1);
	assert_true(rate_limiter_may(&f.r));
	rate_limiter_take(&f.r, 1);
	assert_false(rate_limiter_may(&f.r));
	assert_false(rate_limiter_may(&f.r));
	while (!f.calls)
		assert_int_equal(loop_run_once(f.loop, 5000), 0);
	assert_true(clock_ns() - begin >= 20 * MS);
	assert_int_equal(f.calls, 1);
	assert_true(rate_limiter_may(&f.r));
	/* Quiet until it has to wait again. */
	assert_int_equal(loop_run_once(f.loop, 0), 0);
	assert_int_equal(f.calls, 1);
	close_limiter(&f);
}

static void rate_limiter_obeys_both_limits(void **state)
{
	struct fixture f;

	(void)state;
	open_limiter(
		&f, (struct spawn_limits){.bytes = {1000, 0, 3600000}, .ops = {5, 0, 3600000}});
	rate_limiter_take(&f.r, 999);
	assert_true(rate_limiter_may(&f.r));
	rate_limiter_take(&f.r, 1);
	assert_false(rate_limiter_may(&f.r));
	close_limiter(&f);
	open_limiter(
		&f, (struct spawn_limits){.bytes = {1000, 0, 3600000}, .ops = {5, 0, 3600000}});
	for (int i = 0; i < 5; i++) {
		assert_true(rate_limiter_may(&f.r));
		rate_limiter_take(&f.r, 1);
	}
	assert_false(rate_limiter_may(&f.r));
	close_limiter(&f);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(rate_limiter_says_yes_when_nothing_is_limited),
	cmocka_unit_test(rate_limiter_calls_back_when_time_has_come),
	cmocka_unit_test(rate_limiter_obeys_both_limits),
};
UNIT_MAIN(tests)
