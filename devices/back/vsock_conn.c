/* SPDX-License-Identifier: Apache-2.0 */
/* One vsock stream; see devices/back/vsock_conn.h. */
#include "devices/back/vsock_conn.h"

#include "base/num.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>

/* What goes before data; SHUTDOWN goes behind, so that it can say all at once. */
#define WANT_BEFORE_DATA (VSOCK_WANT(VIRTIO_VSOCK_OP_SHUTDOWN) - 1)

/* conn_credit() - Return: bytes that the guest has room for (spec 5.10.6.3). */
static uint32_t conn_credit(const struct vsock_conn *c)
{
	uint32_t on_the_way = c->sent - c->guest_taken;

	return on_the_way < c->guest_alloc ? c->guest_alloc - on_the_way : 0;
}

/* conn_may_read() - Return: true if bytes may be at the socket and the guest will take some. */
static bool conn_may_read(const struct vsock_conn *c)
{
	return c->state == VSOCK_OPEN && c->readable &&
		!(c->guest_shut & VIRTIO_VSOCK_SHUTDOWN_RCV);
}

bool vsock_conn_pending(const struct vsock_conn *c)
{
	return c->want || (conn_may_read(c) && conn_credit(c));
}

/* conn_tell_shut() - the host will send or receive no more. */
static void conn_tell_shut(struct vsock_conn *c, uint32_t flags)
{
	if (!(flags & ~c->host_shut))
		return;
	c->host_shut |= flags;
	if (c->state == VSOCK_OPEN)
		c->want |= VSOCK_WANT(VIRTIO_VSOCK_OP_SHUTDOWN);
}

/* conn_taken() - the reader took len bytes: does the guest have to know? */
static void conn_taken(struct vsock_conn *c, uint32_t len)
{
	c->taken += len;
	if (c->state == VSOCK_OPEN && c->taken - c->taken_told >= VSOCK_RING / 2)
		c->want |= VSOCK_WANT(VIRTIO_VSOCK_OP_CREDIT_UPDATE);
}

/* conn_deaf() - nobody reads on the host: what comes now is lost, as on any broken stream. */
static void conn_deaf(struct vsock_conn *c)
{
	conn_taken(c, c->ring.used);
	vsock_ring_clear(&c->ring);
	conn_tell_shut(c, VIRTIO_VSOCK_SHUTDOWN_RCV);
}

/* conn_write() - Return: bytes that the host's side took now. */
static uint32_t conn_write(struct vsock_conn *c, struct iovec *iov, unsigned int n)
{
	const struct msghdr msg = {.msg_iov = iov, .msg_iovlen = n};
	ssize_t done = sendmsg(c->source.fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (done >= 0)
		return (uint32_t)done;
	if (errno != EAGAIN && errno != EINTR)
		conn_deaf(c);
	return 0;
}

/* conn_eof() - the guest has sent its last byte, and the host has got it */
static void conn_eof(struct vsock_conn *c)
{
	if (c->wrote_eof || c->ring.used || !(c->guest_shut & VIRTIO_VSOCK_SHUTDOWN_SEND))
		return;
	c->wrote_eof = true;
	if (c->source.fd >= 0)
		shutdown(c->source.fd, SHUT_WR);
}

static void conn_flush(struct vsock_conn *c)
{
	struct iovec iov[2];
	unsigned int n = vsock_ring_peek(&c->ring, iov);
	uint32_t done;

	if (!n)
		return;
	done = conn_write(c, iov, n);
	if (!c->ring.used) /* nobody reads */
		return;
	vsock_ring_drop(&c->ring, done);
	conn_taken(c, done);
	conn_eof(c);
}

/* conn_keep() - put what the host did not take, all but the first `done` bytes, into the ring. */
static void conn_keep(struct vsock_conn *c, const struct vsock_payload *p, uint32_t done)
{
	for (unsigned int i = 0; i < p->n; i++) {
		uint32_t len = (uint32_t)p->iov[i].iov_len, skip = (uint32_t)min_u64(done, len);

		vsock_ring_put(&c->ring, (uint8_t *)p->iov[i].iov_base + skip, len - skip);
		done -= skip;
	}
}

static int conn_rw(struct vsock_conn *c, struct vsock_payload *p)
{
	uint32_t done = 0;

	if (c->state != VSOCK_OPEN || (c->guest_shut & VIRTIO_VSOCK_SHUTDOWN_SEND))
		return -EPROTO;
	/* Its credit, by what it was told (spec 5.10.6.3.1). */
	if (p->len > VSOCK_RING - (c->taken - c->taken_told + c->ring.used))
		return -EPROTO;
	if (!(c->host_shut & VIRTIO_VSOCK_SHUTDOWN_RCV) && !c->ring.used && p->len)
		done = conn_write(c, p->iov, p->n);
	if (c->host_shut & VIRTIO_VSOCK_SHUTDOWN_RCV)
		done = p->len;
	conn_taken(c, done);
	if (done < p->len)
		conn_keep(c, p, done);
	return 0;
}

static int conn_shutdown(struct vsock_conn *c, uint32_t flags)
{
	if (c->state != VSOCK_OPEN)
		return -EPROTO;
	c->guest_shut |= flags & VIRTIO_VSOCK_SHUTDOWN_BOTH;
	if (c->guest_shut == VIRTIO_VSOCK_SHUTDOWN_BOTH) {
		vsock_conn_end(c, true); /* the clean end (spec 5.10.6.5) */
		return 0;
	}
	if ((flags & VIRTIO_VSOCK_SHUTDOWN_RCV) && c->source.fd >= 0)
		shutdown(c->source.fd, SHUT_RD);
	conn_eof(c);
	return 0;
}

/* conn_response() - the guest accepts: say so to the host, who waits for this line alone. */
static int conn_response(struct vsock_conn *c)
{
	char line[24];
	struct iovec iov = {.iov_base = line};

	if (c->state != VSOCK_ASKED)
		return -EPROTO;
	iov.iov_len = (size_t)snprintf(line, sizeof(line), "OK %u\n", c->host_port);
	c->state = VSOCK_OPEN;
	c->want = 0;
	if (conn_write(c, &iov, 1) != iov.iov_len)
		return -EPROTO;
	c->readable = true; /* the host may have written on, with the edge long gone */
	return 0;
}

static int conn_op(struct vsock_conn *c, const struct virtio_vsock_hdr *h, struct vsock_payload *p)
{
	switch (h->op) {
	case VIRTIO_VSOCK_OP_RESPONSE:
		return conn_response(c);
	case VIRTIO_VSOCK_OP_RST:
		vsock_conn_end(c, false);
		return 0;
	case VIRTIO_VSOCK_OP_SHUTDOWN:
		return conn_shutdown(c, h->flags);
	case VIRTIO_VSOCK_OP_RW:
		return conn_rw(c, p);
	case VIRTIO_VSOCK_OP_CREDIT_UPDATE:
		return c->state == VSOCK_OPEN ? 0 : -EPROTO;
	case VIRTIO_VSOCK_OP_CREDIT_REQUEST:
		if (c->state == VSOCK_OPEN)
			c->want |= VSOCK_WANT(VIRTIO_VSOCK_OP_CREDIT_UPDATE);
		return c->state == VSOCK_OPEN ? 0 : -EPROTO;
	default: /* a second REQUEST, or no operation at all */
		return -EPROTO;
	}
}

int vsock_conn_packet(
	struct vsock_conn *c, const struct virtio_vsock_hdr *h, struct vsock_payload *p)
{
	c->guest_alloc = h->buf_alloc;
	c->guest_taken = h->fwd_cnt;
	if (conn_credit(c))
		c->credit_asked = false;
	if (conn_op(c, h, p) == 0)
		return 0;
	c->guest_shut = 0; /* no good order */
	vsock_conn_end(c, true);
	return -EPROTO;
}

/* conn_read() - Return: bytes read into room, 0 at the end, -EAGAIN. */
static ssize_t conn_read(struct vsock_conn *c, const struct vsock_payload *room)
{
	struct msghdr msg = {.msg_iov = room->iov, .msg_iovlen = room->n};
	uint32_t left = (uint32_t)min_u64(room->len, conn_credit(c));
	ssize_t n;

	for (unsigned int i = 0; i < room->n; i++) {
		room->iov[i].iov_len = (size_t)min_u64(room->iov[i].iov_len, left);
		left -= (uint32_t)room->iov[i].iov_len;
	}
	do
		n = recvmsg(c->source.fd, &msg, MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n < 0 && errno == EAGAIN)
		return -EAGAIN;
	if (n < 0)
		c->hung_up = true; /* ECONNRESET: closed before it read all */
	return n < 0 ? 0 : n;
}

/* conn_data() - read what the guest has room for. Return: bytes, 0 if there are none. */
static uint32_t conn_data(struct vsock_conn *c, const struct vsock_payload *room)
{
	ssize_t n = conn_read(c, room);

	if (n > 0) {
		c->sent += (uint32_t)n;
		return (uint32_t)n;
	}
	c->readable = false;
	if (n == 0)
		conn_tell_shut(
			c, c->hung_up ? VIRTIO_VSOCK_SHUTDOWN_BOTH : VIRTIO_VSOCK_SHUTDOWN_SEND);
	return 0;
}

/* conn_pick() - Return: the operation to send next, RW with h->len set; INVALID if there is none.
 */
static unsigned int conn_pick(
	struct vsock_conn *c, struct virtio_vsock_hdr *h, const struct vsock_payload *room)
{
	uint32_t want = c->want & WANT_BEFORE_DATA;

	if (!want && room->len && conn_may_read(c) && conn_credit(c)) {
		h->len = conn_data(c, room);
		if (h->len)
			return VIRTIO_VSOCK_OP_RW;
	}
	return c->want ? (unsigned int)__builtin_ctz(c->want) : VIRTIO_VSOCK_OP_INVALID;
}

int vsock_conn_next(
	struct vsock_conn *c, struct virtio_vsock_hdr *h, const struct vsock_payload *room)
{
	unsigned int op;

	*h = (struct virtio_vsock_hdr){
		.src_port = c->host_port,
		.dst_port = c->guest_port,
		.type = VIRTIO_VSOCK_TYPE_STREAM,
		.buf_alloc = VSOCK_RING,
	};
	op = conn_pick(c, h, room);
	if (op == VIRTIO_VSOCK_OP_INVALID)
		return -EAGAIN;
	h->op = (uint16_t)op;
	h->flags = op == VIRTIO_VSOCK_OP_SHUTDOWN ? c->host_shut : 0;
	h->fwd_cnt = c->taken_told = c->taken;
	c->want &= ~(VSOCK_WANT(op) | VSOCK_WANT(VIRTIO_VSOCK_OP_CREDIT_UPDATE));
	/* The last bytes that fit are gone: ask, so that a guest that is sparing with news answers.
	 */
	if (op == VIRTIO_VSOCK_OP_RW && !conn_credit(c) && !c->credit_asked) {
		c->credit_asked = true;
		c->want |= VSOCK_WANT(VIRTIO_VSOCK_OP_CREDIT_REQUEST);
	}
	return 0;
}

void vsock_conn_event(struct vsock_conn *c, uint32_t events)
{
	if (events & (EPOLLHUP | EPOLLERR))
		c->hung_up = true;
	if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
		c->readable = true;
	if (c->state == VSOCK_ASKED && c->hung_up) {
		vsock_conn_end(c, true);
		return;
	}
	if (c->hung_up)
		conn_deaf(c);
	if (c->hung_up && (c->guest_shut & VIRTIO_VSOCK_SHUTDOWN_RCV))
		conn_tell_shut(c, VIRTIO_VSOCK_SHUTDOWN_BOTH);
	conn_flush(c);
}

/* hello_port() - the port of "CONNECT port". Return: 1 or -EPROTO. */
static int hello_port(const char *line, uint32_t *port)
{
	static const char word[] = "connect ";
	uint64_t n = 0;

	if (strncasecmp(line, word, sizeof(word) - 1))
		return -EPROTO;
	line += sizeof(word) - 1;
	if (!*line)
		return -EPROTO;
	for (; *line >= '0' && *line <= '9' && n <= UINT32_MAX; line++)
		n = n * 10 + (uint64_t)(*line - '0');
	if (*line || n > UINT32_MAX)
		return -EPROTO;
	*port = (uint32_t)n;
	return 1;
}

/*
 * hello_read() - take what is there up to the end of the line: what follows is the guest's.
 * Return: 1 with the line complete, 0 if something was taken, -EAGAIN, -EPROTO.
 */
static int hello_read(struct vsock_conn *c)
{
	char *to = c->hello + c->hello_len, *end;
	struct iovec iov = {to, sizeof(c->hello) - c->hello_len};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	ssize_t n = recvmsg(c->source.fd, &msg, MSG_DONTWAIT | MSG_PEEK);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return -EAGAIN;
	if (n <= 0) /* its end, or a line that is too long */
		return -EPROTO;
	end = memchr(to, '\n', (size_t)n);
	iov.iov_len = end ? (size_t)(end - to) + 1 : (size_t)n;
	if (recvmsg(c->source.fd, &msg, MSG_DONTWAIT) != (ssize_t)iov.iov_len)
		return -EPROTO;
	c->hello_len = (uint8_t)(c->hello_len + iov.iov_len);
	return end != NULL;
}

int vsock_conn_hello(struct vsock_conn *c, uint32_t *port)
{
	char *end;
	int rc;

	do
		rc = hello_read(c);
	while (rc == 0);
	if (rc < 0)
		return rc == -EAGAIN ? 0 : rc;
	end = c->hello + c->hello_len - 1;
	if (end > c->hello && end[-1] == '\r')
		end--;
	*end = 0;
	return hello_port(c->hello, port);
}

void vsock_conn_end(struct vsock_conn *c, bool rst)
{
	bool keep = c->state == VSOCK_OPEN && (c->guest_shut & VIRTIO_VSOCK_SHUTDOWN_SEND);

	c->state = VSOCK_ENDED;
	c->want = rst ? VSOCK_WANT(VIRTIO_VSOCK_OP_RST) : 0;
	if (!keep)
		vsock_ring_clear(&c->ring);
}

bool vsock_conn_gone(const struct vsock_conn *c)
{
	return c->state == VSOCK_OPEN && c->hung_up;
}

bool vsock_conn_done(const struct vsock_conn *c)
{
	return c->state == VSOCK_ENDED && !c->want && !c->ring.used;
}
