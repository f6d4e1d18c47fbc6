/* SPDX-License-Identifier: Apache-2.0 */
#include "base/fd.h"
#include "base/loop.h"
#include "tests/unit/unit.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>

struct fixture {
	struct loop *loop;
	struct loop_source a, b;
	int hits;
};

static void hit_and_remove_both(void *ctx, uint32_t events)
{
	struct fixture *f = ctx;

	(void)events;
	f->hits++;
	loop_remove(f->loop, &f->a);
	loop_remove(f->loop, &f->b);
	loop_stop(f->loop);
}

static void loop_skips_source_removed_in_same_batch(void **state)
{
	struct fixture f = {0};
	struct err e = ERR_INIT;

	(void)state;
	f.a = (struct loop_source){.fd = eventfd(1, 0), .fn = hit_and_remove_both, .ctx = &f};
	f.b = (struct loop_source){.fd = eventfd(1, 0), .fn = hit_and_remove_both, .ctx = &f};
	assert_int_equal(loop_create(&f.loop, &e), 0);
	assert_int_equal(loop_add(f.loop, &f.a, EPOLLIN, &e), 0);
	assert_int_equal(loop_add(f.loop, &f.b, EPOLLIN, &e), 0);
	assert_int_equal(loop_run(f.loop), 0);
	assert_int_equal(f.hits, 1);
	loop_destroy(f.loop);
	fd_drop(&f.a.fd);
	fd_drop(&f.b.fd);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(loop_skips_source_removed_in_same_batch),
};
UNIT_MAIN(tests)
