/* SPDX-License-Identifier: Apache-2.0 */
#include "memory/layout.h"
#include "memory/ledger.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAGES(n) ((uint64_t)(n) * PAGE_SIZE)
#define ALL      (MIB(64) / PAGE_SIZE)

static struct ledger *ledger_up(uint64_t ram, bool all_shared, uint64_t budget)
{
	struct err e = ERR_INIT;
	struct layout layout;
	struct ledger *ledger;

	assert_int_equal(layout_init(&layout, ram, &e), 0);
	assert_int_equal(ledger_create(&ledger, &layout, all_shared, budget, &e), 0);
	return ledger;
}

/* What ledger_run() walks over. */
struct walk {
	bool shared;
	gpa_t gpa;
	uint64_t len;
};

static struct walk walk_of(bool shared, uint64_t first, uint64_t count)
{
	return (struct walk){shared, gpa_of(PAGES(first)), PAGES(count)};
}

/* expect_run() - the next run of the walk, in pages. */
static void expect_run(struct ledger_locked l, struct walk *w, uint64_t first, uint64_t count)
{
	uint64_t run_len;
	gpa_t run;

	assert_true(ledger_run(l, w->shared, &w->gpa, &w->len, &run, &run_len));
	assert_int_equal(run.v, PAGES(first));
	assert_int_equal(run_len, PAGES(count));
}

static void expect_end(struct ledger_locked l, struct walk *w)
{
	uint64_t run_len;
	gpa_t run;

	assert_false(ledger_run(l, w->shared, &w->gpa, &w->len, &run, &run_len));
}

static void ledger_starts_all_private(void **state)
{
	struct ledger *ledger = ledger_up(GIB(6), false, MIB(64));
	struct ledger_counts c = ledger_counts(ledger);
	struct stat st;

	(void)state;
	assert_int_equal(c.ram, GIB(6));
	assert_int_equal(c.budget, MIB(64));
	assert_int_equal(c.shared + c.peak + c.conversions + c.refused, 0);
	assert_int_equal(fstat(ledger_device_fd(ledger), &st), 0);
	/* a bit per page up to the end at 7 GiB, after the header; only the header has a page */
	assert_int_equal(st.st_size, PAGE_SIZE + GIB(7) / PAGE_SIZE / 8);
	assert_int_equal(st.st_blocks * 512, PAGE_SIZE);
	ledger_destroy(ledger);
}

static void ledger_of_level_off_shares_all_and_keeps_no_bit(void **state)
{
	struct ledger *ledger = ledger_up(MIB(64), true, 0);
	struct ledger_locked l = ledger_lock(ledger);
	struct walk w = walk_of(true, 0, ALL);
	struct stat st;

	(void)state;
	expect_end(l, &w);
	assert_true(ledger_room(l, gpa_of(0), MIB(64)));
	ledger_unlock(l);
	assert_int_equal(ledger_counts(ledger).shared, MIB(64));
	assert_int_equal(fstat(ledger_device_fd(ledger), &st), 0);
	assert_int_equal(st.st_size, PAGE_SIZE);
	ledger_destroy(ledger);
}

static void ledger_finds_runs_at_every_edge(void **state)
{
	/* around bytes and 64-bit words, one page and many */
	static const struct {
		uint64_t first, count;
	} runs[] = {{0, 1}, {7, 2}, {63, 1}, {64, 64}, {127, 2}, {100, 300}, {511, 1}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(runs); i++) {
		struct ledger *ledger = ledger_up(MIB(64), false, MIB(64));
		struct ledger_locked l = ledger_lock(ledger);
		uint64_t first = runs[i].first, count = runs[i].count;
		struct walk w = walk_of(false, 0, ALL);

		ledger_set(l, gpa_of(PAGES(first)), PAGES(count), true);
		expect_run(l, &w, first, count);
		expect_end(l, &w);
		w = walk_of(true, 0, ALL);
		if (first)
			expect_run(l, &w, 0, first);
		expect_run(l, &w, first + count, ALL - first - count);
		expect_end(l, &w);
		ledger_set(l, gpa_of(PAGES(first)), PAGES(count), false);
		ledger_unlock(l);
		assert_int_equal(ledger_counts(ledger).shared, 0);
		assert_int_equal(ledger_counts(ledger).peak, PAGES(count));
		ledger_destroy(ledger);
	}
}

static void ledger_looks_only_inside_the_range(void **state)
{
	struct ledger *ledger = ledger_up(MIB(64), false, MIB(64));
	struct ledger_locked l = ledger_lock(ledger);
	struct walk w = walk_of(false, 100, 10);

	(void)state;
	ledger_set(l, gpa_of(PAGES(90)), PAGES(10), true);
	ledger_set(l, gpa_of(PAGES(110)), PAGES(10), true);
	expect_end(l, &w);
	w = walk_of(false, 95, 20);
	expect_run(l, &w, 95, 5);
	expect_run(l, &w, 110, 5);
	assert_int_equal(w.len, 0);
	w = walk_of(true, 128, 63); /* a word, but for its last page */
	expect_run(l, &w, 128, 63);
	assert_int_equal(w.gpa.v, PAGES(191));
	ledger_unlock(l);
	ledger_destroy(ledger);
}

static void ledger_counts_only_private_pages_against_the_budget(void **state)
{
	struct ledger *ledger = ledger_up(MIB(64), false, PAGES(10));
	struct ledger_locked l = ledger_lock(ledger);

	(void)state;
	assert_true(ledger_room(l, gpa_of(0), PAGES(10)));
	assert_false(ledger_room(l, gpa_of(0), PAGES(11)));
	ledger_set(l, gpa_of(PAGES(4)), PAGES(4), true);
	assert_true(ledger_room(l, gpa_of(0), PAGES(10))); /* six of them are new */
	assert_false(ledger_room(l, gpa_of(0), PAGES(11)));
	assert_true(ledger_room(l, gpa_of(PAGES(20)), PAGES(6)));
	assert_false(ledger_room(l, gpa_of(PAGES(20)), PAGES(7)));
	ledger_count(l, true, false);
	ledger_count(l, false, true);
	ledger_count(l, false, false);
	ledger_unlock(l);
	assert_int_equal(ledger_counts(ledger).conversions, 1);
	assert_int_equal(ledger_counts(ledger).refused, 1);
	ledger_destroy(ledger);
}

static void ledger_descriptor_closes_on_exec_and_is_sealed(void **state)
{
	struct ledger *ledger = ledger_up(MIB(64), false, MIB(64));
	int fd = ledger_device_fd(ledger);

	(void)state;
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(fcntl(fd, F_GET_SEALS),
		F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL);
	assert_int_equal(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096), -1);
	ledger_destroy(ledger);
	ledger_destroy(NULL);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(ledger_starts_all_private),
	cmocka_unit_test(ledger_of_level_off_shares_all_and_keeps_no_bit),
	cmocka_unit_test(ledger_finds_runs_at_every_edge),
	cmocka_unit_test(ledger_looks_only_inside_the_range),
	cmocka_unit_test(ledger_counts_only_private_pages_against_the_budget),
	cmocka_unit_test(ledger_descriptor_closes_on_exec_and_is_sealed),
};
UNIT_MAIN(tests)
