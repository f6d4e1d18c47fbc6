/* SPDX-License-Identifier: Apache-2.0 */
#include "devices/front/ged.h"

#include "tests/unit/devices/fake_irq.h"
#include "tests/unit/unit.h"

#define PORT 0x610
#define GSI  9

struct rig {
	struct bus *bus;
	struct fake_irq irq;
	struct ged *ged;
	uint32_t ejected;
	unsigned int calls;
};

static void on_eject(void *ctx, uint32_t slots)
{
	struct rig *r = ctx;

	r->ejected = slots;
	r->calls++;
}

static void rig_init(struct rig *r)
{
	struct err e = ERR_INIT;
	struct ged_desc desc = {.port = PORT, .gsi = GSI, .eject = on_eject, .ctx = r};

	*r = (struct rig){0};
	assert_int_equal(bus_create(&r->bus, &e), 0);
	desc.bus = r->bus;
	desc.irq = fake_irq_of(&r->irq);
	assert_int_equal(ged_create(&r->ged, &desc, &e), 0);
}

static void rig_fini(struct rig *r)
{
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

static void ged_says_each_thing_once_with_an_edge(void **state)
{
	struct rig r;

	(void)state;
	rig_init(&r);
	ged_added(r.ged, 3);
	ged_added(r.ged, 31);
	ged_ask(r.ged, 1);
	ged_push_button(r.ged);
	assert_int_equal(r.irq.rises[GSI], 4);
	assert_false(r.irq.level[GSI]);
	assert_int_equal(in(&r, 0, 4), 0x80000008);
	assert_int_equal(in(&r, 0, 4), 0);
	assert_int_equal(in(&r, 4, 4), 2);
	assert_int_equal(in(&r, 4, 4), 0);
	assert_int_equal(in(&r, 12, 4), GED_EVENT_BUTTON);
	assert_int_equal(in(&r, 12, 4), 0);
	rig_fini(&r);
}

static void ged_loses_nothing_by_partial_reads(void **state)
{
	struct rig r;

	(void)state;
	rig_init(&r);
	ged_added(r.ged, 9);
	for (unsigned int off = 0; off < 4; off++)
		for (unsigned int len = 1; len < 4 && off + len <= 4; len *= 2)
			assert_int_equal(in(&r, off, len), 0);
	assert_int_equal(in(&r, 0, 4), 1 << 9);
	rig_fini(&r);
}

static void ged_ejects_by_the_eject_register_only(void **state)
{
	struct rig r;

	(void)state;
	rig_init(&r);
	out(&r, 0, 2, 4);
	out(&r, 4, 2, 4);
	out(&r, 12, 2, 4);
	out(&r, 8, 2, 2);
	out(&r, 9, 2, 1);
	assert_int_equal(r.calls, 0);
	out(&r, 8, 0x80000001, 4);
	assert_int_equal(r.calls, 1);
	assert_int_equal(r.ejected, 0x80000001);
	assert_int_equal(in(&r, 8, 4), 0);
	rig_fini(&r);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(ged_says_each_thing_once_with_an_edge),
	cmocka_unit_test(ged_loses_nothing_by_partial_reads),
	cmocka_unit_test(ged_ejects_by_the_eject_register_only),
};
UNIT_MAIN(tests)
