/* SPDX-License-Identifier: Apache-2.0 */
#include "devices/front/courier.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

#define CALLERS 4
#define ERRANDS 500

static void note_thread(void *ctx)
{
	*(pthread_t *)ctx = pthread_self();
}

static int enter(void *ctx)
{
	note_thread(ctx);
	return 0;
}

static int refuse(void *ctx)
{
	(void)ctx;
	return -EPERM;
}

static void courier_runs_here_without_a_thread(void **state)
{
	pthread_t where;

	(void)state;
	courier_run(NULL, note_thread, &where);
	assert_true(pthread_equal(where, pthread_self()));
}

static void courier_enters_and_runs_on_its_thread(void **state)
{
	pthread_t entered, where;
	struct err e = ERR_INIT;
	struct courier *c;

	(void)state;
	assert_int_equal(courier_create(&c, "x", enter, &entered, &e), 0);
	courier_run(c, note_thread, &where);
	assert_true(pthread_equal(where, entered));
	assert_false(pthread_equal(where, pthread_self()));
	courier_destroy(c);
}

static void courier_is_not_made_when_it_cannot_enter(void **state)
{
	struct err e = ERR_INIT;
	struct courier *c;

	(void)state;
	assert_int_equal(courier_create(&c, "x", refuse, NULL, &e), -EPERM);
	assert_null(c);
	assert_non_null(strstr(e.text, "filter"));
}

struct sum {
	struct courier *courier;
	unsigned int *total; /* no atomic: one errand runs at a time */
};

static void add(void *ctx)
{
	++*(unsigned int *)ctx;
}

static void *call_often(void *ctx)
{
	const struct sum *sum = ctx;

	for (int i = 0; i < ERRANDS; i++)
		courier_run(sum->courier, add, sum->total);
	return NULL;
}

static void courier_runs_one_errand_at_a_time(void **state)
{
	pthread_t callers[CALLERS];
	unsigned int total = 0;
	struct err e = ERR_INIT;
	struct sum sum = {.total = &total};

	(void)state;
	assert_int_equal(courier_create(&sum.courier, "x", NULL, NULL, &e), 0);
	for (int i = 0; i < CALLERS; i++)
		assert_int_equal(pthread_create(&callers[i], NULL, call_often, &sum), 0);
	for (int i = 0; i < CALLERS; i++)
		pthread_join(callers[i], NULL);
	courier_destroy(sum.courier);
	assert_int_equal(total, CALLERS * ERRANDS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(courier_runs_here_without_a_thread),
		cmocka_unit_test(courier_enters_and_runs_on_its_thread),
		cmocka_unit_test(courier_is_not_made_when_it_cannot_enter),
		cmocka_unit_test(courier_runs_one_errand_at_a_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
