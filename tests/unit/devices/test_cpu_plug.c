/* SPDX-License-Identifier: Apache-2.0 */
#include "devices/front/cpu_plug.h"

#include "devices/front/ged.h"
#include "tests/unit/devices/fake_irq.h"
#include "tests/unit/unit.h"

#define PORT    0x620
#define GSI     9
#define PRESENT 0
#define ADDED   8
#define ASKED   16
#define EJECT   24

struct rig {
	struct bus *bus;
	struct fake_irq irq;
	struct ged *ged;
	struct cpu_plug *cpus;
	unsigned int calls;
};

static void on_slots(void *ctx, uint32_t slots)
{
	(void)ctx, (void)slots;
}

static void on_ejected(void *ctx)
{
	struct rig *r = ctx;

	r->calls++;
}

static void rig_init(struct rig *r)
{
	struct err e = ERR_INIT;
	struct ged_desc ged = {.port = 0x610, .gsi = GSI, .eject = on_slots};
	struct cpu_plug_desc cpus = {
		.port = PORT, .n_present = 2, .ejected = on_ejected, .ctx = r};

	*r = (struct rig){0};
	assert_int_equal(bus_create(&r->bus, &e), 0);
	ged.bus = cpus.bus = r->bus;
	ged.irq = fake_irq_of(&r->irq);
	assert_int_equal(ged_create(&r->ged, &ged, &e), 0);
	cpus.ged = r->ged;
	assert_int_equal(cpu_plug_create(&r->cpus, &cpus, &e), 0);
}

static void rig_fini(struct rig *r)
{
	cpu_plug_destroy(r->cpus);
	ged_destroy(r->ged);
	bus_destroy(r->bus);
}

static uint32_t in(struct rig *r, unsigned int off, unsigned int len)
{
	uint32_t v = 0;

	bus_read(r->bus, BUS_PORT, PORT + off, &v, len);
	return v;
}

static void out(struct rig *r, unsigned int off, uint32_t v, unsigned int len)
{
	bus_write(r->bus, BUS_PORT, PORT + off, &v, len);
}

static void cpu_plug_tells_of_each_processor_once(void **state)
{
	struct rig r;

	(void)state;
	rig_init(&r);
	assert_int_equal(in(&r, PRESENT, 4), 3);
	cpu_plug_add(r.cpus, 5);
	cpu_plug_add(r.cpus, 33);
	assert_int_equal(r.irq.rises[GSI], 2);
	assert_int_equal(in(&r, PRESENT, 4), 0x23);
	assert_int_equal(in(&r, PRESENT + 4, 4), 2);
	assert_int_equal(in(&r, PRESENT, 4), 0x23);
	assert_int_equal(in(&r, ADDED, 4), 0x20);
	assert_int_equal(in(&r, ADDED, 4), 0);
	assert_int_equal(in(&r, ADDED + 4, 4), 2);
	assert_int_equal(in(&r, ADDED + 4, 4), 0);
	cpu_plug_ask(r.cpus, 33);
	assert_int_equal(r.irq.rises[GSI], 3);
	assert_int_equal(in(&r, ASKED, 4), 0);
	assert_int_equal(in(&r, ASKED + 4, 4), 2);
	assert_int_equal(in(&r, ASKED + 4, 4), 0);
	rig_fini(&r);
}

static void cpu_plug_lets_go_only_when_asked(void **state)
{
	struct rig r;

	(void)state;
	rig_init(&r);
	for (uint32_t n = 0; n < 70; n++)
		out(&r, EJECT, n, 4);
	out(&r, EJECT, ~0u, 4);
	assert_int_equal(r.calls, 0);
	assert_int_equal(in(&r, PRESENT, 4), 3);
	cpu_plug_ask(r.cpus, 1);
	out(&r, EJECT, 0, 4);
	out(&r, EJECT, 1, 1);
	out(&r, EJECT, 1, 2);
	out(&r, PRESENT, 1, 4);
	assert_int_equal(r.calls, 0);
	out(&r, EJECT, 1, 4);
	out(&r, EJECT, 1, 4);
	assert_int_equal(r.calls, 1);
	assert_int_equal(in(&r, PRESENT, 4), 1);
	assert_int_equal(cpu_plug_take_ejected(r.cpus), 2);
	assert_int_equal(cpu_plug_take_ejected(r.cpus), 0);
	rig_fini(&r);
}

static void cpu_plug_takes_back_what_was_not_done(void **state)
{
	struct rig r;

	(void)state;
	rig_init(&r);
	cpu_plug_ask(r.cpus, 1);
	assert_true(cpu_plug_keep(r.cpus, 1));
	assert_false(cpu_plug_keep(r.cpus, 1));
	assert_int_equal(in(&r, ASKED, 4), 0);
	out(&r, EJECT, 1, 4);
	assert_int_equal(in(&r, PRESENT, 4), 3);
	cpu_plug_ask(r.cpus, 1);
	out(&r, EJECT, 1, 4);
	assert_false(cpu_plug_keep(r.cpus, 1));
	rig_fini(&r);
}

static void cpu_plug_loses_nothing_by_partial_reads(void **state)
{
	struct rig r;

	(void)state;
	rig_init(&r);
	cpu_plug_add(r.cpus, 9);
	for (unsigned int off = 0; off < CPU_PLUG_PORTS; off++)
		for (unsigned int len = 1; len < 4 && off % 4 + len <= 4; len *= 2)
			assert_int_equal(in(&r, off, len), 0);
	assert_int_equal(in(&r, EJECT, 4), 0);
	assert_int_equal(in(&r, ADDED, 4), 1 << 9);
	rig_fini(&r);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(cpu_plug_tells_of_each_processor_once),
	cmocka_unit_test(cpu_plug_lets_go_only_when_asked),
	cmocka_unit_test(cpu_plug_takes_back_what_was_not_done),
	cmocka_unit_test(cpu_plug_loses_nothing_by_partial_reads),
};
UNIT_MAIN(tests)
