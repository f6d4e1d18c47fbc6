/* SPDX-License-Identifier: Apache-2.0 */
#include "devices/front/rtc.h"

#include "tests/unit/unit.h"

#define PORT 0x70

/* 2026-11-22 23:59:58 UTC, a Sunday; a test moves it. */
static time_t clock_now;

static time_t test_now(void)
{
	return clock_now;
}

struct fixture {
	struct bus *bus;
	struct rtc *rtc;
};

static int setup(void **state)
{
	static struct fixture f;
	struct err e = ERR_INIT;

	clock_now = 1795391998;
	assert_int_equal(bus_create(&f.bus, &e), 0);
	assert_int_equal(rtc_create(&f.rtc, &(struct rtc_desc){f.bus, PORT, test_now}, &e), 0);
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	rtc_destroy(f->rtc);
	bus_destroy(f->bus);
	return 0;
}

static uint8_t cmos(struct fixture *f, uint8_t index)
{
	uint8_t v;

	bus_write(f->bus, BUS_PORT, PORT, &index, 1);
	bus_read(f->bus, BUS_PORT, PORT + 1, &v, 1);
	return v;
}

static void rtc_tells_the_time_in_bcd(void **state)
{
	static const uint8_t want[][2] = {{0, 0x58}, {2, 0x59}, {4, 0x23}, {6, 0x01}, {7, 0x22},
		{8, 0x11}, {9, 0x26}, {RTC_CENTURY, 0x20}};

	for (size_t i = 0; i < ARRAY_SIZE(want); i++)
		assert_int_equal(cmos(*state, want[i][0]), want[i][1]);
}

static void rtc_keeps_one_moment_until_seconds_are_read(void **state)
{
	assert_int_equal(cmos(*state, 0), 0x58);
	clock_now += 2;
	assert_int_equal(cmos(*state, 2), 0x59);
	assert_int_equal(cmos(*state, 7), 0x22);
	assert_int_equal(cmos(*state, 0), 0x00);
	assert_int_equal(cmos(*state, 2), 0x00);
	assert_int_equal(cmos(*state, 7), 0x23);
}

static void rtc_never_has_an_update_in_progress(void **state)
{
	for (int i = 0; i < 100; i++) {
		clock_now++;
		assert_int_equal(cmos(*state, 10) & 0x80, 0);
	}
	assert_int_equal(cmos(*state, 11), 0x02);
	assert_int_equal(cmos(*state, 12), 0);
	assert_int_equal(cmos(*state, 13), 0x80);
}

static void rtc_keeps_cmos_bytes_but_not_time(void **state)
{
	struct fixture *f = *state;
	uint8_t index = 0x80 | 0x0f, v = 0x5a;

	bus_write(f->bus, BUS_PORT, PORT, &index, 1);
	bus_write(f->bus, BUS_PORT, PORT + 1, &v, 1);
	assert_int_equal(cmos(f, 0x0f), 0x5a);
	index = 0;
	bus_write(f->bus, BUS_PORT, PORT, &index, 1);
	bus_write(f->bus, BUS_PORT, PORT + 1, &v, 1);
	assert_int_equal(cmos(f, 0), 0x58);
	bus_read(f->bus, BUS_PORT, PORT, &v, 1);
	assert_int_equal(v, 0xff);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
static const struct CMUnitTest tests[] = {
	CASE(rtc_tells_the_time_in_bcd),
	CASE(rtc_keeps_one_moment_until_seconds_are_read),
	CASE(rtc_never_has_an_update_in_progress),
	CASE(rtc_keeps_cmos_bytes_but_not_time),
};
UNIT_MAIN(tests)
