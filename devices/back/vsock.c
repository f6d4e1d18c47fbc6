/* SPDX-License-Identifier: Apache-2.0 */
/* virtio-vsock; see devices/back/vsock.h. */
#include "devices/back/vsock.h"

#include "base/fd.h"
#include "base/log.h"
#include "devices/back/queue_stats.h"
#include "devices/back/vsock_table.h"
#include "devices/wire/vsock_dial.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#define ACCEPTS_AT_ONCE 16u
#define HEADER          sizeof(struct virtio_vsock_hdr)

static_assert(VSOCK_FDS >= VSOCK_CONNS, "a socket for each connection");

struct reset {
	uint32_t guest_port, host_port;
};

struct vsock {
	struct back_device base;
	struct loop *loop;
	uint64_t cid;
	struct loop_source listener; /* watched while queues run and there is room */
	struct loop_source dialer;   /* fd -1: it has gone */
	struct vsock_table *table;
	struct virtq *rx, *tx; /* NULL: don't run */
	bool tx_waits;         /* for room among the resets */
	uint32_t next_port, n_dials;
	struct reset resets[VSOCK_RESETS]; /* a ring */
	unsigned int first_reset, n_resets;
	struct chain chain;
	struct iovec iov[VIRTQ_CHAIN_MAX]; /* of the chain, without the header */
};

/* vsock_can_accept() - is there room for a client of the host's, or somebody to put out for it? */
static bool vsock_can_accept(const struct vsock *v)
{
	return vsock_table_has_room(v->table, false) || vsock_table_oldest(v->table);
}

static void vsock_watch(struct vsock *v)
{
	bool want = v->rx && v->tx && vsock_can_accept(v);
	struct err e = ERR_INIT;

	if (!want)
		loop_remove(v->loop, &v->listener);
	else if (!v->listener.added && loop_add(v->loop, &v->listener, EPOLLIN, &e) < 0)
		log_limited(LOG_WARN, v->base.name, "listener: %s", e.text);
}

static void vsock_reset(struct vsock *v, uint32_t guest_port, uint32_t host_port)
{
	unsigned int at = (v->first_reset + v->n_resets) % VSOCK_RESETS;

	if (v->n_resets == VSOCK_RESETS) /* of an eviction: the guest finds out when it sends */
		return;
	v->resets[at] = (struct reset){guest_port, host_port};
	v->n_resets++;
}

static void vsock_close(struct vsock *v, struct vsock_conn *c)
{
	loop_remove(v->loop, &c->source);
	fd_drop(&c->source.fd);
}

/* vsock_settle() - do what follows from a change of a connection; it may be free afterwards */
static void vsock_settle(struct vsock *v, struct vsock_conn *c)
{
	if (c->state == VSOCK_ENDED) {
		vsock_table_unbind(v->table, c);
		if (!c->ring.used)
			vsock_close(v, c);
	}
	if (c->host_shut == VIRTIO_VSOCK_SHUTDOWN_BOTH)
		vsock_close(v, c);
	if (vsock_conn_done(c)) {
		vsock_table_free(v->table, c);
	} else {
		vsock_table_ready(v->table, c, vsock_conn_pending(c));
		vsock_table_dispensable(v->table, c,
			c->state == VSOCK_HELLO || c->state == VSOCK_ENDED || vsock_conn_gone(c));
	}
	vsock_watch(v);
}

/* vsock_make_room() - put out the oldest that can be. Return: true if there is room. */
static bool vsock_make_room(struct vsock *v, bool of_guest)
{
	struct vsock_conn *c;

	if (vsock_table_has_room(v->table, of_guest))
		return true;
	c = vsock_table_oldest(v->table);
	if (!c)
		return false;
	if (c->state == VSOCK_OPEN || c->want)
		vsock_reset(v, c->guest_port, c->host_port);
	vsock_close(v, c);
	vsock_table_free(v->table, c);
	return vsock_table_has_room(v->table, of_guest);
}

/* --- to the guest --- */

/* vsock_slice() - v->iov: up to max bytes of segments behind the header. */
static struct vsock_payload vsock_slice(
	struct vsock *v, const struct iovec *from, unsigned int n, uint64_t max)
{
	struct vsock_payload p = {.iov = v->iov};
	size_t skip = HEADER;

	for (; n && p.len < max; from++, n--) {
		size_t off = (size_t)min_u64(skip, from->iov_len);
		size_t len = (size_t)min_u64(from->iov_len - off, max - p.len);

		skip -= off;
		if (!len)
			continue;
		p.iov[p.n++] = (struct iovec){(uint8_t *)from->iov_base + off, len};
		p.len += (uint32_t)len;
	}
	return p;
}

/* vsock_next() - the next packet. Return: 0, or -EAGAIN if there is none. */
static int vsock_next(struct vsock *v, struct virtio_vsock_hdr *h)
{
	struct vsock_payload room;
	struct vsock_conn *c;
	int rc = -EAGAIN;

	if (v->n_resets) {
		const struct reset *r = &v->resets[v->first_reset];

		*h = (struct virtio_vsock_hdr){
			.src_port = r->host_port,
			.dst_port = r->guest_port,
			.type = VIRTIO_VSOCK_TYPE_STREAM,
			.op = VIRTIO_VSOCK_OP_RST,
		};
		v->first_reset = (v->first_reset + 1) % VSOCK_RESETS;
		v->n_resets--;
		return 0;
	}
	while (rc && (c = vsock_table_first_ready(v->table))) {
		room = vsock_slice(v, v->chain.iov, v->chain.n_in,
			min_u64(v->chain.in_len - HEADER, VSOCK_RING));
		vsock_table_ready(v->table, c, false);
		rc = vsock_conn_next(c, h, &room);
		if (rc == 0)
			vsock_settle(v, c); /* to the end of those that are ready */
	}
	return rc;
}

/* vsock_give() - put a packet into the popped chain. Return: false if there was none. */
static bool vsock_give(struct vsock *v, struct virtq *q)
{
	struct virtio_vsock_hdr h;

	if (v->chain.n_out || v->chain.in_len < HEADER) {
		virtq_break(q,
			v->chain.n_out ? "readable buffer in the receive queue (spec 5.10.6)"
				       : "receive buffer smaller than a header (spec 5.10.6)");
		virtq_push(q, v->chain.head, 0);
		return false;
	}
	if (vsock_next(v, &h) < 0) {
		virtq_unpop(q, v->chain.head);
		return false;
	}
	h.src_cid = VIRTIO_VSOCK_CID_HOST;
	h.dst_cid = v->cid;
	virtq_copy_in(&v->chain, 0, &h, sizeof(h));
	queue_stats_move(q->stats, false, h.len);
	virtq_push(q, v->chain.head, (uint32_t)HEADER + h.len);
	return true;
}

/* vsock_pump() - give the guest what there is, as far as it has buffers. */
static void vsock_pump(struct vsock *v)
{
	struct virtq *q = v->rx;
	unsigned int budget;

	if (!q)
		return;
	for (budget = q->num; budget; budget--) {
		if (!v->n_resets && !vsock_table_first_ready(v->table))
			break;
		if (virtq_pop(q, &v->chain) <= 0 || !vsock_give(v, q))
			break;
	}
	virtq_notify(q);
	if (!budget)
		virtq_poke(q);
	if (v->tx_waits && v->tx && v->n_resets < VSOCK_RESETS) {
		v->tx_waits = false;
		virtq_poke(v->tx);
	}
}

/* --- from the guest --- */

/* vsock_dial() - have the guest's request connected. Return: 0 or -errno. */
static int vsock_dial(struct vsock *v, struct vsock_conn *c)
{
	struct vsock_dial_request req = {.port = c->host_port};

	req.cookie = v->n_dials++ * VSOCK_CONNS + vsock_table_index(v->table, c);
	c->cookie = req.cookie;
	c->state = VSOCK_DIALING;
	if (v->dialer.fd < 0)
		return -EPIPE;
	return fd_send(v->dialer.fd, &req, sizeof(req), NULL, 0);
}

/* vsock_request() - the guest opens a connection (spec 5.10.6.5). */
static void vsock_request(struct vsock *v, const struct virtio_vsock_hdr *h)
{
	struct vsock_conn *c;

	if (!vsock_make_room(v, true)) {
		log_limited(LOG_WARN, v->base.name, "the guest has too many connections");
		vsock_reset(v, h->src_port, h->dst_port);
		return;
	}
	c = vsock_table_new(v->table, true);
	vsock_table_bind(v->table, c, h->src_port, h->dst_port);
	c->guest_alloc = h->buf_alloc;
	c->guest_taken = h->fwd_cnt;
	if (vsock_dial(v, c) < 0)
		vsock_conn_end(c, true);
	vsock_settle(v, c);
}

static void vsock_packet(
	struct vsock *v, const struct virtio_vsock_hdr *h, struct vsock_payload *payload)
{
	bool stream = h->type == VIRTIO_VSOCK_TYPE_STREAM;
	struct vsock_conn *c;

	/* Not from this guest, or not for the host: nobody to answer to. */
	if (h->src_cid != v->cid || h->dst_cid != VIRTIO_VSOCK_CID_HOST)
		return;
	c = stream ? vsock_table_find(v->table, h->src_port, h->dst_port) : NULL;
	if (c) {
		vsock_conn_packet(c, h, payload);
		vsock_settle(v, c);
	} else if (stream && h->op == VIRTIO_VSOCK_OP_REQUEST) {
		vsock_request(v, h);
	} else if (h->op != VIRTIO_VSOCK_OP_RST) {
		vsock_reset(v, h->src_port, h->dst_port); /* spec 5.10.6.4.1 for the type */
	}
}

/* vsock_take() - act on the popped chain. Return: NULL or what is wrong with it. */
static const char *vsock_take(struct vsock *v)
{
	const struct chain *c = &v->chain;
	struct vsock_payload payload;
	struct virtio_vsock_hdr h;

	if (c->n_in)
		return "writable buffer in the transmit queue (spec 5.10.6)";
	if (virtq_copy_out(c, 0, &h, sizeof(h)) < sizeof(h))
		return "packet smaller than a header (spec 5.10.6)";
	if (h.len > c->out_len - HEADER)
		return "packet longer than its buffers (spec 5.10.6)";
	payload = vsock_slice(v, c->iov, c->n_out, h.len);
	vsock_packet(v, &h, &payload);
	return NULL;
}

static void vsock_transmit(struct vsock *v, struct virtq *q)
{
	unsigned int budget = q->num;

	while (budget && v->n_resets < VSOCK_RESETS && virtq_pop(q, &v->chain) > 0) {
		const char *wrong = vsock_take(v);

		if (wrong)
			virtq_break(q, wrong);
		else
			queue_stats_move(q->stats, true, v->chain.out_len - HEADER);
		virtq_push(q, v->chain.head, 0);
		budget--;
	}
	v->tx_waits = v->n_resets == VSOCK_RESETS;
	virtq_notify(q);
	if (!budget)
		virtq_poke(q);
}

/* --- from the host --- */

/* vsock_begin() - a client has named a port of the guest's. */
static void vsock_begin(struct vsock *v, struct vsock_conn *c, uint32_t port)
{
	do
		v->next_port = VSOCK_FIRST_PORT | (v->next_port + 1) % VSOCK_FIRST_PORT;
	while (vsock_table_find(v->table, port, v->next_port));
	vsock_table_bind(v->table, c, port, v->next_port);
	c->state = VSOCK_ASKED;
	c->want = VSOCK_WANT(VIRTIO_VSOCK_OP_REQUEST);
}

static void vsock_conn_ready(void *ctx, uint32_t events)
{
	struct vsock_conn *c = ctx;
	struct vsock *v = c->owner;
	uint32_t port;
	int rc;

	if (c->state == VSOCK_HELLO) {
		rc = vsock_conn_hello(c, &port);
		if (rc > 0)
			vsock_begin(v, c, port);
		else if (rc < 0)
			vsock_conn_end(c, false);
	} else {
		vsock_conn_event(c, events);
	}
	vsock_settle(v, c);
	vsock_pump(v);
}

/* vsock_attach() - the connection has its socket now. Return: 0 or -errno. */
static int vsock_attach(struct vsock *v, struct vsock_conn *c, int fd)
{
	struct err e = ERR_INIT;

	c->source = (struct loop_source){.fd = fd, .fn = vsock_conn_ready, .ctx = c};
	return loop_add(v->loop, &c->source, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, &e);
}

static void vsock_accept(void *ctx, uint32_t events)
{
	struct vsock *v = ctx;

	(void)events;
	for (unsigned int i = 0; i < ACCEPTS_AT_ONCE && vsock_can_accept(v); i++) {
		int fd = accept4(v->listener.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		struct vsock_conn *c;

		if (fd < 0 && errno != EAGAIN && errno != ECONNABORTED && errno != EINTR)
			loop_remove(v->loop, &v->listener); /* until a connection ends */
		if (fd < 0)
			return;
		vsock_make_room(v, false);
		c = vsock_table_new(v->table, false);
		c->state = VSOCK_HELLO;
		if (vsock_attach(v, c, fd) < 0)
			vsock_conn_end(c, false);
		vsock_settle(v, c);
	}
	vsock_watch(v);
	vsock_pump(v); /* resets of those that were put out */
}

static void vsock_dialer_lost(struct vsock *v)
{
	log_warn(v->base.name, "nobody connects the guest to the host any more");
	loop_remove(v->loop, &v->dialer);
	fd_drop(&v->dialer.fd);
	for (unsigned int i = 0; i < VSOCK_CONNS; i++) {
		struct vsock_conn *c = vsock_table_at(v->table, i);

		if (c->state != VSOCK_DIALING)
			continue;
		vsock_conn_end(c, true);
		vsock_settle(v, c);
	}
}

/* vsock_dialed() - the answer for one of the guest's connections, which may have ended meanwhile */
static void vsock_dialed(struct vsock *v, const struct vsock_dial_reply *reply, int *fd)
{
	struct vsock_conn *c = vsock_table_at(v->table, reply->cookie % VSOCK_CONNS);

	if (c->state != VSOCK_DIALING || c->cookie != reply->cookie)
		return;
	if (reply->status || *fd < 0 || vsock_attach(v, c, fd_take(fd)) < 0) {
		vsock_conn_end(c, true);
	} else {
		c->state = VSOCK_OPEN;
		c->want = VSOCK_WANT(VIRTIO_VSOCK_OP_RESPONSE);
	}
	vsock_settle(v, c);
}

static void vsock_dialer_ready(void *ctx, uint32_t events)
{
	struct vsock *v = ctx;
	struct vsock_dial_reply reply;
	cleanup_fd int fd = -1;
	size_t n_fds = 1;
	ssize_t n = fd_recv(v->dialer.fd, &reply, sizeof(reply), &fd, &n_fds);

	(void)events;
	if (n == -EAGAIN)
		return;
	if (n != (ssize_t)sizeof(reply))
		vsock_dialer_lost(v);
	else
		vsock_dialed(v, &reply, &fd);
	vsock_pump(v);
}

/* --- the device --- */

static void vsock_kicked(void *queue, uint32_t events)
{
	struct virtq *q = queue;
	struct vsock *v = q->device;

	(void)events;
	if (q->index == VIRTIO_VSOCK_QUEUE_EVENT) /* there are no events yet (spec 5.10.6.6) */
		return;
	if (q->index == VIRTIO_VSOCK_QUEUE_RX) {
		v->rx = q;
	} else {
		v->tx = q;
		vsock_transmit(v, q);
	}
	vsock_watch(v);
	vsock_pump(v);
}

static void vsock_drain(struct virtq *q)
{
	struct vsock *v = q->device;

	if (q->index == VIRTIO_VSOCK_QUEUE_RX)
		v->rx = NULL;
	else if (q->index == VIRTIO_VSOCK_QUEUE_TX)
		v->tx = NULL;
	vsock_watch(v);
}

static void vsock_config(struct back_device *dev, uint8_t *bytes)
{
	const struct virtio_vsock_config config = {
		.guest_cid = ((const struct vsock *)(const void *)dev)->cid};

	memcpy(bytes, &config, sizeof(config));
}

static void vsock_clear(struct vsock *v)
{
	for (unsigned int i = 0; i < VSOCK_CONNS; i++) {
		struct vsock_conn *c = vsock_table_at(v->table, i);

		if (c->state == VSOCK_FREE)
			continue;
		vsock_close(v, c);
		vsock_table_free(v->table, c);
	}
	v->n_resets = 0;
	v->tx_waits = false;
}

static void vsock_set_features(struct back_device *dev, uint64_t features)
{
	(void)features;
	vsock_clear((struct vsock *)(void *)dev);
}

static const struct back_device_ops ops = {
	.kicked = vsock_kicked,
	.drain = vsock_drain,
	.config = vsock_config,
	.set_features = vsock_set_features,
};

static int vsock_init(struct vsock *v, struct err *e)
{
	if (v->cid < VIRTIO_VSOCK_CID_MIN || v->cid > VIRTIO_VSOCK_CID_MAX)
		return err_set(e, EINVAL, "vsock: CID %llu", (unsigned long long)v->cid);
	if (vsock_table_create(&v->table, v, e) < 0)
		return -e->code;
	return loop_add(v->loop, &v->dialer, EPOLLIN, e);
}

int vsock_create(struct vsock **out, const struct vsock_config *config, struct err *e)
{
	struct vsock *v = calloc(1, sizeof(*v));
	int listen_fd = config->listen_fd, dial_fd = config->dial_fd;

	*out = NULL;
	if (!v) {
		fd_drop(&listen_fd);
		fd_drop(&dial_fd);
		return err_sys(e, ENOMEM, "vsock");
	}
	v->base = (struct back_device){.ops = &ops,
		.name = config->name,
		.features = VIRTIO_VSOCK_F_STREAM,
		.n_queues = 3};
	v->loop = config->loop;
	v->cid = config->cid;
	v->listener = (struct loop_source){.fd = listen_fd, .fn = vsock_accept, .ctx = v};
	v->dialer = (struct loop_source){.fd = dial_fd, .fn = vsock_dialer_ready, .ctx = v};
	if (vsock_init(v, e) < 0) {
		vsock_destroy(v);
		return -e->code;
	}
	*out = v;
	return 0;
}

void vsock_destroy(struct vsock *v)
{
	if (!v)
		return;
	if (v->table)
		vsock_clear(v);
	vsock_table_destroy(v->table);
	loop_remove(v->loop, &v->listener);
	loop_remove(v->loop, &v->dialer);
	fd_drop(&v->listener.fd);
	fd_drop(&v->dialer.fd);
	free(v);
}

struct back_device *vsock_device(struct vsock *v)
{
	return &v->base;
}
