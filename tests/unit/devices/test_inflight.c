/* SPDX-License-Identifier: Apache-2.0 */
#include "devices/back/inflight.h"

#include "devices/wire/vhost_user_inflight.h"
#include "tests/unit/unit.h"

#include <string.h>

#define NUM 8

/* A record, and a device process that uses it until it dies: that is, until begin() is next. */
struct fixture {
	uint64_t memory[64];
	struct inflight f;
	uint16_t left; /* chains of the dead, of the last begin() */
};

/* What virtq.c does to a record; test_virtq.c has it die between any two of its instructions. */
static void mark(struct inflight *f, uint16_t head)
{
	f->split->desc[head].counter = f->counter++;
	f->split->desc[head].inflight = 1;
}

static void batch(struct inflight *f, uint16_t head)
{
	f->split->desc[head].next = f->split->last_batch_head;
	f->split->last_batch_head = head;
}

static bool begin(struct fixture *x, uint16_t used)
{
	x->f = (struct inflight){.split = (struct vhost_user_inflight_queue *)x->memory};
	return inflight_begin(&x->f, NUM, used, &x->left);
}

static void take(struct fixture *x, const uint16_t *heads, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		mark(&x->f, heads[i]);
}

static void expect_again(struct fixture *x, const uint16_t *heads, uint16_t n)
{
	uint16_t head;

	assert_int_equal(x->left, n);
	for (uint16_t i = 0; i < n; i++) {
		assert_true(inflight_left(&x->f));
		assert_true(inflight_next(&x->f, &head));
		assert_int_equal(head, heads[i]);
	}
	assert_false(inflight_next(&x->f, &head));
	assert_false(inflight_left(&x->f));
}

static void inflight_keeps_chains_in_order_when_process_dies(void **state)
{
	struct fixture x = {0};

	(void)state;
	assert_false(begin(&x, 5));
	expect_again(&x, NULL, 0);
	take(&x, (uint16_t[]){6, 1, 3}, 3);
	assert_true(begin(&x, 5));
	expect_again(&x, (uint16_t[]){6, 1, 3}, 3);
	/* The next process takes one more, and dies as well. */
	take(&x, (uint16_t[]){0}, 1);
	assert_true(begin(&x, 5));
	expect_again(&x, (uint16_t[]){6, 1, 3, 0}, 4);
}

/* A batch of two is finished; the process dies after each of the steps in turn. */
static void inflight_finishes_a_batch_at_every_step(void **state)
{
	static const uint16_t taken[] = {4, 2, 7}, finished[] = {2, 4}, rest[] = {7};

	(void)state;
	for (unsigned int step = 0; step <= 6; step++) {
		struct fixture x = {0};
		bool announced = step > 2;

		begin(&x, UINT16_MAX);
		take(&x, taken, 3);
		for (unsigned int i = 0; i < 2 && step > i; i++)
			batch(&x.f, finished[i]);
		/* step 3: the used index goes out, from 65535 to 1 */
		for (unsigned int i = 0; i < 2 && step > 3 + i; i++)
			x.f.split->desc[finished[i]].inflight = 0;
		if (step > 5)
			x.f.split->used_idx = 1;
		assert_true(begin(&x, announced ? 1 : UINT16_MAX));
		if (announced)
			expect_again(&x, rest, 1);
		else
			expect_again(&x, taken, 3);
	}
}

static void inflight_undoes_the_last_chain(void **state)
{
	struct fixture x = {0};
	uint16_t head;

	(void)state;
	begin(&x, 0);
	take(&x, (uint16_t[]){5, 1}, 2);
	assert_false(inflight_undo(&x.f, 1));
	begin(&x, 0);
	assert_int_equal(x.left, 1);
	/* One of the dead's is given back, and comes again. */
	assert_true(inflight_next(&x.f, &head));
	assert_true(inflight_undo(&x.f, head));
	assert_true(inflight_left(&x.f));
	expect_again(&x, (uint16_t[]){5}, 1);
	/* A new one is given back before one of the dead's. */
	take(&x, (uint16_t[]){3}, 1);
	assert_false(inflight_undo(&x.f, 3));
	assert_true(inflight_undo(&x.f, 5));
	expect_again(&x, (uint16_t[]){5}, 1);
}

static void inflight_begins_anew_when_ring_has_another_size(void **state)
{
	struct fixture x = {0};

	(void)state;
	begin(&x, 0);
	take(&x, (uint16_t[]){5}, 1);
	x.f.num = NUM / 2;
	assert_false(inflight_begin(&x.f, NUM / 2, 0, &x.left));
	assert_int_equal(x.left, 0);
	assert_false(inflight_left(&x.f));
}

/* Whatever is in the record, there is an end, and no head is out of range. */
static void inflight_survives_garbage(void **state)
{
	uint32_t random = 1;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		struct fixture x;
		uint8_t *bytes = (uint8_t *)x.memory;
		struct vhost_user_inflight_queue *q = (void *)x.memory;
		uint16_t head, n = 0;

		for (size_t at = 0; at < sizeof(x.memory); at++) {
			random = random * 1103515245u + 12345u;
			bytes[at] = (uint8_t)(random >> 16 & (i & 1 ? 0xff : 0x83));
		}
		q->version = VHOST_USER_INFLIGHT_VERSION;
		q->desc_num = NUM;
		begin(&x, (uint16_t)random);
		assert_true(x.left <= NUM);
		while (inflight_next(&x.f, &head)) {
			assert_true(head < NUM && n++ < NUM);
			batch(&x.f, head);
			x.f.split->desc[head].inflight = 0;
		}
		assert_false(inflight_left(&x.f));
	}
}

static void inflight_does_nothing_without_memory(void **state)
{
	struct inflight f = {0};
	uint16_t n, head;

	(void)state;
	assert_false(inflight_begin(&f, NUM, 0, &n));
	assert_false(inflight_undo(&f, 1));
	assert_false(inflight_next(&f, &head));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(inflight_keeps_chains_in_order_when_process_dies),
		cmocka_unit_test(inflight_finishes_a_batch_at_every_step),
		cmocka_unit_test(inflight_undoes_the_last_chain),
		cmocka_unit_test(inflight_begins_anew_when_ring_has_another_size),
		cmocka_unit_test(inflight_survives_garbage),
		cmocka_unit_test(inflight_does_nothing_without_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
