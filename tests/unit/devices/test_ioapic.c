/* SPDX-License-Identifier: Apache-2.0 */
#include "devices/front/ioapic.h"

#include "tests/unit/unit.h"

#include <errno.h>

#define BASE   UINT64_C(0xfec00000)
#define MASKED 0x10000u

static struct bus *bus;
static struct ioapic *io;

/* What came out last. */
static uint64_t address;
static uint32_t data;
static unsigned int sent;

static int send(void *ctx, uint64_t to, uint32_t what)
{
	(void)ctx;
	address = to;
	data = what;
	sent++;
	return what == 0x66 ? -EIO : 0;
}

static int setup(void **state)
{
	struct ioapic_desc desc = {.base = BASE, .send = send};
	struct err e = ERR_INIT;

	(void)state;
	sent = 0;
	assert_int_equal(bus_create(&bus, &e), 0);
	desc.bus = bus;
	assert_int_equal(ioapic_create(&io, &desc, &e), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	ioapic_destroy(io);
	bus_destroy(bus);
	return 0;
}

static uint32_t get(uint8_t index)
{
	uint32_t value = index;

	bus_write(bus, BUS_MMIO, BASE, (uint8_t *)&value, 4);
	bus_read(bus, BUS_MMIO, BASE + 0x10, (uint8_t *)&value, 4);
	return value;
}

static void set(uint8_t index, uint32_t value)
{
	uint32_t select = index;

	bus_write(bus, BUS_MMIO, BASE, (uint8_t *)&select, 4);
	bus_write(bus, BUS_MMIO, BASE + 0x10, (uint8_t *)&value, 4);
}

static void pulse(unsigned int pin)
{
	assert_int_equal(ioapic_set_line(io, pin, true), 0);
	assert_int_equal(ioapic_set_line(io, pin, false), 0);
}

static void ioapic_has_24_masked_pins_at_first(void **state)
{
	(void)state;
	assert_int_equal(get(1), 0x00170011);
	for (unsigned int pin = 0; pin < IOAPIC_PINS; pin++) {
		assert_int_equal(get((uint8_t)(0x10 + 2 * pin)), MASKED);
		assert_int_equal(get((uint8_t)(0x11 + 2 * pin)), 0);
		pulse(pin);
	}
	assert_int_equal(sent, 0);
	assert_int_equal(get(0x40), 0);
	assert_int_equal(ioapic_set_line(io, IOAPIC_PINS, true), -EINVAL);
}

static void ioapic_sends_each_edge_where_the_entry_says(void **state)
{
	(void)state;
	set(0x11 + 2 * 4, 0x03000000);
	set(0x10 + 2 * 4, 0x0931); /* logical destination, lowest priority, vector 0x31 */
	pulse(4);
	assert_int_equal(sent, 1);
	assert_int_equal(address, 0xfee03004);
	assert_int_equal(data, 0x131);
	assert_int_equal(ioapic_set_line(io, 4, true), 0);
	assert_int_equal(ioapic_set_line(io, 4, true), 0); /* no edge */
	assert_int_equal(sent, 2);
	set(0x10 + 2 * 4, 0x66);
	assert_int_equal(ioapic_set_line(io, 4, false), 0);
	assert_int_equal(ioapic_set_line(io, 4, true), -EIO);
	set(0x10 + 2 * 4, 0x700); /* of a PIC that is not there */
	pulse(4);
	assert_int_equal(sent, 3);
}

static void ioapic_keeps_an_edge_until_the_pin_is_unmasked(void **state)
{
	(void)state;
	set(0x10 + 2 * 23, MASKED | 0x40);
	pulse(23);
	pulse(23);
	assert_int_equal(sent, 0);
	set(0x10 + 2 * 23, 0x40);
	assert_int_equal(sent, 1);
	set(0x10 + 2 * 23, 0x40);
	assert_int_equal(sent, 1);
}

/* Whoever writes "level" reads that it is not; so does who writes what is read-only. */
static void ioapic_takes_only_what_can_be_written(void **state)
{
	uint32_t half = 0xffff;

	(void)state;
	set(0x10, 0xffffffff);
	set(0x11, 0xffffffff);
	assert_int_equal(get(0x10), 0x12fff);
	assert_int_equal(get(0x11), 0xff000000);
	set(0, 0xffffffff);
	set(1, 0xffffffff);
	assert_int_equal(get(0), 0x0f000000);
	assert_int_equal(get(1), 0x00170011);
	bus_write(bus, BUS_MMIO, BASE + 0x10, (uint8_t *)&half, 2);
	bus_write(bus, BUS_MMIO, BASE + 0x20, (uint8_t *)&half, 4);
	bus_read(bus, BUS_MMIO, BASE + 0x20, (uint8_t *)&half, 4);
	assert_int_equal(half, 0);
	assert_int_equal(get(1), 0x00170011);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
static const struct CMUnitTest tests[] = {
	CASE(ioapic_has_24_masked_pins_at_first),
	CASE(ioapic_sends_each_edge_where_the_entry_says),
	CASE(ioapic_keeps_an_edge_until_the_pin_is_unmasked),
	CASE(ioapic_takes_only_what_can_be_written),
};
UNIT_MAIN(tests)
