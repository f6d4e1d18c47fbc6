/* SPDX-License-Identifier: Apache-2.0 */
#include "devices/front/nmi_status.h"

#include "tests/unit/unit.h"

#define PORT   0x61
#define ERRORS 0xc0 /* a bus error, a memory error */

static void nmi_status_names_no_error_whatever_is_written(void **state)
{
	struct err e = ERR_INIT;
	struct nmi_status *s;
	struct bus *bus;
	uint8_t v = 0xff;

	(void)state;
	assert_int_equal(bus_create(&bus, &e), 0);
	assert_int_equal(nmi_status_create(&s, bus, PORT, &e), 0);
	bus_write(bus, BUS_PORT, PORT, &v, 1);
	bus_read(bus, BUS_PORT, PORT, &v, 1);
	assert_int_equal(v & ERRORS, 0);
	nmi_status_destroy(s);
	bus_read(bus, BUS_PORT, PORT, &v, 1);
	assert_int_equal(v, 0xff);
	bus_destroy(bus);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(nmi_status_names_no_error_whatever_is_written),
};
UNIT_MAIN(tests)
