/* SPDX-License-Identifier: Apache-2.0 */
/* Threads at the gate: closed it parks them, open it lets them pass, abandoned it ends them. */
#include "tests/unit/unit.h"
#include "vmm/gate.h"

#include <sched.h>

#define THREADS 4

struct crowd {
	struct gate gate;
	pthread_t threads[THREADS];
	unsigned int passed; /* atomic */
	bool dismissed;      /* one flag for all of them */
	unsigned int limit;  /* of passages per thread; then it leaves */
};

static void *walker(void *arg)
{
	struct crowd *c = arg;

	gate_enter(&c->gate);
	for (unsigned int i = 0; i < c->limit && gate_pass(&c->gate, &c->dismissed); i++)
		__atomic_add_fetch(&c->passed, 1, __ATOMIC_RELAXED);
	gate_leave(&c->gate);
	return NULL;
}

static void crowd_start(struct crowd *c, unsigned int limit)
{
	c->passed = 0;
	c->dismissed = false;
	c->limit = limit;
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&c->threads[i], NULL, walker, c), 0);
}

static void crowd_join(struct crowd *c)
{
	for (int i = 0; i < THREADS; i++)
		pthread_join(c->threads[i], NULL);
}

static void gate_holds_everybody_while_closed(void **state)
{
	struct crowd c;
	unsigned int before;

	(void)state;
	gate_init(&c.gate);
	crowd_start(&c, ~0u);
	for (int round = 0; round < 50; round++) {
		gate_close(&c.gate);
		gate_wait(&c.gate, THREADS);
		before = __atomic_load_n(&c.passed, __ATOMIC_RELAXED);
		for (int i = 0; i < 100; i++)
			sched_yield();
		assert_int_equal(before, __atomic_load_n(&c.passed, __ATOMIC_RELAXED));
		assert_int_equal(c.gate.parked, THREADS);
		gate_open(&c.gate);
	}
	gate_abandon(&c.gate);
	crowd_join(&c);
	assert_int_equal(c.gate.gone, THREADS);
	gate_fini(&c.gate);
}

static void gate_does_not_wait_for_who_is_gone(void **state)
{
	struct crowd c;

	(void)state;
	gate_init(&c.gate);
	crowd_start(&c, 3);
	crowd_join(&c);
	gate_close(&c.gate);
	gate_wait(&c.gate, THREADS);
	assert_int_equal(c.passed, 3 * THREADS);
	gate_fini(&c.gate);
}

static void gate_ends_who_waits_when_abandoned(void **state)
{
	struct crowd c;

	(void)state;
	gate_init(&c.gate);
	gate_close(&c.gate);
	crowd_start(&c, 1);
	gate_wait(&c.gate, THREADS);
	assert_int_equal(c.passed, 0);
	gate_abandon(&c.gate);
	crowd_join(&c);
	assert_int_equal(c.passed, 0);
	gate_fini(&c.gate);
}

static void gate_dismisses_one_that_waits(void **state)
{
	struct crowd c;

	(void)state;
	gate_init(&c.gate);
	gate_close(&c.gate);
	crowd_start(&c, ~0u);
	gate_wait(&c.gate, THREADS);
	gate_dismiss(&c.gate, &c.dismissed);
	crowd_join(&c);
	assert_int_equal(c.gate.gone, THREADS);
	assert_int_equal(c.passed, 0);
	gate_wait(&c.gate, THREADS); /* they count */
	gate_fini(&c.gate);
}

static void gate_dismisses_one_that_passes(void **state)
{
	struct crowd c;

	(void)state;
	gate_init(&c.gate);
	crowd_start(&c, ~0u);
	gate_wait_entered(&c.gate, THREADS);
	gate_dismiss(&c.gate, &c.dismissed);
	crowd_join(&c);
	assert_int_equal(c.gate.gone, THREADS);
	gate_fini(&c.gate);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(gate_holds_everybody_while_closed),
	cmocka_unit_test(gate_does_not_wait_for_who_is_gone),
	cmocka_unit_test(gate_ends_who_waits_when_abandoned),
	cmocka_unit_test(gate_dismisses_one_that_waits),
	cmocka_unit_test(gate_dismisses_one_that_passes),
};

UNIT_MAIN(tests)
