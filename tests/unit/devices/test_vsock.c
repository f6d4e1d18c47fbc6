/* SPDX-License-Identifier: Apache-2.0 */
#include "devices/back/vsock.h"

#include "base/fd.h"
#include "devices/back/vsock_table.h"
#include "devices/wire/vsock_dial.h"
#include "tests/unit/devices/vrig.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>

/* dialed() - answer the request to dial that must be there. Return: the host's end, -1: refused */
static int dialed(struct vrig *f, uint32_t port, int status)
{
	struct vsock_dial_request req;
	struct vsock_dial_reply reply;
	int ends[2];

	assert_int_equal(read(f->dial, &req, sizeof(req)), sizeof(req));
	assert_int_equal(req.port, port);
	reply = (struct vsock_dial_reply){req.cookie, status};
	assert_int_equal(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), 0);
	assert_int_equal(fd_send(f->dial, &reply, sizeof(reply), &ends[1], status ? 0 : 1), 0);
	fd_drop(&ends[1]);
	rig_turn(&f->rig);
	return ends[0];
}

static void vsock_connects_host_to_guest(void **state)
{
	struct vrig f;
	uint32_t port;
	int fd;

	(void)state;
	vrig_open(&f);
	fd = vrig_client(&f, "CONNECT 1024\nand on");
	vrig_give(&f, 1);
	vrig_expect(&f, VIRTIO_VSOCK_OP_REQUEST);
	assert_int_equal(f.h.dst_port, 1024);
	assert_true(f.h.src_port >= VSOCK_FIRST_PORT);
	assert_int_equal(f.h.buf_alloc, VSOCK_RING);
	port = f.h.src_port;
	vrig_give(&f, 1);
	assert_false(vrig_came(&f));
	vrig_send_op(&f, VIRTIO_VSOCK_OP_RESPONSE, 1024, port);
	vrig_expect_bytes(&f, fd, "OK 1073741825\n");
	vrig_expect(&f, VIRTIO_VSOCK_OP_RW);
	assert_int_equal(f.h.len, 6);
	assert_memory_equal(f.bytes, "and on", 6);
	vrig_send_rw(&f, 1024, port, "back", 4);
	vrig_expect_bytes(&f, fd, "back");
	fd_drop(&fd);
	vrig_close(&f);
}

static void vsock_takes_any_way_to_say_connect(void **state)
{
	static const struct {
		const char *text;
		int64_t port; /* -1: closed */
	} rows[] = {
		{"connect 5\n", 5},
		{"CONNECT 4294967295\n", UINT32_MAX},
		{"CONNECT 5\r\n", 5},
		{"CONNECT 4294967296\n", -1},
		{"CONNECT 99999999999999999999\n", -1},
		{"CONNECT \n", -1},
		{"CONNECT\n", -1},
		{"CONNECT -1\n", -1},
		{"CONNECT 5 6\n", -1},
		{"\n", -1},
		{"GET / HTTP/1.1\n", -1},
		{"CONNECT 0000000000000000000000000005\n", -1},
	};
	struct vrig f;

	(void)state;
	vrig_open(&f);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		int fd = vrig_client(&f, rows[i].text);

		vrig_give(&f, 2);
		if (rows[i].port < 0) {
			vrig_expect_end(&f, &fd);
			continue;
		}
		vrig_expect(&f, VIRTIO_VSOCK_OP_REQUEST);
		assert_int_equal(f.h.dst_port, rows[i].port);
		fd_drop(&fd);
		vrig_expect(&f, VIRTIO_VSOCK_OP_RST);
	}
	vrig_close(&f);
}

static void vsock_waits_when_connect_comes_in_pieces(void **state)
{
	static const char text[] = "CONNECT 12\nx";
	struct vrig f;
	int fd;

	(void)state;
	vrig_open(&f);
	vrig_give(&f, 2);
	fd = vrig_client(&f, "");
	for (size_t i = 0; i < sizeof(text) - 1; i++) {
		assert_false(vrig_came(&f));
		assert_int_equal(write(fd, text + i, 1), 1);
		if (text[i] == '\n')
			vrig_expect(&f, VIRTIO_VSOCK_OP_REQUEST);
	}
	vrig_send_op(&f, VIRTIO_VSOCK_OP_RESPONSE, 12, f.h.src_port);
	vrig_expect(&f, VIRTIO_VSOCK_OP_RW);
	assert_int_equal(f.bytes[0], 'x');
	fd_drop(&fd);
	vrig_close(&f);
}

static void vsock_closes_client_when_guest_refuses(void **state)
{
	struct vrig f;
	int fd;

	(void)state;
	vrig_open(&f);
	fd = vrig_client(&f, "CONNECT 9\n");
	vrig_give(&f, 2);
	vrig_expect(&f, VIRTIO_VSOCK_OP_REQUEST);
	vrig_send_op(&f, VIRTIO_VSOCK_OP_RST, 9, f.h.src_port);
	vrig_expect_end(&f, &fd);
	assert_false(vrig_came(&f));
	vrig_close(&f);
}

static void vsock_connects_guest_to_host(void **state)
{
	struct vrig f;
	int fd;

	(void)state;
	vrig_open(&f);
	vrig_give(&f, 8);
	vrig_send_op(&f, VIRTIO_VSOCK_OP_REQUEST, 700, 5000);
	assert_false(vrig_came(&f));
	fd = dialed(&f, 5000, 0);
	vrig_expect(&f, VIRTIO_VSOCK_OP_RESPONSE);
	assert_int_equal(f.h.src_port, 5000);
	assert_int_equal(f.h.dst_port, 700);
	vrig_send_rw(&f, 700, 5000, "ping", 4);
	vrig_expect_bytes(&f, fd, "ping");
	assert_int_equal(write(fd, "pong", 4), 4);
	vrig_expect(&f, VIRTIO_VSOCK_OP_RW);
	assert_memory_equal(f.bytes, "pong", 4);
	vrig_send_shutdown(&f, 700, 5000, VIRTIO_VSOCK_SHUTDOWN_BOTH);
	vrig_expect(&f, VIRTIO_VSOCK_OP_RST);
	vrig_expect_end(&f, &fd);
	/* The pair is free again. */
	vrig_send_op(&f, VIRTIO_VSOCK_OP_REQUEST, 700, 5000);
	fd = dialed(&f, 5000, 0);
	vrig_expect(&f, VIRTIO_VSOCK_OP_RESPONSE);
	fd_drop(&fd);
	vrig_close(&f);
}

static void vsock_resets_when_nobody_listens_on_host(void **state)
{
	struct vrig f;
	int fd;

	(void)state;
	vrig_open(&f);
	vrig_give(&f, 4);
	vrig_send_op(&f, VIRTIO_VSOCK_OP_REQUEST, 700, 5001);
	fd = dialed(&f, 5001, -ENOENT);
	fd_drop(&fd);
	vrig_expect(&f, VIRTIO_VSOCK_OP_RST);
	assert_int_equal(f.h.dst_port, 700);
	/* An answer that comes when the guest has given up is for nobody. */
	vrig_send_op(&f, VIRTIO_VSOCK_OP_REQUEST, 700, 5001);
	vrig_send_op(&f, VIRTIO_VSOCK_OP_RST, 700, 5001);
	fd = dialed(&f, 5001, 0);
	vrig_expect_end(&f, &fd);
	assert_false(vrig_came(&f));
	/* Nobody to ask any more. */
	vrig_send_op(&f, VIRTIO_VSOCK_OP_REQUEST, 701, 5001);
	fd_drop(&f.dial);
	vrig_expect(&f, VIRTIO_VSOCK_OP_RST);
	vrig_send_op(&f, VIRTIO_VSOCK_OP_REQUEST, 702, 5001);
	vrig_expect(&f, VIRTIO_VSOCK_OP_RST);
	vrig_close(&f);
}

/* fill() - have the guest send until the host's kernel and the ring are full. Return: bytes */
static uint32_t fill(struct vrig *f, uint32_t port, uint32_t *credit)
{
	static uint8_t bytes[16384];
	uint32_t sent = 0;

	while (sent + sizeof(bytes) <= *credit) {
		for (size_t i = 0; i < sizeof(bytes); i++)
			bytes[i] = (uint8_t)((sent + i) * 7 >> 3);
		vrig_send_rw(f, 1024, port, bytes, sizeof(bytes));
		sent += (uint32_t)sizeof(bytes);
		while (vrig_came(f)) {
			assert_int_equal(f->h.op, VIRTIO_VSOCK_OP_CREDIT_UPDATE);
			*credit = f->h.fwd_cnt + f->h.buf_alloc;
			vrig_give(f, 1);
		}
	}
	return sent;
}

static void vsock_stalls_nobody_when_reader_is_slow(void **state)
{
	uint32_t slow_port, other_port, credit = VSOCK_RING, sent, got = 0;
	struct vrig f;
	uint8_t bytes[8192];
	int slow, other;
	ssize_t n;

	(void)state;
	vrig_open(&f);
	slow = vrig_open_stream(&f, &slow_port);
	sent = fill(&f, slow_port, &credit);
	assert_int_equal(sent, credit); /* the guest knows that there is no room */
	other = vrig_open_stream(&f, &other_port);
	vrig_send_rw(&f, 1024, other_port, "still here", 10);
	vrig_expect_bytes(&f, other, "still here");
	/* The reader comes back: every byte in order, and credit again. */
	while ((n = read(slow, bytes, sizeof(bytes))) > 0) {
		for (ssize_t i = 0; i < n; i++, got++)
			assert_int_equal(bytes[i], (uint8_t)(got * 7 >> 3));
		rig_turn(&f.rig);
	}
	assert_int_equal(got, sent);
	vrig_expect(&f, VIRTIO_VSOCK_OP_CREDIT_UPDATE);
	assert_true(f.h.fwd_cnt + f.h.buf_alloc > credit);
	fd_drop(&slow);
	fd_drop(&other);
	vrig_close(&f);
}

static void vsock_resets_when_guest_sends_beyond_credit(void **state)
{
	uint32_t port, credit = VSOCK_RING;
	struct vrig f;
	int fd;

	(void)state;
	vrig_open(&f);
	fd = vrig_open_stream(&f, &port);
	fill(&f, port, &credit);
	vrig_send_rw(&f, 1024, port, "x", 1);
	vrig_give(&f, 4);
	do
		assert_true(vrig_came(&f));
	while (f.h.op == VIRTIO_VSOCK_OP_CREDIT_UPDATE);
	assert_int_equal(f.h.op, VIRTIO_VSOCK_OP_RST);
	fd_drop(&fd);
	vrig_close(&f);
}

static void vsock_gives_what_it_has_when_guest_has_ended(void **state)
{
	uint32_t port, credit = VSOCK_RING, sent, got = 0;
	struct vrig f;
	char bytes[8192];
	ssize_t n;
	int fd;

	(void)state;
	vrig_open(&f);
	fd = vrig_open_stream(&f, &port);
	sent = fill(&f, port, &credit);
	vrig_send_shutdown(&f, 1024, port, VIRTIO_VSOCK_SHUTDOWN_BOTH);
	vrig_give(&f, 4);
	vrig_expect(&f, VIRTIO_VSOCK_OP_RST); /* at once: the guest may use its port again */
	for (; (n = read(fd, bytes, sizeof(bytes))) > 0; got += (uint32_t)n)
		rig_turn(&f.rig);
	assert_int_equal(n, 0);
	assert_int_equal(got, sent);
	fd_drop(&fd);
	vrig_close(&f);
}

static void vsock_keeps_to_credit_of_guest(void **state)
{
	struct virtio_vsock_hdr h;
	uint32_t port, got = 0;
	struct vrig f;
	char bytes[1000];
	int fd;

	(void)state;
	memset(bytes, 'b', sizeof(bytes));
	vrig_open(&f);
	fd = vrig_open_stream(&f, &port);
	vrig_give(&f, 16);
	h = vrig_header(VIRTIO_VSOCK_OP_CREDIT_UPDATE, 1024, port);
	h.buf_alloc = 100;
	vrig_send(&f, h, "");
	assert_int_equal(write(fd, bytes, sizeof(bytes)), sizeof(bytes));
	while (got < sizeof(bytes)) {
		vrig_expect(&f, VIRTIO_VSOCK_OP_RW);
		assert_in_range(f.h.len, 1, 100);
		got += f.h.len;
		if (got % 100 == 0) {
			vrig_expect(&f, VIRTIO_VSOCK_OP_CREDIT_REQUEST);
			assert_false(vrig_came(&f));
			h.fwd_cnt = got;
			vrig_send(&f, h, "");
			vrig_give(&f, 2);
		}
	}
	assert_false(vrig_came(&f));
	/* A count that can't be: no room by it, so nothing is sent. */
	h.fwd_cnt = got + 1;
	vrig_send(&f, h, "");
	assert_int_equal(write(fd, "x", 1), 1);
	assert_false(vrig_came(&f));
	fd_drop(&fd);
	vrig_close(&f);
}

static void vsock_answers_when_asked_for_credit(void **state)
{
	struct vrig f;
	uint32_t port;
	int fd;

	(void)state;
	vrig_open(&f);
	fd = vrig_open_stream(&f, &port);
	vrig_send_rw(&f, 1024, port, "12345", 5);
	vrig_send_op(&f, VIRTIO_VSOCK_OP_CREDIT_REQUEST, 1024, port);
	vrig_expect(&f, VIRTIO_VSOCK_OP_CREDIT_UPDATE);
	assert_int_equal(f.h.fwd_cnt, 5);
	assert_int_equal(f.h.buf_alloc, VSOCK_RING);
	fd_drop(&fd);
	vrig_close(&f);
}

static void vsock_closes_halves(void **state)
{
	struct vrig f;
	uint32_t port;
	int fd;

	(void)state;
	vrig_open(&f);
	/* The guest first. */
	fd = vrig_open_stream(&f, &port);
	vrig_give(&f, 8);
	vrig_send_rw(&f, 1024, port, "last", 4);
	vrig_send_shutdown(&f, 1024, port, VIRTIO_VSOCK_SHUTDOWN_SEND);
	vrig_expect_bytes(&f, fd, "last");
	vrig_expect_bytes(&f, fd, ""); /* its end */
	assert_int_equal(write(fd, "more", 4), 4);
	vrig_expect(&f, VIRTIO_VSOCK_OP_RW);
	assert_int_equal(f.h.len, 4);
	fd_drop(&fd);
	vrig_expect(&f, VIRTIO_VSOCK_OP_SHUTDOWN);
	assert_int_equal(f.h.flags, VIRTIO_VSOCK_SHUTDOWN_BOTH);
	vrig_send_op(&f, VIRTIO_VSOCK_OP_RST, 1024, port);
	/* The host first. */
	fd = vrig_open_stream(&f, &port);
	vrig_give(&f, 8);
	assert_int_equal(write(fd, "last", 4), 4);
	assert_int_equal(shutdown(fd, SHUT_WR), 0);
	vrig_expect(&f, VIRTIO_VSOCK_OP_RW);
	vrig_expect(&f, VIRTIO_VSOCK_OP_SHUTDOWN);
	assert_int_equal(f.h.flags, VIRTIO_VSOCK_SHUTDOWN_SEND);
	vrig_send_rw(&f, 1024, port, "still", 5);
	vrig_expect_bytes(&f, fd, "still");
	vrig_send_shutdown(&f, 1024, port, VIRTIO_VSOCK_SHUTDOWN_BOTH);
	vrig_expect(&f, VIRTIO_VSOCK_OP_RST);
	vrig_expect_end(&f, &fd);
	/* The guest will not read: the host is told when it writes. */
	fd = vrig_open_stream(&f, &port);
	vrig_send_shutdown(&f, 1024, port, VIRTIO_VSOCK_SHUTDOWN_RCV);
	assert_int_equal(send(fd, "x", 1, MSG_NOSIGNAL), -1);
	assert_int_equal(errno, EPIPE);
	vrig_send_rw(&f, 1024, port, "y", 1);
	vrig_expect_bytes(&f, fd, "y");
	fd_drop(&fd);
	vrig_expect(&f, VIRTIO_VSOCK_OP_SHUTDOWN);
	vrig_close(&f);
}

static void vsock_drops_bytes_when_host_has_gone(void **state)
{
	struct vrig f;
	uint32_t port;
	int fd;

	(void)state;
	vrig_open(&f);
	fd = vrig_open_stream(&f, &port);
	vrig_give(&f, 8);
	assert_int_equal(write(fd, "left behind", 11), 11);
	fd_drop(&fd);
	vrig_expect(&f, VIRTIO_VSOCK_OP_RW);
	assert_int_equal(f.h.len, 11);
	vrig_expect(&f, VIRTIO_VSOCK_OP_SHUTDOWN);
	assert_int_equal(f.h.flags, VIRTIO_VSOCK_SHUTDOWN_BOTH);
	vrig_send_rw(&f, 1024, port, "for nobody", 10);
	vrig_send_op(&f, VIRTIO_VSOCK_OP_CREDIT_REQUEST, 1024, port);
	vrig_expect(&f, VIRTIO_VSOCK_OP_CREDIT_UPDATE);
	assert_int_equal(f.h.fwd_cnt, 10);
	vrig_send_op(&f, VIRTIO_VSOCK_OP_RST, 1024, port);
	vrig_send_rw(&f, 1024, port, "x", 1);
	vrig_expect(&f, VIRTIO_VSOCK_OP_RST);
	vrig_close(&f);
}

static void vsock_keeps_host_in_when_guest_opens_too_many(void **state)
{
	unsigned int resets = 0;
	struct vrig f;
	int fd;

	(void)state;
	vrig_open(&f);
	vrig_give(&f, 1);
	for (uint32_t i = 0; i < VSOCK_CONNS_GUEST + 3; i++) {
		vrig_send_op(&f, VIRTIO_VSOCK_OP_REQUEST, 10000 + i, 1);
		if (!vrig_came(&f))
			continue;
		assert_int_equal(f.h.op, VIRTIO_VSOCK_OP_RST);
		assert_true(i >= VSOCK_CONNS_GUEST);
		resets++;
		vrig_give(&f, 1);
	}
	assert_int_equal(resets, 3);
	fd = vrig_client(&f, "CONNECT 1\n");
	vrig_expect(&f, VIRTIO_VSOCK_OP_REQUEST);
	fd_drop(&fd);
	vrig_close(&f);
}

static void vsock_puts_oldest_silent_client_out_when_full(void **state)
{
	const struct rlimit many = {2048, 2048};
	int silent[VSOCK_CONNS], fd;
	struct vrig f;

	(void)state;
	if (setrlimit(RLIMIT_NOFILE, &many) < 0)
		skip();
	vrig_open(&f);
	vrig_give(&f, 1);
	for (unsigned int i = 0; i < VSOCK_CONNS; i++)
		silent[i] = vrig_client(&f, "");
	fd = vrig_client(&f, "CONNECT 1\n");
	vrig_expect(&f, VIRTIO_VSOCK_OP_REQUEST);
	vrig_expect_end(&f, &silent[0]);
	assert_int_equal(read(silent[1], &(char){0}, 1), -1);
	for (unsigned int i = 1; i < VSOCK_CONNS; i++)
		fd_drop(&silent[i]);
	fd_drop(&fd);
	vrig_close(&f);
}

static void vsock_serves_many_short_connections(void **state)
{
	struct vrig f;
	uint32_t port;

	(void)state;
	vrig_open(&f);
	for (unsigned int i = 0; i < 3 * VSOCK_CONNS; i++) {
		int fd = vrig_open_stream(&f, &port);

		vrig_send_rw(&f, 1024, port, "x", 1);
		vrig_expect_bytes(&f, fd, "x");
		vrig_send_shutdown(&f, 1024, port, VIRTIO_VSOCK_SHUTDOWN_BOTH);
		vrig_expect(&f, VIRTIO_VSOCK_OP_RST);
		vrig_expect_end(&f, &fd);
		assert_int_equal(port, VSOCK_FIRST_PORT + 1 + i);
	}
	vrig_close(&f);
}

static void vsock_stops_transmit_queue_when_resets_find_no_buffers(void **state)
{
	struct virtio_vsock_hdr h = vrig_header(VIRTIO_VSOCK_OP_RW, 1, 2);
	struct vrig f;

	(void)state;
	vrig_open(&f);
	for (unsigned int i = 0; i < VSOCK_RESETS; i++)
		vrig_send(&f, h, "");
	rig_desc(&f.rig, RIG_DESC(TX), 0, (struct rig_desc){TX_DATA, HDR, 0, 0});
	rig_offer(&f.rig, TX, 0);
	rig_kick(&f.rig, TX);
	assert_int_equal(rig_used(&f.rig, TX), f.sent);
	vrig_give(&f, 1);
	vrig_expect(&f, VIRTIO_VSOCK_OP_RST);
	assert_int_equal(rig_used(&f.rig, TX), f.sent + 1);
	vrig_close(&f);
}

static void vsock_ends_all_when_driver_begins_anew(void **state)
{
	struct vhost_user_vring_state base;
	struct vhost_user_header h;
	struct vrig f;
	uint32_t port;
	int fd;

	(void)state;
	vrig_open(&f);
	fd = vrig_open_stream(&f, &port);
	for (uint32_t q = 0; q < 3; q++) {
		base = (struct vhost_user_vring_state){q, 0};
		rig_send(&f.rig, VHOST_USER_GET_VRING_BASE, &base, sizeof(base), -1);
		assert_int_equal(rig_reply(&f.rig, &h, &base, sizeof(base)), sizeof(base));
	}
	assert_int_equal(write(fd, "x", 1), 1); /* goes nowhere */
	memset(rig_at(&f.rig, RIG_GPA), 0, 0x40000);
	rig_start(&f.rig, 3, 0);
	rig_turn(&f.rig);
	assert_int_equal(read(fd, &(char){0}, 1), -1); /* ECONNRESET: what it wrote was not read */
	fd_drop(&fd);
	f.given = f.seen = f.sent = 0;
	fd = vrig_open_stream(&f, &port);
	fd_drop(&fd);
	vrig_close(&f);
}

static void vsock_tells_guest_its_cid(void **state)
{
	struct {
		struct vhost_user_config head;
	} m = {{.size = 8}};
	struct vhost_user_header h;
	struct vrig f;
	uint64_t cid;

	(void)state;
	vrig_open(&f);
	rig_send(&f.rig, VHOST_USER_GET_CONFIG, &m, offsetof(struct vhost_user_config, bytes) + 8,
		-1);
	assert_true(rig_reply(&f.rig, &h, &m, sizeof(m)) > 0);
	memcpy(&cid, m.head.bytes, sizeof(cid));
	assert_int_equal(cid, CID);
	vrig_close(&f);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(vsock_connects_host_to_guest),
	cmocka_unit_test(vsock_takes_any_way_to_say_connect),
	cmocka_unit_test(vsock_waits_when_connect_comes_in_pieces),
	cmocka_unit_test(vsock_closes_client_when_guest_refuses),
	cmocka_unit_test(vsock_connects_guest_to_host),
	cmocka_unit_test(vsock_resets_when_nobody_listens_on_host),
	cmocka_unit_test(vsock_stalls_nobody_when_reader_is_slow),
	cmocka_unit_test(vsock_resets_when_guest_sends_beyond_credit),
	cmocka_unit_test(vsock_gives_what_it_has_when_guest_has_ended),
	cmocka_unit_test(vsock_keeps_to_credit_of_guest),
	cmocka_unit_test(vsock_answers_when_asked_for_credit),
	cmocka_unit_test(vsock_closes_halves),
	cmocka_unit_test(vsock_drops_bytes_when_host_has_gone),
	cmocka_unit_test(vsock_keeps_host_in_when_guest_opens_too_many),
	cmocka_unit_test(vsock_puts_oldest_silent_client_out_when_full),
	cmocka_unit_test(vsock_serves_many_short_connections),
	cmocka_unit_test(vsock_stops_transmit_queue_when_resets_find_no_buffers),
	cmocka_unit_test(vsock_ends_all_when_driver_begins_anew),
	cmocka_unit_test(vsock_tells_guest_its_cid),
};
UNIT_MAIN(tests)
