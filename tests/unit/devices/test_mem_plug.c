/* SPDX-License-Identifier: Apache-2.0 */
#include "devices/front/mem_plug.h"

#include "devices/front/ged.h"
#include "tests/unit/devices/fake_irq.h"
#include "tests/unit/unit.h"

#define PORT    0x670
#define GSI     9
#define PRESENT 0
#define ADDED   4
#define SELECT  8
#define FIRST   12
#define LAST    20
#define LENGTH  28

struct rig {
	struct bus *bus;
	struct fake_irq irq;
	struct ged *ged;
	struct mem_plug *mem;
};

static void on_slots(void *ctx, uint32_t slots)
{
	(void)ctx, (void)slots;
}

static void rig_init(struct rig *r)
{
	struct err e = ERR_INIT;
	struct ged_desc ged = {.port = 0x610, .gsi = GSI, .eject = on_slots};
	struct mem_plug_desc mem = {.port = PORT};

	*r = (struct rig){0};
	assert_int_equal(bus_create(&r->bus, &e), 0);
	ged.bus = mem.bus = r->bus;
	ged.irq = fake_irq_of(&r->irq);
	assert_int_equal(ged_create(&r->ged, &ged, &e), 0);
	mem.ged = r->ged;
	assert_int_equal(mem_plug_create(&r->mem, &mem, &e), 0);
}

static void rig_fini(struct rig *r)
{
	mem_plug_destroy(r->mem);
	ged_destroy(r->ged);
	bus_destroy(r->bus);
}

static uint32_t in(struct rig *r, unsigned int off, unsigned int len)
{
	uint32_t v = 0;

	bus_read(r->bus, BUS_PORT, PORT + off, &v, len);
	return v;
}

static uint64_t in64(struct rig *r, unsigned int off)
{
	return in(r, off, 4) | (uint64_t)in(r, off + 4, 4) << 32;
}

static void out(struct rig *r, unsigned int off, uint32_t v, unsigned int len)
{
	bus_write(r->bus, BUS_PORT, PORT + off, &v, len);
}

static void mem_plug_tells_of_each_piece_once(void **state)
{
	struct rig r;

	(void)state;
	rig_init(&r);
	assert_int_equal(in(&r, PRESENT, 4), 0);
	mem_plug_add(r.mem, gpa_of(GIB(4)), MIB(128));
	mem_plug_add(r.mem, gpa_of(GIB(4) + MIB(128)), GIB(8));
	assert_int_equal(r.irq.rises[GSI], 2);
	assert_int_equal(in(&r, PRESENT, 4), 3);
	assert_int_equal(in(&r, ADDED, 2), 0);
	assert_int_equal(in(&r, ADDED, 4), 3);
	assert_int_equal(in(&r, ADDED, 4), 0);
	assert_int_equal(in(&r, PRESENT, 4), 3);
	rig_fini(&r);
}

static void mem_plug_shows_piece_when_selected(void **state)
{
	struct rig r;

	(void)state;
	rig_init(&r);
	assert_int_equal(in64(&r, FIRST), 0);
	mem_plug_add(r.mem, gpa_of(GIB(6)), MIB(256));
	mem_plug_add(r.mem, gpa_of(GIB(6) + MIB(256)), GIB(8));
	assert_int_equal(in64(&r, FIRST), GIB(6));
	out(&r, SELECT, 1, 4);
	assert_int_equal(in64(&r, FIRST), GIB(6) + MIB(256));
	assert_int_equal(in64(&r, LAST), GIB(14) + MIB(256) - 1);
	assert_int_equal(in64(&r, LENGTH), GIB(8));
	out(&r, SELECT, 0, 2); /* not a whole register */
	assert_int_equal(in64(&r, LENGTH), GIB(8));
	for (uint32_t n = 2; n < 70; n++) {
		out(&r, SELECT, n, 4);
		assert_int_equal(in64(&r, LENGTH), 0);
	}
	rig_fini(&r);
}

static void mem_plug_has_room_for_so_many(void **state)
{
	struct rig r;

	(void)state;
	rig_init(&r);
	for (unsigned int n = 0; n < MEM_PLUG_MAX; n++) {
		assert_int_equal(mem_plug_room(r.mem), MEM_PLUG_MAX - n);
		mem_plug_add(r.mem, gpa_of(GIB(4) + n * MIB(128)), MIB(128));
	}
	assert_int_equal(mem_plug_room(r.mem), 0);
	assert_int_equal(in(&r, PRESENT, 4), UINT32_MAX);
	rig_fini(&r);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(mem_plug_tells_of_each_piece_once),
	cmocka_unit_test(mem_plug_shows_piece_when_selected),
	cmocka_unit_test(mem_plug_has_room_for_so_many),
};
UNIT_MAIN(tests)
