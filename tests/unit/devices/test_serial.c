/* SPDX-License-Identifier: Apache-2.0 */
#include "devices/front/serial.h"

#include "base/fd.h"
#include "tests/unit/devices/fake_irq.h"
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <poll.h>
#include <string.h>

#define PORT 0x3f8
#define GSI  4

struct fixture {
	struct bus *bus;
	struct loop *loop;
	struct fake_irq irq;
	struct serial *serial;
	int in[2], out[2]; /* pipes */
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct err e = ERR_INIT;
	struct serial_desc d = {.port = PORT, .gsi = GSI};

	assert_int_equal(bus_create(&f->bus, &e), 0);
	assert_int_equal(loop_create(&f->loop, &e), 0);
	assert_int_equal(pipe(f->in), 0);
	assert_int_equal(pipe2(f->out, O_NONBLOCK), 0);
	d.bus = f->bus;
	d.loop = f->loop;
	d.irq = fake_irq_of(&f->irq);
	d.in_fd = f->in[0];
	d.out_fd = f->out[1];
	assert_int_equal(serial_create(&f->serial, &d, &e), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	serial_destroy(f->serial);
	loop_destroy(f->loop);
	bus_destroy(f->bus);
	for (int i = 0; i < 2; i++) {
		fd_drop(&f->in[i]);
		fd_drop(&f->out[i]);
	}
	free(f);
	return 0;
}

static void out(struct fixture *f, uint64_t reg, uint8_t v)
{
	bus_write(f->bus, BUS_PORT, PORT + reg, &v, 1);
}

static uint8_t in(struct fixture *f, uint64_t reg)
{
	uint8_t v;

	bus_read(f->bus, BUS_PORT, PORT + reg, &v, 1);
	return v;
}

static void turn(struct fixture *f)
{
	assert_int_equal(loop_run_once(f->loop, 20), 0); /* the port's timer has 2 ms */
	for (int i = 0; i < 4; i++)
		assert_int_equal(loop_run_once(f->loop, 0), 0);
}

static void serial_writes_out_what_the_guest_sends(void **state)
{
	struct fixture *f = *state;
	char got[16];

	for (const char *c = "hello\r\n"; *c; c++)
		out(f, 0, (uint8_t)*c);
	assert_int_equal(in(f, 5), 0x60);
	turn(f);
	assert_int_equal(read(f->out[0], got, sizeof(got)), 7);
	assert_memory_equal(got, "hello\r\n", 7);
}

static void serial_writes_out_the_rest_when_destroyed(void **state)
{
	struct fixture *f = *state;
	char got[4];

	out(f, 0, 'x');
	serial_destroy(f->serial);
	f->serial = NULL;
	assert_int_equal(read(f->out[0], got, sizeof(got)), 1);
	assert_int_equal(got[0], 'x');
}

static void serial_drops_output_when_nobody_reads(void **state)
{
	struct fixture *f = *state;
	size_t got = 0;
	char buf[4096];
	ssize_t n;

	/* one wait of SERIAL_WAIT_MS, not one per byte */
	for (int i = 0; i < SERIAL_OUT_MAX + 1000; i++)
		out(f, 0, 'a');
	for (int i = 0; i < 100; i++) {
		turn(f);
		while ((n = read(f->out[0], buf, sizeof(buf))) > 0)
			got += (size_t)n;
	}
	assert_int_equal(got, SERIAL_OUT_MAX);
	out(f, 0, 'b');
	turn(f);
	assert_int_equal(read(f->out[0], buf, sizeof(buf)), 1);
	assert_int_equal(buf[0], 'b');
}

static void serial_raises_the_line_on_input(void **state)
{
	struct fixture *f = *state;

	out(f, 4, 0x08);
	out(f, 1, 0x01);
	out(f, 2, 0x01);
	assert_int_equal(in(f, 2), 0xc1);
	assert_false(f->irq.level[GSI]);
	assert_int_equal(write(f->in[1], "ab", 2), 2);
	turn(f);
	assert_true(f->irq.level[GSI]);
	assert_int_equal(in(f, 2), 0xc4);
	assert_int_equal(in(f, 5) & 1, 1);
	assert_int_equal(in(f, 0), 'a');
	assert_true(f->irq.level[GSI]);
	assert_int_equal(in(f, 0), 'b');
	assert_false(f->irq.level[GSI]);
	assert_int_equal(in(f, 5) & 1, 0);
	assert_int_equal(in(f, 0), 0);
}

static void serial_takes_more_input_when_there_is_room(void **state)
{
	struct fixture *f = *state;
	uint8_t many[700];
	size_t got = 0;

	for (size_t i = 0; i < sizeof(many); i++)
		many[i] = (uint8_t)i;
	assert_int_equal(write(f->in[1], many, sizeof(many)), sizeof(many));
	for (int i = 0; i < 10; i++) {
		turn(f);
		while (in(f, 5) & 1)
			assert_int_equal(in(f, 0), many[got++]);
	}
	assert_int_equal(got, sizeof(many));
	fd_drop(&f->in[1]);
	turn(f);
	assert_int_equal(in(f, 5) & 1, 0);
}

static void serial_raises_thre_when_enabled_and_after_a_byte(void **state)
{
	struct fixture *f = *state;

	out(f, 4, 0x08);
	out(f, 1, 0x02);
	assert_true(f->irq.level[GSI]);
	assert_int_equal(in(f, 2) & 0x0f, 0x02);
	assert_false(f->irq.level[GSI]);
	assert_int_equal(in(f, 2) & 0x0f, 0x01);
	out(f, 0, 'x');
	assert_true(f->irq.level[GSI]);
	out(f, 1, 0);
	assert_false(f->irq.level[GSI]);
	assert_int_equal(f->irq.rises[GSI], 2);
}

static void serial_looks_like_a_16550a_to_a_probe(void **state)
{
	struct fixture *f = *state;

	out(f, 7, 0x5a);
	assert_int_equal(in(f, 7), 0x5a);
	out(f, 1, 0xff);
	assert_int_equal(in(f, 1), 0x0f);
	out(f, 1, 0);
	/* loopback: RTS and OUT2 come back as CTS and DCD */
	out(f, 4, 0x1a);
	assert_int_equal(in(f, 6) & 0xf0, 0x90);
	out(f, 0, 'l');
	assert_int_equal(in(f, 0), 'l');
	out(f, 4, 0);
	out(f, 2, 0x01);
	assert_int_equal(in(f, 2) >> 6, 3);
	out(f, 3, 0x80);
	out(f, 0, 1);
	out(f, 1, 0);
	assert_int_equal(in(f, 0), 1);
	out(f, 3, 0x03);
	turn(f);
	assert_int_equal(read(f->out[0], &(char){0}, 1), -1);
}

static void serial_takes_single_bytes_only(void **state)
{
	struct fixture *f = *state;
	uint16_t v = 0x4141;

	bus_write(f->bus, BUS_PORT, PORT, &v, 2);
	bus_read(f->bus, BUS_PORT, PORT + 6, &v, 2);
	assert_int_equal(v, 0xffff);
	turn(f);
	assert_int_equal(read(f->out[0], &(char){0}, 1), -1);
}

static void serial_works_without_descriptors(void **state)
{
	struct fixture *f = *state;
	struct serial_desc d = {f->bus, f->loop, fake_irq_of(&f->irq), 0x2f8, 3, -1, -1};
	struct err e = ERR_INIT;
	struct serial *s;
	uint8_t v = 'x';

	assert_int_equal(serial_create(&s, &d, &e), 0);
	for (int i = 0; i < SERIAL_OUT_MAX + 10; i++)
		bus_write(f->bus, BUS_PORT, 0x2f8, &v, 1);
	serial_destroy(s);
}

static void serial_leaves_the_user_s_terminal_blocking(void **state)
{
	struct fixture *f = *state;
	struct serial_desc d = {f->bus, f->loop, fake_irq_of(&f->irq), 0x2f8, 3, -1, -1};
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK), slave;
	struct err e = ERR_INIT;
	struct pollfd p = {.events = POLLIN};
	struct serial *s;
	uint8_t v = 'x';
	char got[4];

	assert_true(master >= 0);
	assert_int_equal(grantpt(master) | unlockpt(master), 0);
	slave = open(ptsname(master), O_RDWR | O_NOCTTY);
	d.in_fd = d.out_fd = slave;
	assert_int_equal(serial_create(&s, &d, &e), 0);
	bus_write(f->bus, BUS_PORT, 0x2f8, &v, 1);
	assert_int_equal(write(master, "in\n", 3), 3);
	for (int i = 0; i < 10 && !(v & 1); i++) { /* terminals deliver in their own time */
		assert_int_equal(loop_run_once(f->loop, 500), 0);
		bus_read(f->bus, BUS_PORT, 0x2f8 + 5, &v, 1);
	}
	bus_read(f->bus, BUS_PORT, 0x2f8, &v, 1);
	assert_int_equal(v, 'i');
	assert_int_equal(fcntl(slave, F_GETFL) & O_NONBLOCK, 0);
	serial_destroy(s);
	/* the master's side: opening that anew would make another terminal */
	d.in_fd = d.out_fd = master;
	p.fd = slave;
	assert_int_equal(serial_create(&s, &d, &e), 0);
	for (const char *c = "y\n"; *c; c++)
		bus_write(f->bus, BUS_PORT, 0x2f8, c, 1);
	for (int i = 0; i < 10 && poll(&p, 1, 0) == 0; i++)
		assert_int_equal(loop_run_once(f->loop, 20), 0);
	assert_int_equal(read(slave, got, sizeof(got)), 2);
	assert_memory_equal(got, "y\n", 2);
	serial_destroy(s);
	close(master);
	close(slave);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
static const struct CMUnitTest tests[] = {
	CASE(serial_writes_out_what_the_guest_sends),
	CASE(serial_writes_out_the_rest_when_destroyed),
	CASE(serial_drops_output_when_nobody_reads),
	CASE(serial_raises_the_line_on_input),
	CASE(serial_takes_more_input_when_there_is_room),
	CASE(serial_raises_thre_when_enabled_and_after_a_byte),
	CASE(serial_looks_like_a_16550a_to_a_probe),
	CASE(serial_takes_single_bytes_only),
	CASE(serial_works_without_descriptors),
	CASE(serial_leaves_the_user_s_terminal_blocking),
};
UNIT_MAIN(tests)
