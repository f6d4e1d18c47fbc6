/* SPDX-License-Identifier: Apache-2.0 */
#include "devices/front/power.h"

#include "tests/unit/unit.h"

#define PORT 0x600

struct seen {
	unsigned int offs, resets;
};

static void on_event(void *ctx, enum power_event event)
{
	struct seen *s = ctx;

	if (event == POWER_OFF)
		s->offs++;
	else
		s->resets++;
}

static void out(struct bus *bus, uint64_t port, uint32_t value, unsigned int len)
{
	bus_write(bus, BUS_PORT, port, &value, len);
}

static void power_acts_on_s5_and_reset_values_only(void **state)
{
	struct err e = ERR_INIT;
	struct seen s = {0};
	struct power *p;
	struct bus *bus;
	uint8_t v;

	(void)state;
	assert_int_equal(bus_create(&bus, &e), 0);
	assert_int_equal(power_create(&p, &(struct power_desc){bus, PORT, on_event, &s}, &e), 0);
	for (unsigned int i = 0; i < 256; i++)
		out(bus, PORT, i, 1);
	/* SLP_TYP 5 and SLP_EN; bits 0, 1, 6 and 7 may be anything */
	assert_int_equal(s.offs, 16);
	assert_int_equal(s.resets, 0);
	out(bus, PORT, 0x34, 2);
	out(bus, PORT + 1, 0x34, 1);
	assert_int_equal(s.offs, 16);
	for (unsigned int i = 0; i < 256; i++)
		out(bus, PORT + 2, i, 1);
	assert_int_equal(s.resets, 1);
	bus_read(bus, BUS_PORT, PORT + 1, &v, 1);
	assert_int_equal(v, 0);
	bus_read(bus, BUS_PORT, POWER_KEYBOARD, &v, 1);
	assert_int_equal(v, 0);
	for (unsigned int i = 0; i < 256; i++)
		out(bus, POWER_KEYBOARD, i, 1);
	assert_int_equal(s.resets, 2);
	power_destroy(p);
	bus_read(bus, BUS_PORT, PORT, &v, 1);
	assert_int_equal(v, 0xff);
	bus_destroy(bus);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(power_acts_on_s5_and_reset_values_only),
};
UNIT_MAIN(tests)
