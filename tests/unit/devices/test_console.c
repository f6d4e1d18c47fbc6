/* SPDX-License-Identifier: Apache-2.0 */
#include "devices/back/console.h"

#include "base/fd.h"
#include "devices/wire/virtio_console.h"
#include "tests/unit/devices/rig.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>

#define RX VIRTIO_CONSOLE_QUEUE_RX
#define TX VIRTIO_CONSOLE_QUEUE_TX

struct fixture {
	struct rig rig;
	struct console *console;
	int input, output; /* the test's ends */
};

static void open_console(struct fixture *f)
{
	struct console_config config = {.name = "test"};
	struct err e = ERR_INIT;
	int in[2], out[2];

	memset(f, 0, sizeof(*f));
	rig_open(&f->rig);
	assert_int_equal(pipe2(in, O_CLOEXEC), 0);
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	f->input = in[1];
	f->output = out[0];
	assert_int_equal(fcntl(f->output, F_SETFL, O_NONBLOCK), 0);
	assert_int_equal(loop_create(&f->rig.loop, &e), 0);
	config.loop = f->rig.loop;
	config.input_fd = in[0];
	config.output_fd = out[1];
	assert_int_equal(console_create(&f->console, &config, &e), 0);
	rig_serve(&f->rig, console_device(f->console));
	rig_start(&f->rig, 2, 0);
}

static void close_console(struct fixture *f)
{
	vhost_user_server_destroy(f->rig.server);
	f->rig.server = NULL;
	console_destroy(f->console);
	fd_drop(&f->input);
	fd_drop(&f->output);
	rig_close(&f->rig);
}

static void put(struct fixture *f, unsigned int q, uint32_t len, uint16_t flags)
{
	rig_desc(&f->rig, RIG_DESC(q), 0, (struct rig_desc){RIG_DATA + 0x40000 * q, len, flags, 0});
	rig_offer(&f->rig, q, 0);
	rig_kick(&f->rig, q);
}

static void console_writes_what_driver_sends(void **state)
{
	struct fixture f;
	char got[8];

	(void)state;
	open_console(&f);
	memcpy(rig_at(&f.rig, RIG_DATA + 0x40000), "hello", 5);
	put(&f, TX, 5, 0);
	assert_int_equal(rig_used(&f.rig, TX), 1);
	assert_int_equal(rig_used_len(&f.rig, TX, 0), 0);
	assert_int_equal(read(f.output, got, sizeof(got)), 5);
	assert_memory_equal(got, "hello", 5);
	close_console(&f);
}

static void console_gives_input_to_driver(void **state)
{
	struct fixture f;

	(void)state;
	open_console(&f);
	/* Input first: it waits where it is until the driver gives a buffer. */
	assert_int_equal(fd_write_full(f.input, "typed", 5), 0);
	rig_turn(&f.rig);
	assert_int_equal(rig_used(&f.rig, RX), 0);
	put(&f, RX, 3, RIG_WRITE);
	assert_int_equal(rig_used_len(&f.rig, RX, 0), 3);
	put(&f, RX, 64, RIG_WRITE);
	assert_int_equal(rig_used_len(&f.rig, RX, 1), 2);
	/* Buffer first: input wakes the device. */
	put(&f, RX, 64, RIG_WRITE);
	assert_int_equal(rig_used(&f.rig, RX), 2);
	assert_int_equal(fd_write_full(f.input, "more", 4), 0);
	rig_turn(&f.rig);
	assert_int_equal(rig_used_len(&f.rig, RX, 2), 4);
	assert_memory_equal(rig_at(&f.rig, RIG_DATA), "more", 4);
	close_console(&f);
}

static void console_never_stalls_driver_when_nobody_reads(void **state)
{
	const uint32_t len = 0x8000;
	struct fixture f;
	size_t total = 0;
	char got[4096];
	ssize_t n;

	(void)state;
	open_console(&f);
	memset(rig_at(&f.rig, RIG_DATA + 0x40000), 'x', len);
	for (uint16_t i = 0; i < 20; i++) {
		put(&f, TX, len, 0);
		assert_int_equal(rig_used(&f.rig, TX), i + 1);
	}
	/* The reader comes back: pipe and buffer are there, in order, the rest is gone. */
	while ((n = read(f.output, got, sizeof(got))) > 0) {
		total += (size_t)n;
		rig_turn(&f.rig);
	}
	assert_in_range(total, CONSOLE_BUFFER, 20 * len - 1);
	put(&f, TX, 1, 0);
	assert_int_equal(read(f.output, got, sizeof(got)), 1);
	close_console(&f);
}

static void console_goes_on_when_reader_has_gone(void **state)
{
	struct fixture f;

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	open_console(&f);
	fd_drop(&f.output);
	put(&f, TX, 5, 0);
	put(&f, TX, 5, 0);
	assert_int_equal(rig_used(&f.rig, TX), 2);
	assert_int_equal(rig_count(f.rig.err[TX]), 0);
	close_console(&f);
}

static void console_goes_on_when_input_has_ended(void **state)
{
	struct fixture f;

	(void)state;
	open_console(&f);
	put(&f, RX, 64, RIG_WRITE);
	fd_drop(&f.input);
	rig_turn(&f.rig);
	put(&f, RX, 64, RIG_WRITE);
	assert_int_equal(rig_used(&f.rig, RX), 0);
	put(&f, TX, 5, 0);
	assert_int_equal(rig_used(&f.rig, TX), 1);
	close_console(&f);
}

/* What a driver may ask wrongly; the device needs a reset, and nothing goes in or out. */
static const struct malformed {
	const char *what, *section;
	unsigned int queue;
	struct rig_desc d[2];
} malformed[] = {
	{"writable, to be sent", "5.3.6", TX, {{RIG_DATA, 5, RIG_WRITE, 0}}},
	{"partly writable, to be sent", "5.3.6", TX,
		{{RIG_DATA, 5, RIG_NEXT, 1}, {RIG_DATA, 5, RIG_WRITE, 0}}},
	{"readable, to be filled", "5.3.6", RX, {{RIG_DATA, 5, 0, 0}}},
	{"no bytes", "2.7.5", TX, {{RIG_DATA, 0, 0, 0}}},
	{"no bytes to be filled", "2.7.5", RX, {{RIG_DATA, 0, RIG_WRITE, 0}}},
	{"beyond memory", "2.7.5", TX, {{RIG_GPA + RIG_SIZE - 2, 4, 0, 0}}},
	{"beyond memory, to be filled", "2.7.5", RX, {{RIG_GPA + RIG_SIZE - 2, 4, RIG_WRITE, 0}}},
	{"looped", "2.7.5.3.1", TX, {{RIG_DATA, 4, RIG_NEXT, 0}}},
	{"looped, to be filled", "2.7.5.3.1", RX, {{RIG_DATA, 4, RIG_NEXT | RIG_WRITE, 0}}},
};

static void console_breaks_when_request_is_malformed(void **state)
{
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(malformed); i++) {
		const struct malformed *m = &malformed[i];

		open_console(&f);
		assert_int_equal(fd_write_full(f.input, "typed", 5), 0);
		rig_desc(&f.rig, RIG_DESC(m->queue), 0, m->d[0]);
		rig_desc(&f.rig, RIG_DESC(m->queue), 1, m->d[1]);
		rig_offer(&f.rig, m->queue, 0);
		rig_kick(&f.rig, m->queue);
		if (rig_count(f.rig.err[m->queue]) != 1 || rig_used(&f.rig, m->queue) != 0)
			fail_msg("%s (%s): accepted", m->what, m->section);
		close_console(&f);
	}
}

static void console_keeps_input_when_queue_stops(void **state)
{
	struct vhost_user_vring_state base = {RX, 0};
	struct vhost_user_header h;
	struct fixture f;

	(void)state;
	open_console(&f);
	put(&f, RX, 64, RIG_WRITE);
	rig_send(&f.rig, VHOST_USER_GET_VRING_BASE, &base, sizeof(base), -1);
	assert_int_equal(rig_reply(&f.rig, &h, &base, sizeof(base)), sizeof(base));
	assert_int_equal(base.num, 0);
	assert_int_equal(fd_write_full(f.input, "typed", 5), 0);
	rig_turn(&f.rig);
	assert_int_equal(rig_used(&f.rig, RX), 0);
	close_console(&f);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(console_writes_what_driver_sends),
	cmocka_unit_test(console_gives_input_to_driver),
	cmocka_unit_test(console_never_stalls_driver_when_nobody_reads),
	cmocka_unit_test(console_goes_on_when_reader_has_gone),
	cmocka_unit_test(console_goes_on_when_input_has_ended),
	cmocka_unit_test(console_breaks_when_request_is_malformed),
	cmocka_unit_test(console_keeps_input_when_queue_stops),
};
UNIT_MAIN(tests)
