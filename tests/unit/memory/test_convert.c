/* SPDX-License-Identifier: Apache-2.0 */
#include "memory/convert.h"
#include "memory/layout.h"
#include "memory/ledger.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* What the fake backing was asked, one letter per call: p/s attribute, P/S side discarded. */
struct fixture {
	struct layout layout;
	struct ledger *ledger;
	struct converter converter;
	char log[64];
	int attribute_rc, discard_rc;
	uint64_t last_gpa, last_len;
};

static int fake_attribute(void *ctx, gpa_t gpa, uint64_t len, bool private)
{
	struct fixture *f = ctx;

	f->last_gpa = gpa.v;
	f->last_len = len;
	strcat(f->log, private ? "p" : "s");
	return f->attribute_rc;
}

static int fake_discard(void *ctx, gpa_t gpa, uint64_t len, bool private_side)
{
	struct fixture *f = ctx;

	f->last_gpa = gpa.v;
	f->last_len = len;
	strcat(f->log, private_side ? "P" : "S");
	return f->discard_rc;
}

static int discard_nothing(void *ctx, gpa_t gpa, uint64_t len, bool private_side)
{
	(void)ctx, (void)gpa, (void)len, (void)private_side;
	return 0;
}

static const struct convert_ops quiet_ops = {.discard = discard_nothing};
static const struct convert_ops ops = {.set_private = fake_attribute, .discard = fake_discard};

static void fixture_up(struct fixture *f, uint64_t ram, uint64_t budget)
{
	struct err e = ERR_INIT;

	memset(f, 0, sizeof(*f));
	assert_int_equal(layout_init(&f->layout, ram, &e), 0);
	assert_int_equal(ledger_create(&f->ledger, &f->layout, false, budget, &e), 0);
	f->converter = (struct converter){&f->layout, f->ledger, &ops, f};
}

static bool device_sees(struct fixture *f, uint64_t gpa, uint64_t len)
{
	struct ledger_map map;
	struct err e = ERR_INIT;
	bool shared;

	assert_int_equal(ledger_map_open(&map, ledger_device_fd(f->ledger), &e), 0);
	shared = ledger_map_shared(&map, gpa_of(gpa), len);
	ledger_map_close(&map);
	return shared;
}

static int share(struct fixture *f, uint64_t gpa, uint64_t len)
{
	return convert(&f->converter, gpa_of(gpa), len, true);
}

static int hide(struct fixture *f, uint64_t gpa, uint64_t len)
{
	return convert(&f->converter, gpa_of(gpa), len, false);
}

static void convert_shares_and_hides_in_safe_order(void **state)
{
	struct fixture f;

	(void)state;
	fixture_up(&f, MIB(64), MIB(8));
	assert_int_equal(share(&f, MIB(2), MIB(1)), 0);
	assert_string_equal(f.log, "sP");
	assert_true(device_sees(&f, MIB(2), MIB(1)));
	assert_false(device_sees(&f, MIB(2) - 4096, 8192));
	assert_int_equal(ledger_counts(f.ledger).shared, MIB(1));
	assert_int_equal(hide(&f, MIB(2), MIB(1)), 0);
	assert_string_equal(f.log, "sPpS");
	assert_false(device_sees(&f, MIB(2), 1));
	assert_int_equal(ledger_counts(f.ledger).shared, 0);
	assert_int_equal(ledger_counts(f.ledger).peak, MIB(1));
	assert_int_equal(ledger_counts(f.ledger).conversions, 2);
	ledger_destroy(f.ledger);
}

static void convert_treats_the_first_mib_as_the_rest_with_one_gpa(void **state)
{
	struct fixture f;

	(void)state;
	fixture_up(&f, MIB(64), MIB(8));
	f.converter.one_gpa = true;
	assert_int_equal(share(&f, 0, 8192), 0);
	assert_string_equal(f.log, "sP");
	assert_int_equal(hide(&f, 0, 8192), 0);
	assert_string_equal(f.log, "sPpS");
	/* what is no RAM at all may be shared, which does nothing */
	assert_int_equal(share(&f, MIB(64), MIB(1)), 0);
	assert_int_equal(share(&f, 0xfec00000, 4096), 0);
	assert_int_equal(hide(&f, 0xfec00000, 4096), -EINVAL);
	assert_int_equal(share(&f, MIB(64) - 4096, 8192), -EINVAL);
	assert_int_equal(share(&f, UINT64_MAX - 4095, 8192), -EINVAL);
	assert_string_equal(f.log, "sPpS");
	ledger_destroy(f.ledger);
}

static void convert_leaves_pages_in_wanted_state_alone(void **state)
{
	struct fixture f;

	(void)state;
	fixture_up(&f, MIB(64), MIB(8));
	assert_int_equal(hide(&f, 0, MIB(64)), 0); /* what Linux asks at its start */
	assert_string_equal(f.log, "");
	assert_int_equal(share(&f, MIB(2), 8192), 0);
	assert_int_equal(share(&f, MIB(2), 8192), 0);
	assert_string_equal(f.log, "sP");
	/* only the hole in the middle changes */
	assert_int_equal(share(&f, MIB(2) + 16384, 4096), 0);
	assert_int_equal(share(&f, MIB(2), 20480), 0);
	assert_int_equal(f.last_gpa, MIB(2) + 8192);
	assert_int_equal(f.last_len, 8192);
	assert_int_equal(ledger_counts(f.ledger).shared, 20480);
	ledger_destroy(f.ledger);
}

static void convert_refuses_bad_ranges(void **state)
{
	struct fixture f;
	static const struct {
		uint64_t gpa, len;
	} bad[] = {
		{MIB(2), 0}, {MIB(2) + 1, 4096}, {MIB(2), 4095}, {MIB(64), 4096},
		{MIB(64) - 4096, 8192}, {UINT64_MAX - 4095, 4096}, {UINT64_MAX - 4095, 8192},
		{0, UINT64_MAX - 4095}, {GIB(1) << 30, 4096},
	};

	(void)state;
	fixture_up(&f, MIB(64), MIB(8));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(share(&f, bad[i].gpa, bad[i].len), -EINVAL);
		assert_int_equal(hide(&f, bad[i].gpa, bad[i].len), -EINVAL);
	}
	assert_int_equal(share(&f, MIB(1) - 4096, 4096), -EINVAL); /* the trampoline stays private */
	assert_int_equal(hide(&f, MIB(1) - 4096, 4096), 0);
	assert_string_equal(f.log, "");
	assert_int_equal(ledger_counts(f.ledger).refused, 2 * ARRAY_SIZE(bad) + 1);
	ledger_destroy(f.ledger);
}

static void convert_refuses_ranges_across_hole(void **state)
{
	struct fixture f;

	(void)state;
	fixture_up(&f, GIB(6), GIB(6));
	assert_int_equal(share(&f, LAYOUT_HOLE_START - 4096, 8192), -EINVAL);
	assert_int_equal(share(&f, LAYOUT_HOLE_START, 4096), -EINVAL);
	assert_int_equal(share(&f, LAYOUT_HOLE_START - 4096, 4096), 0);
	assert_int_equal(share(&f, LAYOUT_HOLE_END, 4096), 0);
	assert_int_equal(share(&f, GIB(7) - 4096, 4096), 0);
	assert_int_equal(share(&f, GIB(7) - 4096, 8192), -EINVAL);
	assert_true(device_sees(&f, GIB(7) - 4096, 4096));
	ledger_destroy(f.ledger);
}

static void convert_keeps_budget_and_changes_nothing_beyond(void **state)
{
	struct fixture f;

	(void)state;
	fixture_up(&f, MIB(64), 16384);
	assert_int_equal(share(&f, MIB(2), 12288), 0);
	f.log[0] = '\0';
	assert_int_equal(share(&f, MIB(3), 8192), -ENOSPC);
	assert_string_equal(f.log, "");
	assert_int_equal(share(&f, MIB(2), 16384), 0); /* three of the four are shared already */
	assert_int_equal(share(&f, MIB(4), 4096), -ENOSPC);
	assert_int_equal(hide(&f, MIB(2), 4096), 0);
	assert_int_equal(share(&f, MIB(4), 4096), 0);
	assert_int_equal(ledger_counts(f.ledger).peak, 16384);
	ledger_destroy(f.ledger);
}

static void convert_rolls_ledger_back_when_kernel_refuses(void **state)
{
	struct fixture f;

	(void)state;
	fixture_up(&f, MIB(64), MIB(8));
	f.attribute_rc = -ENOMEM;
	assert_int_equal(share(&f, MIB(2), 4096), -ENOMEM);
	assert_false(device_sees(&f, MIB(2), 4096));
	f.attribute_rc = 0;
	assert_int_equal(share(&f, MIB(2), 4096), 0);
	f.attribute_rc = -ENOMEM;
	assert_int_equal(hide(&f, MIB(2), 4096), -ENOMEM);
	assert_true(device_sees(&f, MIB(2), 4096));
	assert_int_equal(ledger_counts(f.ledger).shared, 4096);
	assert_int_equal(ledger_counts(f.ledger).peak, 4096);
	ledger_destroy(f.ledger);
}

static void ledger_descriptor_is_read_only_for_devices(void **state)
{
	struct fixture f;
	uint64_t zero = 0;

	(void)state;
	fixture_up(&f, MIB(64), MIB(8));
	assert_int_equal(pwrite(ledger_device_fd(f.ledger), &zero, 8, 4096), -1);
	assert_int_equal(ftruncate(ledger_device_fd(f.ledger), 4096), -1);
	ledger_destroy(f.ledger);
}

/* Random conversions against a plain array of bools. */
static void convert_agrees_with_simple_model(void **state)
{
	enum { PAGES = 4096, FIRST = 256 };
	static bool model[PAGES];
	struct fixture f;
	uint64_t seed = 42;

	(void)state;
	memset(model, 0, sizeof(model));
	fixture_up(&f, (uint64_t)PAGES << PAGE_SHIFT, MIB(16));
	f.converter.ops = &quiet_ops;
	for (int i = 0; i < 3000; i++) {
		uint64_t page, n;
		bool shared;

		seed = seed * 6364136223846793005u + 1442695040888963407u;
		page = FIRST + (seed >> 33) % (PAGES - FIRST);
		n = 1 + (seed >> 20) % 200;
		n = min_u64(n, PAGES - page);
		shared = seed >> 63;
		for (uint64_t p = page; p < page + n; p++)
			model[p] = shared;
		assert_int_equal(convert(&f.converter, gpa_of(page << 12), n << 12, shared), 0);
	}
	for (uint64_t p = 0; p < PAGES; p++)
		assert_int_equal(device_sees(&f, p << 12, 4096), model[p]);
	ledger_destroy(f.ledger);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(convert_shares_and_hides_in_safe_order),
	cmocka_unit_test(convert_treats_the_first_mib_as_the_rest_with_one_gpa),
	cmocka_unit_test(convert_leaves_pages_in_wanted_state_alone),
	cmocka_unit_test(convert_refuses_bad_ranges),
	cmocka_unit_test(convert_refuses_ranges_across_hole),
	cmocka_unit_test(convert_keeps_budget_and_changes_nothing_beyond),
	cmocka_unit_test(convert_rolls_ledger_back_when_kernel_refuses),
	cmocka_unit_test(ledger_descriptor_is_read_only_for_devices),
	cmocka_unit_test(convert_agrees_with_simple_model),
};
UNIT_MAIN(tests)
