/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/removals.h"

#include "base/loop.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

struct rig {
	struct loop *loop;
	struct removals *removals;
	char late[256]; /* ids, each with a space behind */
};

static void on_late(void *ctx, const char *id)
{
	struct rig *r = ctx;
	size_t n = strlen(r->late);

	snprintf(r->late + n, sizeof(r->late) - n, "%s ", id);
}

static void rig_init(struct rig *r, uint64_t bound_ms)
{
	struct err e = ERR_INIT;
	struct removals_desc desc = {.bound_ms = bound_ms, .late = on_late, .ctx = r};

	*r = (struct rig){0};
	assert_int_equal(loop_create(&r->loop, &e), 0);
	desc.loop = r->loop;
	assert_int_equal(removals_create(&r->removals, &desc, &e), 0);
}

static void rig_fini(struct rig *r)
{
	removals_destroy(r->removals);
	loop_destroy(r->loop);
}

static void removals_tell_of_the_late_once(void **state)
{
	struct rig r;

	(void)state;
	rig_init(&r, 1);
	removals_await(r.removals, "disk0");
	removals_await(r.removals, "disk1");
	removals_await(r.removals, "net0");
	removals_done(r.removals, "disk1");
	removals_done(r.removals, "never asked");
	while (strlen(r.late) < strlen("disk0 net0 "))
		assert_int_equal(loop_run_once(r.loop, 1000), 0);
	assert_string_equal(r.late, "disk0 net0 ");
	assert_int_equal(loop_run_once(r.loop, 5), 0);
	removals_await(r.removals, "disk0");
	while (strlen(r.late) < strlen("disk0 net0 disk0 "))
		assert_int_equal(loop_run_once(r.loop, 1000), 0);
	rig_fini(&r);
}

static void removals_forget_what_is_done_or_cleared(void **state)
{
	struct rig r;
	char id[16];

	(void)state;
	rig_init(&r, 2);
	for (unsigned int i = 0; i < REMOVALS_MAX + 5; i++) {
		snprintf(id, sizeof(id), "d%u", i);
		removals_await(r.removals, id);
	}
	removals_clear(r.removals);
	removals_await(r.removals, "disk0");
	removals_done(r.removals, "disk0");
	assert_int_equal(loop_run_once(r.loop, 10), 0);
	assert_string_equal(r.late, "");
	rig_fini(&r);
}

static void removals_give_more_time_when_asked_again(void **state)
{
	struct rig r;

	(void)state;
	rig_init(&r, 1000000);
	removals_await(r.removals, "a");
	removals_await(r.removals, "a");
	removals_done(r.removals, "a"); /* one entry, not two */
	removals_destroy(r.removals);
	r.removals = NULL;
	assert_string_equal(r.late, "");
	rig_fini(&r);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(removals_tell_of_the_late_once),
	cmocka_unit_test(removals_forget_what_is_done_or_cleared),
	cmocka_unit_test(removals_give_more_time_when_asked_again),
};
UNIT_MAIN(tests)
