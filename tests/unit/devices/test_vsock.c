/* SPDX-License-Identifier: Apache-2.0 */
#include "devices/back/vsock.h"

#include "base/fd.h"
#include "devices/back/vsock_table.h"
#include "devices/wire/vsock_dial.h"
#include "tests/unit/devices/rig.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>

#define RX      VIRTIO_VSOCK_QUEUE_RX
#define TX      VIRTIO_VSOCK_QUEUE_TX
#define CID     UINT64_C(7)
#define BUFFER  4096u
#define TX_DATA (RIG_DATA + 0x60000u)
#define HDR     ((uint32_t)sizeof(struct virtio_vsock_hdr))

struct fixture {
	struct rig rig;
	struct vsock *vsock;
	int dial; /* the test's end: it plays the spawner */
	struct sockaddr_un addr;
	socklen_t addr_len;
	uint16_t given, seen,
		sent;          /* receive buffers given, of those used ones seen; packets sent */
	uint8_t bytes[BUFFER]; /* of the packet seen last */
	struct virtio_vsock_hdr h; /* its header */
};

/* listener() - an abstract socket of a name of the kernel's choice */
static int listener(struct fixture *f)
{
	struct sockaddr_un any = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&any, sizeof(sa_family_t)), 0);
	assert_int_equal(listen(fd, 1024), 0);
	f->addr_len = sizeof(f->addr);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&f->addr, &f->addr_len), 0);
	return fd;
}

static void open_vsock(struct fixture *f)
{
	struct vsock_config config = {.name = "test", .cid = CID};
	struct err e = ERR_INIT;
	int ends[2];

	memset(f, 0, sizeof(*f));
	rig_open(&f->rig);
	assert_int_equal(loop_create(&f->rig.loop, &e), 0);
	assert_int_equal(
		socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), 0);
	f->dial = ends[0];
	config.dial_fd = ends[1];
	config.listen_fd = listener(f);
	config.loop = f->rig.loop;
	assert_int_equal(vsock_create(&f->vsock, &config, &e), 0);
	rig_serve(&f->rig, vsock_device(f->vsock));
	rig_start(&f->rig, 3, VIRTIO_VSOCK_F_STREAM);
}

static void close_vsock(struct fixture *f)
{
	vhost_user_server_destroy(f->rig.server);
	f->rig.server = NULL;
	vsock_destroy(f->vsock);
	fd_drop(&f->dial);
	rig_close(&f->rig);
}

/* give() - n receive buffers of the driver's */
static void give(struct fixture *f, unsigned int n)
{
	while (n--) {
		uint16_t i = f->given++ % RIG_NUM;

		rig_desc(&f->rig, RIG_DESC(RX), i,
			(struct rig_desc){RIG_DATA + BUFFER * i, BUFFER, RIG_WRITE, 0});
		rig_offer(&f->rig, RX, i);
	}
	rig_kick(&f->rig, RX);
}

/* came() - Return: true if there is another packet; it is in f->h and f->bytes then. */
static bool came(struct fixture *f)
{
	uint32_t id, len;

	rig_turn(&f->rig);
	if (rig_used(&f->rig, RX) == f->seen)
		return false;
	memcpy(&id, rig_at(&f->rig, RIG_USED(RX) + 4 + 8 * (f->seen % RIG_NUM)), sizeof(id));
	len = rig_used_len(&f->rig, RX, f->seen++);
	memcpy(&f->h, rig_at(&f->rig, RIG_DATA + BUFFER * id), HDR);
	memcpy(f->bytes, rig_at(&f->rig, RIG_DATA + BUFFER * id + HDR), BUFFER - HDR);
	assert_int_equal(len, HDR + f->h.len);
	assert_int_equal(f->h.src_cid, VIRTIO_VSOCK_CID_HOST);
	assert_int_equal(f->h.dst_cid, CID);
	assert_int_equal(f->h.type, VIRTIO_VSOCK_TYPE_STREAM);
	return true;
}

static void expect(struct fixture *f, enum virtio_vsock_op op)
{
	assert_true(came(f));
	assert_int_equal(f->h.op, op);
}

static struct virtio_vsock_hdr header(enum virtio_vsock_op op, uint32_t from, uint32_t to)
{
	return (struct virtio_vsock_hdr){
		.src_cid = CID,
		.dst_cid = VIRTIO_VSOCK_CID_HOST,
		.src_port = from,
		.dst_port = to,
		.type = VIRTIO_VSOCK_TYPE_STREAM,
		.op = (uint16_t)op,
		.buf_alloc = 65536,
	};
}

static void send_packet(struct fixture *f, struct virtio_vsock_hdr h, const void *bytes)
{
	memcpy(rig_at(&f->rig, TX_DATA), &h, HDR);
	memcpy(rig_at(&f->rig, TX_DATA + HDR), bytes, h.len);
	rig_desc(&f->rig, RIG_DESC(TX), 0, (struct rig_desc){TX_DATA, HDR + h.len, 0, 0});
	rig_offer(&f->rig, TX, 0);
	rig_kick(&f->rig, TX);
	assert_int_equal(rig_used(&f->rig, TX), ++f->sent);
}

static void send_op(struct fixture *f, enum virtio_vsock_op op, uint32_t from, uint32_t to)
{
	send_packet(f, header(op, from, to), "");
}

static void send_rw(struct fixture *f, uint32_t from, uint32_t to, const void *bytes, uint32_t len)
{
	struct virtio_vsock_hdr h = header(VIRTIO_VSOCK_OP_RW, from, to);

	h.len = len;
	send_packet(f, h, bytes);
}

static void send_shutdown(struct fixture *f, uint32_t from, uint32_t to, uint32_t flags)
{
	struct virtio_vsock_hdr h = header(VIRTIO_VSOCK_OP_SHUTDOWN, from, to);

	h.flags = flags;
	send_packet(f, h, "");
}

/* client() - a connection of the host's that has said `text` */
static int client(struct fixture *f, const char *text)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	assert_int_equal(connect(fd, (struct sockaddr *)&f->addr, f->addr_len), 0);
	assert_int_equal(fd_write_full(fd, text, strlen(text)), 0);
	rig_turn(&f->rig);
	return fd;
}

static void expect_bytes(struct fixture *f, int fd, const char *text)
{
	char got[64];
	ssize_t n;

	rig_turn(&f->rig);
	n = read(fd, got, sizeof(got));
	assert_int_equal(n, strlen(text));
	assert_memory_equal(got, text, strlen(text));
}

static void expect_end(struct fixture *f, int *fd)
{
	ssize_t n;
	char c;

	rig_turn(&f->rig);
	n = read(*fd, &c, 1);
	assert_true(n == 0 || (n < 0 && errno == ECONNRESET)); /* that: not all was read */
	fd_drop(fd);
}

/* open_stream() - of the host's, to port 1024. Return: its end; *port: the host's port */
static int open_stream(struct fixture *f, uint32_t *port)
{
	int fd = client(f, "CONNECT 1024\n");
	char line[32];

	give(f, 2);
	expect(f, VIRTIO_VSOCK_OP_REQUEST);
	assert_int_equal(f->h.dst_port, 1024);
	*port = f->h.src_port;
	send_op(f, VIRTIO_VSOCK_OP_RESPONSE, 1024, *port);
	snprintf(line, sizeof(line), "OK %u\n", *port);
	expect_bytes(f, fd, line);
	return fd;
}

/* dialed() - answer the request to dial that must be there. Return: the host's end, -1: refused */
static int dialed(struct fixture *f, uint32_t port, int status)
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
	struct fixture f;
	uint32_t port;
	int fd;

	(void)state;
	open_vsock(&f);
	fd = client(&f, "CONNECT 1024\nand on");
	give(&f, 1);
	expect(&f, VIRTIO_VSOCK_OP_REQUEST);
	assert_int_equal(f.h.dst_port, 1024);
	assert_true(f.h.src_port >= VSOCK_FIRST_PORT);
	assert_int_equal(f.h.buf_alloc, VSOCK_RING);
	port = f.h.src_port;
	give(&f, 1);
	assert_false(came(&f));
	send_op(&f, VIRTIO_VSOCK_OP_RESPONSE, 1024, port);
	expect_bytes(&f, fd, "OK 1073741825\n");
	expect(&f, VIRTIO_VSOCK_OP_RW);
	assert_int_equal(f.h.len, 6);
	assert_memory_equal(f.bytes, "and on", 6);
	send_rw(&f, 1024, port, "back", 4);
	expect_bytes(&f, fd, "back");
	fd_drop(&fd);
	close_vsock(&f);
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
	struct fixture f;

	(void)state;
	open_vsock(&f);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		int fd = client(&f, rows[i].text);

		give(&f, 2);
		if (rows[i].port < 0) {
			expect_end(&f, &fd);
			continue;
		}
		expect(&f, VIRTIO_VSOCK_OP_REQUEST);
		assert_int_equal(f.h.dst_port, rows[i].port);
		fd_drop(&fd);
		expect(&f, VIRTIO_VSOCK_OP_RST);
	}
	close_vsock(&f);
}

static void vsock_waits_when_connect_comes_in_pieces(void **state)
{
	static const char text[] = "CONNECT 12\nx";
	struct fixture f;
	int fd;

	(void)state;
	open_vsock(&f);
	give(&f, 2);
	fd = client(&f, "");
	for (size_t i = 0; i < sizeof(text) - 1; i++) {
		assert_false(came(&f));
		assert_int_equal(write(fd, text + i, 1), 1);
		if (text[i] == '\n')
			expect(&f, VIRTIO_VSOCK_OP_REQUEST);
	}
	send_op(&f, VIRTIO_VSOCK_OP_RESPONSE, 12, f.h.src_port);
	expect(&f, VIRTIO_VSOCK_OP_RW);
	assert_int_equal(f.bytes[0], 'x');
	fd_drop(&fd);
	close_vsock(&f);
}

static void vsock_closes_client_when_guest_refuses(void **state)
{
	struct fixture f;
	int fd;

	(void)state;
	open_vsock(&f);
	fd = client(&f, "CONNECT 9\n");
	give(&f, 2);
	expect(&f, VIRTIO_VSOCK_OP_REQUEST);
	send_op(&f, VIRTIO_VSOCK_OP_RST, 9, f.h.src_port);
	expect_end(&f, &fd);
	assert_false(came(&f));
	close_vsock(&f);
}

static void vsock_connects_guest_to_host(void **state)
{
	struct fixture f;
	int fd;

	(void)state;
	open_vsock(&f);
	give(&f, 8);
	send_op(&f, VIRTIO_VSOCK_OP_REQUEST, 700, 5000);
	assert_false(came(&f));
	fd = dialed(&f, 5000, 0);
	expect(&f, VIRTIO_VSOCK_OP_RESPONSE);
	assert_int_equal(f.h.src_port, 5000);
	assert_int_equal(f.h.dst_port, 700);
	send_rw(&f, 700, 5000, "ping", 4);
	expect_bytes(&f, fd, "ping");
	assert_int_equal(write(fd, "pong", 4), 4);
	expect(&f, VIRTIO_VSOCK_OP_RW);
	assert_memory_equal(f.bytes, "pong", 4);
	send_shutdown(&f, 700, 5000, VIRTIO_VSOCK_SHUTDOWN_BOTH);
	expect(&f, VIRTIO_VSOCK_OP_RST);
	expect_end(&f, &fd);
	/* The pair is free again. */
	send_op(&f, VIRTIO_VSOCK_OP_REQUEST, 700, 5000);
	fd = dialed(&f, 5000, 0);
	expect(&f, VIRTIO_VSOCK_OP_RESPONSE);
	fd_drop(&fd);
	close_vsock(&f);
}

static void vsock_resets_when_nobody_listens_on_host(void **state)
{
	struct fixture f;
	int fd;

	(void)state;
	open_vsock(&f);
	give(&f, 4);
	send_op(&f, VIRTIO_VSOCK_OP_REQUEST, 700, 5001);
	fd = dialed(&f, 5001, -ENOENT);
	fd_drop(&fd);
	expect(&f, VIRTIO_VSOCK_OP_RST);
	assert_int_equal(f.h.dst_port, 700);
	/* An answer that comes when the guest has given up is for nobody. */
	send_op(&f, VIRTIO_VSOCK_OP_REQUEST, 700, 5001);
	send_op(&f, VIRTIO_VSOCK_OP_RST, 700, 5001);
	fd = dialed(&f, 5001, 0);
	expect_end(&f, &fd);
	assert_false(came(&f));
	/* Nobody to ask any more. */
	send_op(&f, VIRTIO_VSOCK_OP_REQUEST, 701, 5001);
	fd_drop(&f.dial);
	expect(&f, VIRTIO_VSOCK_OP_RST);
	send_op(&f, VIRTIO_VSOCK_OP_REQUEST, 702, 5001);
	expect(&f, VIRTIO_VSOCK_OP_RST);
	close_vsock(&f);
}

/* fill() - have the guest send until the host's kernel and the ring are full. Return: bytes */
static uint32_t fill(struct fixture *f, uint32_t port, uint32_t *credit)
{
	static uint8_t bytes[16384];
	uint32_t sent = 0;

	while (sent + sizeof(bytes) <= *credit) {
		for (size_t i = 0; i < sizeof(bytes); i++)
			bytes[i] = (uint8_t)((sent + i) * 7 >> 3);
		send_rw(f, 1024, port, bytes, sizeof(bytes));
		sent += (uint32_t)sizeof(bytes);
		while (came(f)) {
			assert_int_equal(f->h.op, VIRTIO_VSOCK_OP_CREDIT_UPDATE);
			*credit = f->h.fwd_cnt + f->h.buf_alloc;
			give(f, 1);
		}
	}
	return sent;
}

static void vsock_stalls_nobody_when_reader_is_slow(void **state)
{
	uint32_t slow_port, other_port, credit = VSOCK_RING, sent, got = 0;
	struct fixture f;
	uint8_t bytes[8192];
	int slow, other;
	ssize_t n;

	(void)state;
	open_vsock(&f);
	slow = open_stream(&f, &slow_port);
	sent = fill(&f, slow_port, &credit);
	assert_int_equal(sent, credit); /* the guest knows that there is no room */
	other = open_stream(&f, &other_port);
	send_rw(&f, 1024, other_port, "still here", 10);
	expect_bytes(&f, other, "still here");
	/* The reader comes back: every byte in order, and credit again. */
	while ((n = read(slow, bytes, sizeof(bytes))) > 0) {
		for (ssize_t i = 0; i < n; i++, got++)
			assert_int_equal(bytes[i], (uint8_t)(got * 7 >> 3));
		rig_turn(&f.rig);
	}
	assert_int_equal(got, sent);
	expect(&f, VIRTIO_VSOCK_OP_CREDIT_UPDATE);
	assert_true(f.h.fwd_cnt + f.h.buf_alloc > credit);
	fd_drop(&slow);
	fd_drop(&other);
	close_vsock(&f);
}

static void vsock_resets_when_guest_sends_beyond_credit(void **state)
{
	uint32_t port, credit = VSOCK_RING;
	struct fixture f;
	int fd;

	(void)state;
	open_vsock(&f);
	fd = open_stream(&f, &port);
	fill(&f, port, &credit);
	send_rw(&f, 1024, port, "x", 1);
	give(&f, 4);
	do
		assert_true(came(&f));
	while (f.h.op == VIRTIO_VSOCK_OP_CREDIT_UPDATE);
	assert_int_equal(f.h.op, VIRTIO_VSOCK_OP_RST);
	fd_drop(&fd);
	close_vsock(&f);
}

static void vsock_gives_what_it_has_when_guest_has_ended(void **state)
{
	uint32_t port, credit = VSOCK_RING, sent, got = 0;
	struct fixture f;
	char bytes[8192];
	ssize_t n;
	int fd;

	(void)state;
	open_vsock(&f);
	fd = open_stream(&f, &port);
	sent = fill(&f, port, &credit);
	send_shutdown(&f, 1024, port, VIRTIO_VSOCK_SHUTDOWN_BOTH);
	give(&f, 4);
	expect(&f, VIRTIO_VSOCK_OP_RST); /* at once: the guest may use its port again */
	for (; (n = read(fd, bytes, sizeof(bytes))) > 0; got += (uint32_t)n)
		rig_turn(&f.rig);
	assert_int_equal(n, 0);
	assert_int_equal(got, sent);
	fd_drop(&fd);
	close_vsock(&f);
}

static void vsock_keeps_to_credit_of_guest(void **state)
{
	struct virtio_vsock_hdr h;
	uint32_t port, got = 0;
	struct fixture f;
	char bytes[1000];
	int fd;

	(void)state;
	memset(bytes, 'b', sizeof(bytes));
	open_vsock(&f);
	fd = open_stream(&f, &port);
	give(&f, 16);
	h = header(VIRTIO_VSOCK_OP_CREDIT_UPDATE, 1024, port);
	h.buf_alloc = 100;
	send_packet(&f, h, "");
	assert_int_equal(write(fd, bytes, sizeof(bytes)), sizeof(bytes));
	while (got < sizeof(bytes)) {
		expect(&f, VIRTIO_VSOCK_OP_RW);
		assert_in_range(f.h.len, 1, 100);
		got += f.h.len;
		if (got % 100 == 0) {
			expect(&f, VIRTIO_VSOCK_OP_CREDIT_REQUEST);
			assert_false(came(&f));
			h.fwd_cnt = got;
			send_packet(&f, h, "");
			give(&f, 2);
		}
	}
	assert_false(came(&f));
	/* A count that can't be: no room by it, so nothing is sent. */
	h.fwd_cnt = got + 1;
	send_packet(&f, h, "");
	assert_int_equal(write(fd, "x", 1), 1);
	assert_false(came(&f));
	fd_drop(&fd);
	close_vsock(&f);
}

static void vsock_answers_when_asked_for_credit(void **state)
{
	struct fixture f;
	uint32_t port;
	int fd;

	(void)state;
	open_vsock(&f);
	fd = open_stream(&f, &port);
	send_rw(&f, 1024, port, "12345", 5);
	send_op(&f, VIRTIO_VSOCK_OP_CREDIT_REQUEST, 1024, port);
	expect(&f, VIRTIO_VSOCK_OP_CREDIT_UPDATE);
	assert_int_equal(f.h.fwd_cnt, 5);
	assert_int_equal(f.h.buf_alloc, VSOCK_RING);
	fd_drop(&fd);
	close_vsock(&f);
}

static void vsock_closes_halves(void **state)
{
	struct fixture f;
	uint32_t port;
	int fd;

	(void)state;
	open_vsock(&f);
	/* The guest first. */
	fd = open_stream(&f, &port);
	give(&f, 8);
	send_rw(&f, 1024, port, "last", 4);
	send_shutdown(&f, 1024, port, VIRTIO_VSOCK_SHUTDOWN_SEND);
	expect_bytes(&f, fd, "last");
	expect_bytes(&f, fd, ""); /* its end */
	assert_int_equal(write(fd, "more", 4), 4);
	expect(&f, VIRTIO_VSOCK_OP_RW);
	assert_int_equal(f.h.len, 4);
	fd_drop(&fd);
	expect(&f, VIRTIO_VSOCK_OP_SHUTDOWN);
	assert_int_equal(f.h.flags, VIRTIO_VSOCK_SHUTDOWN_BOTH);
	send_op(&f, VIRTIO_VSOCK_OP_RST, 1024, port);
	/* The host first. */
	fd = open_stream(&f, &port);
	give(&f, 8);
	assert_int_equal(write(fd, "last", 4), 4);
	assert_int_equal(shutdown(fd, SHUT_WR), 0);
	expect(&f, VIRTIO_VSOCK_OP_RW);
	expect(&f, VIRTIO_VSOCK_OP_SHUTDOWN);
	assert_int_equal(f.h.flags, VIRTIO_VSOCK_SHUTDOWN_SEND);
	send_rw(&f, 1024, port, "still", 5);
	expect_bytes(&f, fd, "still");
	send_shutdown(&f, 1024, port, VIRTIO_VSOCK_SHUTDOWN_BOTH);
	expect(&f, VIRTIO_VSOCK_OP_RST);
	expect_end(&f, &fd);
	/* The guest will not read: the host is told when it writes. */
	fd = open_stream(&f, &port);
	send_shutdown(&f, 1024, port, VIRTIO_VSOCK_SHUTDOWN_RCV);
	assert_int_equal(send(fd, "x", 1, MSG_NOSIGNAL), -1);
	assert_int_equal(errno, EPIPE);
	send_rw(&f, 1024, port, "y", 1);
	expect_bytes(&f, fd, "y");
	fd_drop(&fd);
	expect(&f, VIRTIO_VSOCK_OP_SHUTDOWN);
	close_vsock(&f);
}

static void vsock_drops_bytes_when_host_has_gone(void **state)
{
	struct fixture f;
	uint32_t port;
	int fd;

	(void)state;
	open_vsock(&f);
	fd = open_stream(&f, &port);
	give(&f, 8);
	assert_int_equal(write(fd, "left behind", 11), 11);
	fd_drop(&fd);
	expect(&f, VIRTIO_VSOCK_OP_RW);
	assert_int_equal(f.h.len, 11);
	expect(&f, VIRTIO_VSOCK_OP_SHUTDOWN);
	assert_int_equal(f.h.flags, VIRTIO_VSOCK_SHUTDOWN_BOTH);
	send_rw(&f, 1024, port, "for nobody", 10);
	send_op(&f, VIRTIO_VSOCK_OP_CREDIT_REQUEST, 1024, port);
	expect(&f, VIRTIO_VSOCK_OP_CREDIT_UPDATE);
	assert_int_equal(f.h.fwd_cnt, 10);
	send_op(&f, VIRTIO_VSOCK_OP_RST, 1024, port);
	send_rw(&f, 1024, port, "x", 1);
	expect(&f, VIRTIO_VSOCK_OP_RST);
	close_vsock(&f);
}

static void vsock_keeps_host_in_when_guest_opens_too_many(void **state)
{
	unsigned int resets = 0;
	struct fixture f;
	int fd;

	(void)state;
	open_vsock(&f);
	give(&f, 1);
	for (uint32_t i = 0; i < VSOCK_CONNS_GUEST + 3; i++) {
		send_op(&f, VIRTIO_VSOCK_OP_REQUEST, 10000 + i, 1);
		if (!came(&f))
			continue;
		assert_int_equal(f.h.op, VIRTIO_VSOCK_OP_RST);
		assert_true(i >= VSOCK_CONNS_GUEST);
		resets++;
		give(&f, 1);
	}
	assert_int_equal(resets, 3);
	fd = client(&f, "CONNECT 1\n");
	expect(&f, VIRTIO_VSOCK_OP_REQUEST);
	fd_drop(&fd);
	close_vsock(&f);
}

static void vsock_puts_oldest_silent_client_out_when_full(void **state)
{
	const struct rlimit many = {2048, 2048};
	int silent[VSOCK_CONNS], fd;
	struct fixture f;

	(void)state;
	if (setrlimit(RLIMIT_NOFILE, &many) < 0)
		skip();
	open_vsock(&f);
	give(&f, 1);
	for (unsigned int i = 0; i < VSOCK_CONNS; i++)
		silent[i] = client(&f, "");
	fd = client(&f, "CONNECT 1\n");
	expect(&f, VIRTIO_VSOCK_OP_REQUEST);
	expect_end(&f, &silent[0]);
	assert_int_equal(read(silent[1], &(char){0}, 1), -1);
	for (unsigned int i = 1; i < VSOCK_CONNS; i++)
		fd_drop(&silent[i]);
	fd_drop(&fd);
	close_vsock(&f);
}

static void vsock_serves_many_short_connections(void **state)
{
	struct fixture f;
	uint32_t port;

	(void)state;
	open_vsock(&f);
	for (unsigned int i = 0; i < 3 * VSOCK_CONNS; i++) {
		int fd = open_stream(&f, &port);

		send_rw(&f, 1024, port, "x", 1);
		expect_bytes(&f, fd, "x");
		send_shutdown(&f, 1024, port, VIRTIO_VSOCK_SHUTDOWN_BOTH);
		expect(&f, VIRTIO_VSOCK_OP_RST);
		expect_end(&f, &fd);
		assert_int_equal(port, VSOCK_FIRST_PORT + 1 + i);
	}
	close_vsock(&f);
}

static void vsock_stops_transmit_queue_when_resets_find_no_buffers(void **state)
{
	struct virtio_vsock_hdr h = header(VIRTIO_VSOCK_OP_RW, 1, 2);
	struct fixture f;

	(void)state;
	open_vsock(&f);
	for (unsigned int i = 0; i < VSOCK_RESETS; i++)
		send_packet(&f, h, "");
	rig_desc(&f.rig, RIG_DESC(TX), 0, (struct rig_desc){TX_DATA, HDR, 0, 0});
	rig_offer(&f.rig, TX, 0);
	rig_kick(&f.rig, TX);
	assert_int_equal(rig_used(&f.rig, TX), f.sent);
	give(&f, 1);
	expect(&f, VIRTIO_VSOCK_OP_RST);
	assert_int_equal(rig_used(&f.rig, TX), f.sent + 1);
	close_vsock(&f);
}

static void vsock_ends_all_when_driver_begins_anew(void **state)
{
	struct vhost_user_vring_state base;
	struct vhost_user_header h;
	struct fixture f;
	uint32_t port;
	int fd;

	(void)state;
	open_vsock(&f);
	fd = open_stream(&f, &port);
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
	fd = open_stream(&f, &port);
	fd_drop(&fd);
	close_vsock(&f);
}

enum outcome { BREAKS, RESETS, IGNORES };

/* Packets that are wrong. Where the specification says nothing of a case, ours is the reason. */
static void vsock_answers_wrong_packets_as_specified(void **state)
{
	static const struct {
		const char *spec;
		struct virtio_vsock_hdr h;
		uint32_t chain_len; /* 0: as h says */
		uint16_t flags;     /* of the descriptor */
		enum outcome outcome;
	} rows[] = {
#define FROM(cid, to, ...)                                                                         \
	{.src_cid = (cid), .dst_cid = (to), .src_port = 1, .dst_port = 2, __VA_ARGS__}
#define HOST(...) FROM(CID, 2, .type = 1, __VA_ARGS__)
		{"5.10.6: shorter than a header", HOST(.op = 5), HDR - 1, 0, BREAKS},
		{"5.10.6: len beyond the buffers", HOST(.op = 5, .len = 9), HDR + 8, 0, BREAKS},
		{"5.10.6: len near 4 GiB", HOST(.op = 5, .len = UINT32_MAX), HDR, 0, BREAKS},
		{"5.10.6: writable", HOST(.op = 5), HDR, RIG_WRITE, BREAKS},
		{"5.10.6.4.1: unknown type", FROM(CID, 2, .type = 9, .op = 1), 0, 0, RESETS},
		{"5.10.6.4.1: seqpacket was not offered", FROM(CID, 2, .type = 2, .op = 1), 0, 0,
			RESETS},
		{"5.10.6.4: another's CID", FROM(CID + 1, 2, .type = 1, .op = 1), 0, 0, IGNORES},
		{"5.10.6.4: not for the host", FROM(CID, 9, .type = 1, .op = 1), 0, 0, IGNORES},
		{"5.10.6.4: a CID of 64 bits", FROM(CID | UINT64_C(1) << 32, 2, .type = 1, .op = 1),
			0, 0, IGNORES},
		{"5.10.6.5: RST is not answered", HOST(.op = 3), 0, 0, IGNORES},
		{"5.10.6.5: RESPONSE to no request", HOST(.op = 2), 0, 0, RESETS},
		{"5.10.6.5: SHUTDOWN of nothing", HOST(.op = 4, .flags = 3), 0, 0, RESETS},
		{"5.10.6: no operation", HOST(.op = 0), 0, 0, RESETS},
		{"5.10.6: unknown operation", HOST(.op = 8), 0, 0, RESETS},
		{"5.10.6: bytes for nobody", HOST(.op = 5, .len = 8), 0, 0, RESETS},
		{"5.10.6.3: credit of nothing", HOST(.op = 6), 0, 0, RESETS},
		{"5.10.6.3: credit of nothing", HOST(.op = 7), 0, 0, RESETS},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint32_t len = rows[i].chain_len ? rows[i].chain_len : HDR + rows[i].h.len;
		struct fixture f;

		open_vsock(&f);
		give(&f, 2);
		memcpy(rig_at(&f.rig, TX_DATA), &rows[i].h, HDR);
		rig_desc(
			&f.rig, RIG_DESC(TX), 0, (struct rig_desc){TX_DATA, len, rows[i].flags, 0});
		rig_offer(&f.rig, TX, 0);
		rig_kick(&f.rig, TX);
		if (rig_count(f.rig.err[TX]) != (rows[i].outcome == BREAKS) ||
			came(&f) != (rows[i].outcome == RESETS))
			fail_msg("%s", rows[i].spec);
		if (rows[i].outcome == RESETS)
			assert_int_equal(f.h.op, VIRTIO_VSOCK_OP_RST);
		close_vsock(&f);
	}
}

/* The same in an open connection: it ends, nothing else does. */
static void vsock_ends_connection_when_packet_is_out_of_order(void **state)
{
	static const struct virtio_vsock_hdr rows[] = {
		HOST(.op = 1), /* a second REQUEST (spec 5.10.6.5) */
		HOST(.op = 2), /* a second RESPONSE */
		HOST(.op = 0),
		HOST(.op = 8),
		HOST(.op = UINT16_MAX),
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct virtio_vsock_hdr h = rows[i];
		uint32_t port, other_port;
		struct fixture f;
		int fd, other;

		open_vsock(&f);
		other = open_stream(&f, &other_port);
		fd = open_stream(&f, &port);
		h.src_port = 1024;
		h.dst_port = port;
		send_packet(&f, h, "");
		expect(&f, VIRTIO_VSOCK_OP_RST);
		assert_int_equal(f.h.src_port, port);
		expect_end(&f, &fd);
		send_rw(&f, 1024, other_port, "well", 4);
		expect_bytes(&f, other, "well");
		fd_drop(&other);
		close_vsock(&f);
	}
}

static void vsock_breaks_when_receive_buffer_is_wrong(void **state)
{
	static const struct rig_desc rows[] = {
		{RIG_DATA, HDR - 1, RIG_WRITE, 0},
		{RIG_DATA, BUFFER, 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct fixture f;

		open_vsock(&f);
		rig_desc(&f.rig, RIG_DESC(RX), 0, rows[i]);
		rig_offer(&f.rig, RX, 0);
		send_op(&f, VIRTIO_VSOCK_OP_CREDIT_REQUEST, 1, 2);
		assert_int_equal(rig_count(f.rig.err[RX]), 1);
		close_vsock(&f);
	}
}

static void vsock_tells_guest_its_cid(void **state)
{
	struct {
		struct vhost_user_config head;
	} m = {{.size = 8}};
	struct vhost_user_header h;
	struct fixture f;
	uint64_t cid;

	(void)state;
	open_vsock(&f);
	rig_send(&f.rig, VHOST_USER_GET_CONFIG, &m, offsetof(struct vhost_user_config, bytes) + 8,
		-1);
	assert_true(rig_reply(&f.rig, &h, &m, sizeof(m)) > 0);
	memcpy(&cid, m.head.bytes, sizeof(cid));
	assert_int_equal(cid, CID);
	close_vsock(&f);
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
	cmocka_unit_test(vsock_answers_wrong_packets_as_specified),
	cmocka_unit_test(vsock_ends_connection_when_packet_is_out_of_order),
	cmocka_unit_test(vsock_breaks_when_receive_buffer_is_wrong),
	cmocka_unit_test(vsock_tells_guest_its_cid),
};
UNIT_MAIN(tests)
