/* SPDX-License-Identifier: Apache-2.0 */
#include "devices/front/bus.h"

#include "tests/unit/unit.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

struct device {
	struct bus *bus;
	struct bus_region region;
	unsigned int calls;
	uint64_t off, value;
	unsigned int len;
	bool move; /* a write moves the region by 0x1000 */
	atomic_bool inside, leave;
};

static uint64_t device_read(void *ctx, uint64_t off, unsigned int len)
{
	struct device *d = ctx;

	assert_true(off + len <= d->region.len);
	d->calls++;
	d->off = off;
	d->len = len;
	return UINT64_C(0x8877665544332211);
}

static void device_write(void *ctx, uint64_t off, unsigned int len, uint64_t value)
{
	struct device *d = ctx;
	struct err e = ERR_INIT;

	d->calls++;
	d->off = off;
	d->len = len;
	d->value = value;
	if (!d->move)
		return;
	bus_remove(d->bus, &d->region);
	d->region.base += 0x1000;
	assert_int_equal(bus_add(d->bus, &d->region, &e), 0);
}

static const struct bus_ops device_ops = {.read = device_read, .write = device_write};

static struct bus *make_bus(void)
{
	struct err e = ERR_INIT;
	struct bus *bus;

	assert_int_equal(bus_create(&bus, &e), 0);
	return bus;
}

static int add(struct bus *bus, struct device *d, enum bus_space space, uint64_t base, uint64_t len)
{
	struct err e = ERR_INIT;

	d->bus = bus;
	d->region = (struct bus_region){space, base, len, &device_ops, d};
	return bus_add(bus, &d->region, &e);
}

static uint64_t read_at(struct bus *bus, enum bus_space space, uint64_t addr, unsigned int len)
{
	uint64_t v = 0;

	bus_read(bus, space, addr, &v, len);
	return v;
}

static void bus_gives_ones_when_nobody_claims(void **state)
{
	struct bus *bus = make_bus();
	struct device d = {0};
	uint32_t v = 1;

	(void)state;
	assert_int_equal(read_at(bus, BUS_MMIO, 0x1000, 4), 0xffffffff);
	assert_int_equal(add(bus, &d, BUS_MMIO, 0x1000, 0x10), 0);
	assert_int_equal(read_at(bus, BUS_PORT, 0x1000, 1), 0xff);
	assert_int_equal(read_at(bus, BUS_MMIO, 0xfff, 4), 0xffffffff);
	assert_int_equal(read_at(bus, BUS_MMIO, 0x100e, 4), 0xffffffff);
	assert_int_equal(read_at(bus, BUS_MMIO, 0x1010, 1), 0xff);
	assert_int_equal(read_at(bus, BUS_MMIO, UINT64_MAX, 8), UINT64_MAX);
	bus_write(bus, BUS_MMIO, 0x100d, &v, 4);
	assert_int_equal(d.calls, 0);
	bus_destroy(bus);
}

static void bus_takes_sizes_1_2_4_8_only(void **state)
{
	struct bus *bus = make_bus();
	struct device d = {0};
	uint8_t buf[16];

	(void)state;
	assert_int_equal(add(bus, &d, BUS_MMIO, 0x1000, 0x100), 0);
	for (unsigned int len = 0; len <= 16; len++) {
		bool good = len == 1 || len == 2 || len == 4 || len == 8;

		d.calls = 0;
		memset(buf, 0, sizeof(buf));
		bus_read(bus, BUS_MMIO, 0x1000, buf, len);
		bus_write(bus, BUS_MMIO, 0x1000, buf, len);
		assert_int_equal(d.calls, good ? 2 : 0);
		if (len)
			assert_int_equal(buf[0], good ? 0x11 : 0xff);
		if (len && len < 16)
			assert_int_equal(buf[len], 0);
	}
	bus_destroy(bus);
}

static void bus_passes_offset_and_value(void **state)
{
	struct bus *bus = make_bus();
	struct device a = {0}, b = {0};
	uint64_t v = UINT64_C(0xffeeddccbbaa9988);

	(void)state;
	assert_int_equal(add(bus, &b, BUS_PORT, 0x108, 8), 0);
	assert_int_equal(add(bus, &a, BUS_PORT, 0x100, 8), 0);
	assert_int_equal(read_at(bus, BUS_PORT, 0x106, 2), 0x2211);
	assert_int_equal(a.off, 6);
	bus_write(bus, BUS_PORT, 0x10c, &v, 4);
	assert_int_equal(b.off, 4);
	assert_int_equal(b.len, 4);
	assert_true(b.value == 0xbbaa9988);
	bus_destroy(bus);
}

static void bus_refuses_overlap_and_bad_ranges(void **state)
{
	struct bus *bus = make_bus();
	struct device a = {0}, b = {0};

	(void)state;
	assert_int_equal(add(bus, &a, BUS_MMIO, 0x1000, 0x1000), 0);
	assert_int_equal(add(bus, &b, BUS_MMIO, 0x1fff, 1), -EEXIST);
	assert_int_equal(add(bus, &b, BUS_MMIO, 0xfff, 2), -EEXIST);
	assert_int_equal(add(bus, &b, BUS_MMIO, 0, 0x10000), -EEXIST);
	assert_int_equal(add(bus, &b, BUS_MMIO, 0x1000, 0x1000), -EEXIST);
	assert_int_equal(add(bus, &b, BUS_MMIO, 0x2000, 0), -EINVAL);
	assert_int_equal(add(bus, &b, BUS_MMIO, UINT64_MAX, 2), -EINVAL);
	assert_int_equal(add(bus, &b, BUS_PORT, 0xffff, 2), -EINVAL);
	assert_int_equal(add(bus, &b, BUS_PORT, 0xffff, 1), 0);
	assert_int_equal(add(bus, &b, BUS_MMIO, 0x2000, 1), 0);
	bus_destroy(bus);
}

static void bus_lets_a_handler_move_its_region(void **state)
{
	struct bus *bus = make_bus();
	struct device d = {.move = true};
	uint32_t v = 7;

	(void)state;
	assert_int_equal(add(bus, &d, BUS_MMIO, 0x1000, 0x1000), 0);
	bus_write(bus, BUS_MMIO, 0x1000, &v, 4);
	bus_write(bus, BUS_MMIO, 0x1000, &v, 4);
	assert_int_equal(d.calls, 1);
	assert_int_equal(read_at(bus, BUS_MMIO, 0x2000, 1), 0x11);
	bus_remove(bus, &d.region);
	bus_remove(bus, &d.region);
	assert_int_equal(read_at(bus, BUS_MMIO, 0x2000, 1), 0xff);
	bus_destroy(bus);
}

static void bus_holds_many_regions_in_order(void **state)
{
	struct bus *bus = make_bus();
	static struct device d[100];

	(void)state;
	for (unsigned int i = 0; i < 100; i++)
		assert_int_equal(add(bus, &d[i], BUS_MMIO, 0x1000ull * (i * 37 % 100), 0x800), 0);
	for (unsigned int i = 0; i < 100; i++) {
		assert_int_equal(read_at(bus, BUS_MMIO, d[i].region.base + 0x7ff, 1), 0x11);
		assert_int_equal(d[i].off, 0x7ff);
		assert_int_equal(read_at(bus, BUS_MMIO, d[i].region.base + 0x800, 1), 0xff);
	}
	for (unsigned int i = 0; i < 100; i += 2)
		bus_remove(bus, &d[i].region);
	for (unsigned int i = 0; i < 100; i++)
		assert_int_equal(read_at(bus, BUS_MMIO, d[i].region.base, 1), i % 2 ? 0x11 : 0xff);
	bus_destroy(bus);
}

static uint64_t slow_read(void *ctx, uint64_t off, unsigned int len)
{
	struct device *d = ctx;

	(void)off;
	(void)len;
	atomic_store(&d->inside, true);
	while (!atomic_load(&d->leave))
		sched_yield();
	d->calls++;
	return 0;
}

static void *reader(void *ctx)
{
	struct device *d = ctx;

	read_at(d->bus, BUS_MMIO, 0x1000, 4);
	return NULL;
}

static void *leaver(void *ctx)
{
	struct device *d = ctx;

	atomic_store(&d->leave, true);
	return NULL;
}

static void bus_sync_waits_for_a_running_handler(void **state)
{
	static const struct bus_ops slow_ops = {.read = slow_read, .write = device_write};
	struct bus *bus = make_bus();
	struct device d = {.bus = bus};
	struct err e = ERR_INIT;
	pthread_t a, b;

	(void)state;
	d.region = (struct bus_region){BUS_MMIO, 0x1000, 0x10, &slow_ops, &d};
	assert_int_equal(bus_add(bus, &d.region, &e), 0);
	bus_sync(bus);
	assert_int_equal(pthread_create(&a, NULL, reader, &d), 0);
	while (!atomic_load(&d.inside))
		sched_yield();
	bus_remove(bus, &d.region);
	assert_int_equal(pthread_create(&b, NULL, leaver, &d), 0);
	bus_sync(bus);
	assert_int_equal(d.calls, 1);
	bus_sync(bus);
	pthread_join(a, NULL);
	pthread_join(b, NULL);
	bus_destroy(bus);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(bus_gives_ones_when_nobody_claims),
	cmocka_unit_test(bus_takes_sizes_1_2_4_8_only),
	cmocka_unit_test(bus_passes_offset_and_value),
	cmocka_unit_test(bus_refuses_overlap_and_bad_ranges),
	cmocka_unit_test(bus_lets_a_handler_move_its_region),
	cmocka_unit_test(bus_holds_many_regions_in_order),
	cmocka_unit_test(bus_sync_waits_for_a_running_handler),
};
UNIT_MAIN(tests)
