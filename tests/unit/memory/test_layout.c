/* SPDX-License-Identifier: Apache-2.0 */
#include "memory/layout.h"
#include "tests/unit/unit.h"

#include <errno.h>

static struct layout layout_up(uint64_t ram)
{
	struct err e = ERR_INIT;
	struct layout layout;

	assert_int_equal(layout_init(&layout, ram, &e), 0);
	assert_int_equal(layout.ram, ram);
	return layout;
}

static void layout_has_one_range_up_to_the_hole(void **state)
{
	static const uint64_t sizes[] = {LAYOUT_MIN_RAM, MIB(17), MIB(512), LAYOUT_HOLE_START};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct layout layout = layout_up(sizes[i]);

		assert_int_equal(layout.n_ranges, 1);
		assert_int_equal(layout.ranges[0].gpa.v, 0);
		assert_int_equal(layout.ranges[0].len, sizes[i]);
		assert_int_equal(layout.end.v, sizes[i]);
	}
}

static void layout_goes_on_above_the_hole(void **state)
{
	static const uint64_t sizes[] = {LAYOUT_HOLE_START + MIB(1), GIB(8), UINT64_C(1) << 45};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct layout layout = layout_up(sizes[i]);

		assert_int_equal(layout.n_ranges, 2);
		assert_int_equal(layout.ranges[0].len, LAYOUT_HOLE_START);
		assert_int_equal(layout.ranges[1].gpa.v, LAYOUT_HOLE_END);
		assert_int_equal(layout.ranges[0].len + layout.ranges[1].len, sizes[i]);
		assert_int_equal(layout.end.v, LAYOUT_HOLE_END + layout.ranges[1].len);
	}
}

static void layout_refuses_odd_sizes(void **state)
{
	static const uint64_t sizes[] = {0, 1, 4096, LAYOUT_MIN_RAM - MIB(1), MIB(32) + 4096,
		(UINT64_C(1) << 45) + MIB(1), UINT64_MAX, UINT64_MAX - MIB(1) + 1};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct err e = ERR_INIT;
		struct layout layout;

		assert_int_equal(layout_init(&layout, sizes[i], &e), -EINVAL);
		assert_int_equal(e.code, EINVAL);
	}
}

static void layout_avoids_what_has_ram_in_it(void **state)
{
	struct layout layout;
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(layout_init(&layout, GIB(6), &e), 0);
	assert_true(layout_avoids(&layout, gpa_of(LAYOUT_HOLE_START), GIB(1)));
	assert_true(layout_avoids(&layout, gpa_of(GIB(7)), 4096));
	assert_false(layout_avoids(&layout, gpa_of(LAYOUT_HOLE_START - 1), 2));
	assert_false(layout_avoids(&layout, gpa_of(LAYOUT_HOLE_START), GIB(1) + 1));
	assert_false(layout_avoids(&layout, gpa_of(GIB(7)), 0));
	assert_false(layout_avoids(&layout, gpa_of(GIB(8)), UINT64_MAX));
}

static void layout_contains_only_what_is_in_one_range(void **state)
{
	struct layout layout = layout_up(GIB(6));

	(void)state;
	assert_true(layout_contains(&layout, gpa_of(0), 1));
	assert_true(layout_contains(&layout, gpa_of(0), LAYOUT_HOLE_START));
	assert_true(layout_contains(&layout, gpa_of(LAYOUT_HOLE_END), GIB(3)));
	assert_true(layout_contains(&layout, gpa_of(GIB(7) - 1), 1));
	assert_false(layout_contains(&layout, gpa_of(0), 0));
	assert_false(layout_contains(&layout, gpa_of(0), LAYOUT_HOLE_START + 1));
	assert_false(layout_contains(&layout, gpa_of(LAYOUT_HOLE_START), 1));
	assert_false(layout_contains(&layout, gpa_of(LAYOUT_HOLE_END - 1), 2));
	assert_false(layout_contains(&layout, gpa_of(0), GIB(7)));
	assert_false(layout_contains(&layout, gpa_of(GIB(7)), 1));
	assert_false(layout_contains(&layout, gpa_of(UINT64_MAX), 2));
	assert_false(layout_contains(&layout, gpa_of(4096), UINT64_MAX));
}

static void layout_reserves_room_above_ram(void **state)
{
	struct layout layout = layout_up(GIB(1)), as_it_was = layout;
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(layout_reserve(&layout, MIB(127), &e), 0);
	assert_memory_equal(&layout, &as_it_was, sizeof(layout));
	assert_int_equal(layout_reserve(&layout, MIB(300), &e), 0);
	assert_int_equal(layout.plug.gpa.v, GIB(4)); /* not in the hole */
	assert_int_equal(layout.plug.len, MIB(256));
	assert_int_equal(layout.end.v, GIB(4) + MIB(256));
	assert_int_equal(layout.ram, GIB(1));
	assert_true(layout_contains(&layout, gpa_of(GIB(4)), MIB(256)));
	assert_false(layout_contains(&layout, gpa_of(GIB(4)), MIB(257)));
	assert_false(layout_avoids(&layout, gpa_of(GIB(4) + 1), 1));
	assert_true(layout_avoids(&layout, gpa_of(GIB(4) - 1), 1));
	layout = layout_up(GIB(4));
	assert_int_equal(layout_reserve(&layout, GIB(8), &e), 0);
	assert_int_equal(layout.plug.gpa.v, GIB(6)); /* aligned */
	layout = layout_up(GIB(1));
	assert_int_equal(layout_reserve(&layout, UINT64_MAX, &e), -EINVAL);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(layout_has_one_range_up_to_the_hole),
	cmocka_unit_test(layout_goes_on_above_the_hole),
	cmocka_unit_test(layout_refuses_odd_sizes),
	cmocka_unit_test(layout_avoids_what_has_ram_in_it),
	cmocka_unit_test(layout_reserves_room_above_ram),
	cmocka_unit_test(layout_contains_only_what_is_in_one_range),
};
UNIT_MAIN(tests)
