/* SPDX-License-Identifier: Apache-2.0 */
/* The two ports by which a guest talks about its memory: the doorbell and the end of copying in. */
#include "vmm/doorbell.h"

#include "base/num.h"
#include "devices/front/bus.h"
#include "memory/convert.h"
#include "memory/ledger.h"
#include "memory/ram.h"
#include "tests/unit/unit.h"
#include "vmm/copyin_port.h"
#include "vmm/x86/map.h"

#include <errno.h>
#include <string.h>

static struct ram ram;
static struct ledger *ledger;
static struct bus *bus;
static struct err e;
static const struct convert_ops ops = {.discard = ram_discard};
static struct converter converter;

static int prepare(void **state)
{
	struct ram_desc desc = {.guest_memfd = -1, .cbit = UINT64_C(1) << 45};

	(void)state;
	if (layout_init(&desc.layout, MIB(64), &e) || ram_init(&ram, &desc, &e) ||
		ledger_create(&ledger, &ram.layout, false, MIB(8), &e) || bus_create(&bus, &e))
		return -1;
	converter = (struct converter){&ram.layout, ledger, &ops, &ram};
	return 0;
}

static int clean_up(void **state)
{
	(void)state;
	bus_destroy(bus);
	ledger_destroy(ledger);
	ram_fini(&ram);
	return 0;
}

static void out32(unsigned int off, uint32_t value)
{
	bus_write(bus, BUS_PORT, MAP_PORT_DOORBELL + off, &value, sizeof(value));
}

static uint32_t in32(unsigned int off)
{
	uint32_t value;

	bus_read(bus, BUS_PORT, MAP_PORT_DOORBELL + off, &value, sizeof(value));
	return value;
}

static uint32_t ask(uint32_t page, uint32_t count, uint32_t command)
{
	out32(0, page);
	out32(4, count);
	out32(8, command);
	return in32(8);
}

static void doorbell_converts_and_answers(void **state)
{
	struct doorbell *d;
	uint16_t half = 7;

	(void)state;
	assert_int_equal(doorbell_create(&d, bus, &converter, &e), 0);
	assert_int_equal(ask(512, 16, 0), 0);
	assert_int_equal(ledger_counts(ledger).shared, 16 * PAGE_SIZE);
	assert_int_equal(ask(512, 16, 1), 0);
	assert_int_equal(ledger_counts(ledger).shared, 0);
	assert_int_equal(ask(512, 0, 0), EINVAL);
	assert_int_equal(ask(0, 1, 0), EINVAL); /* low memory */
	assert_int_equal(ask(UINT32_MAX, UINT32_MAX, 0), EINVAL);
	assert_int_equal(ask(512, 4096, 0), ENOSPC);
	assert_int_equal(ledger_counts(ledger).shared, 0);
	/* Accesses of another size are nobody's. */
	bus_write(bus, BUS_PORT, MAP_PORT_DOORBELL + 8, &half, sizeof(half));
	assert_int_equal(in32(8), ENOSPC);
	assert_int_equal(in32(0), UINT32_MAX);
	doorbell_destroy(d);
	assert_int_equal(in32(8), UINT32_MAX);
	doorbell_destroy(NULL);
}

static void doorbell_is_refused_when_its_ports_are_taken(void **state)
{
	struct doorbell *first, *second;

	(void)state;
	assert_int_equal(doorbell_create(&first, bus, &converter, &e), 0);
	assert_int_equal(doorbell_create(&second, bus, &converter, &e), -EEXIST);
	assert_null(second);
	doorbell_destroy(first);
}

static void copyin_port_frees_the_copy_once(void **state)
{
	struct copyin_port *port;
	uint64_t private_bytes, shared_bytes;
	uint8_t done = 1;

	(void)state;
	assert_int_equal(copyin_port_create(&port, bus, &ram, &e), 0);
	memset(ram.shared + MIB(2), 1, MIB(1));
	bus_write(bus, BUS_PORT, MAP_PORT_COPYIN, &done, sizeof(done));
	assert_int_equal(ram_resident(&ram, &private_bytes, &shared_bytes), 0);
	assert_int_equal(shared_bytes, 0);
	memset(ram.shared + MIB(2), 1, MIB(1));
	bus_write(bus, BUS_PORT, MAP_PORT_COPYIN, &done, sizeof(done));
	assert_int_equal(ram_resident(&ram, &private_bytes, &shared_bytes), 0);
	assert_int_equal(shared_bytes, MIB(1));
	copyin_port_destroy(port);
	copyin_port_destroy(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(doorbell_converts_and_answers),
		cmocka_unit_test(doorbell_is_refused_when_its_ports_are_taken),
		cmocka_unit_test(copyin_port_frees_the_copy_once),
	};

	return cmocka_run_group_tests(tests, prepare, clean_up);
}
