/* SPDX-License-Identifier: Apache-2.0 */
/* Frames to the driver; see devices/back/net_rx.h. */
#include "devices/back/net_rx.h"

#include "base/log.h"
#include "base/num.h"
#include "devices/back/queue_stats.h"
#include "devices/wire/virtio_net.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#define HEADER      ((uint32_t)sizeof(struct virtio_net_header))
#define SEGMENTS    (VIRTQ_CHAIN_MAX - 1u) /* of chains in one readv(); one more is the spill */
#define FLUSH_MAX   4096u                  /* frames; more than a tap queues */
#define FRAME_USUAL (HEADER + 1514u)       /* what is expected before anything came */

void net_rx_init(struct net_rx *rx, int fd, struct rate_limiter *limit, const char *name)
{
	rx->q = NULL;
	rx->name = name;
	rx->fd = fd;
	rx->limit = limit;
	rx->expect = FRAME_USUAL;
}

void net_rx_start(struct net_rx *rx, struct virtq *q, bool mergeable)
{
	rx->q = q;
	rx->mergeable = mergeable;
	rx->readable = true;
}

void net_rx_stop(struct net_rx *rx)
{
	assert(!rx->n_held);
	rx->q = NULL;
	rx->kept = 0;
}

void net_rx_flush(struct net_rx *rx)
{
	struct iovec iov = {rx->spill, HEADER}; /* the rest of a frame is lost with it */

	for (unsigned int i = 0; i < FLUSH_MAX && readv(rx->fd, &iov, 1) > 0; i++)
		continue;
}

static void net_rx_drop(struct net_rx *rx, const char *why)
{
	rx->dropped++;
	rx->kept = 0;
	log_limited(LOG_WARN, rx->name, "receive queue %u: frame dropped: %s (%llu so far)",
		rx->q->index, why, (unsigned long long)rx->dropped);
}

/* net_rx_add() - put the writable part of a popped chain behind the others. */
static void net_rx_add(struct net_rx *rx, const struct chain *c)
{
	struct chain *all = &rx->all;
	unsigned int n = c->n_in;
	uint32_t room = 0;

	/* A chain of more segments than go into one system call is filled in part. */
	if (n > SEGMENTS)
		n = SEGMENTS;
	for (unsigned int i = 0; i < n; i++) {
		all->iov[all->n_in] = c->iov[i];
		all->iov[all->n_in].iov_len = (size_t)min_u64(c->iov[i].iov_len, NET_FRAME_MAX);
		room += (uint32_t)all->iov[all->n_in++].iov_len;
	}
	all->in_len += room;
	rx->held[rx->n_held++] = (struct virtq_done){.head = c->head, .written = room};
}

/* net_rx_hold() - pop one more chain. Return: 1, 0 if there is none, or -errno: no more fits. */
static int net_rx_hold(struct net_rx *rx)
{
	struct chain c;
	int rc;

	if (rx->n_held && (!rx->mergeable || rx->n_held == ARRAY_SIZE(rx->held)))
		return -ENOSPC;
	rc = virtq_pop(rx->q, &c);
	if (rc <= 0)
		return rc;
	if (c.n_out || c.in_len < HEADER) {
		virtq_break(rx->q, "receive buffer is readable or too small (spec 5.1.6.3)");
		virtq_push(rx->q, c.head, 0);
		return -EPROTO;
	}
	if (rx->n_held && rx->all.n_in + c.n_in > SEGMENTS) {
		virtq_unpop(rx->q, c.head);
		return -ENOSPC;
	}
	net_rx_add(rx, &c);
	return 1;
}

/* net_rx_room() - hold chains for need bytes. Return: 0, -EAGAIN: the driver has no more, -errno.
 */
static int net_rx_room(struct net_rx *rx, uint32_t need)
{
	int rc = 1;

	while (rc > 0 && rx->all.in_len < need)
		rc = net_rx_hold(rx);
	return rc ? (rc < 0 ? rc : 0) : -EAGAIN;
}

/* net_rx_trim() - hold the first n chains only, give the others back. */
static void net_rx_trim(struct net_rx *rx, unsigned int n)
{
	while (rx->n_held > n)
		virtq_unpop(rx->q, rx->held[--rx->n_held].head);
}

/* net_rx_release() - hold nothing. */
static void net_rx_release(struct net_rx *rx)
{
	net_rx_trim(rx, 0);
	rx->all.n_in = 0;
	rx->all.in_len = 0;
}

/* net_rx_deliver() - a frame of len bytes is in what is held. */
static void net_rx_deliver(struct net_rx *rx, uint32_t len)
{
	uint32_t left = len;
	uint16_t n = 0;

	while (left) {
		rx->held[n].written = (uint32_t)min_u64(left, rx->held[n].written);
		left -= rx->held[n++].written;
	}
	/* spec 5.1.6.4.1: also where there is but one */
	virtq_copy_in(&rx->all, offsetof(struct virtio_net_header, num_buffers), &n, sizeof(n));
	queue_stats_move(rx->q->stats, false, len - HEADER);
	net_rx_trim(rx, n); /* the latest taken first: before those that are used */
	virtq_push_all(rx->q, rx->held, n);
	rx->n_held = 0;
	net_rx_release(rx);
	rate_limiter_take(rx->limit, len - HEADER);
	/* Follow growth at once and shrink slowly: a chain too many costs less than a copy. */
	rx->expect = len > rx->expect ? len : rx->expect - (rx->expect - len) / 8;
}

/* net_rx_keep() - of a frame, n bytes are in the chains held and the rest in spill: keep it all. */
static void net_rx_keep(struct net_rx *rx, uint32_t len, uint32_t n)
{
	const struct iovec *iov = rx->all.iov;

	memmove(rx->spill + n, rx->spill, len - n);
	for (uint32_t at = 0; at < n; iov++) {
		uint32_t part = (uint32_t)min_u64(iov->iov_len, n - at);

		memcpy(rx->spill + at, iov->iov_base, part);
		at += part;
	}
	rx->kept = len;
}

/* net_rx_spilled() - a frame is longer than what was held. Return: true to go on. */
static bool net_rx_spilled(struct net_rx *rx, uint32_t len)
{
	uint32_t had = (uint32_t)rx->all.in_len;
	int rc = net_rx_room(rx, len);

	if (rc == 0) {
		virtq_copy_in(&rx->all, had, rx->spill, len - had);
		net_rx_deliver(rx, len);
		return true;
	}
	if (rc == -EAGAIN) {
		net_rx_keep(rx, len, had);
		return false;
	}
	net_rx_release(rx);
	net_rx_drop(rx, "the driver's buffers are too small for it");
	return rc != -EPROTO;
}

/* net_rx_retry() - deliver the kept frame. Return: true to go on. */
static bool net_rx_retry(struct net_rx *rx)
{
	int rc = net_rx_room(rx, rx->kept);

	if (rc == 0) {
		virtq_copy_in(&rx->all, 0, rx->spill, rx->kept);
		net_rx_deliver(rx, rx->kept);
		rx->kept = 0;
		return true;
	}
	if (rc != -ENOSPC)
		return false;
	net_rx_release(rx);
	net_rx_drop(rx, "the driver's buffers are too small for it");
	return true;
}

/* net_rx_read() - one frame from the tap. Return: true to go on. */
static bool net_rx_read(struct net_rx *rx)
{
	struct chain *all = &rx->all;
	ssize_t n;

	all->iov[all->n_in] = (struct iovec){rx->spill, sizeof(rx->spill)};
	n = readv(rx->fd, all->iov, all->n_in + 1);
	if (n > (ssize_t)all->in_len && n <= (ssize_t)NET_FRAME_MAX)
		return net_rx_spilled(rx, (uint32_t)n);
	if (n > (ssize_t)HEADER && n <= (ssize_t)NET_FRAME_MAX) {
		net_rx_deliver(rx, (uint32_t)n);
		return true;
	}
	net_rx_release(rx); /* no frame, or what no tap delivers */
	if (n > 0 || (n < 0 && errno == EINTR))
		return true;
	rx->readable = false;
	if (n < 0 && errno != EAGAIN)
		log_limited(
			LOG_WARN, rx->name, "tap of queue %u: %s", rx->q->index, strerror(errno));
	return false;
}

/* net_rx_frame() - move one frame. Return: true to go on. */
static bool net_rx_frame(struct net_rx *rx)
{
	int rc;

	if (rx->kept)
		return net_rx_retry(rx);
	if (!rx->readable || !rate_limiter_may(rx->limit))
		return false;
	rc = net_rx_room(rx, rx->expect);
	return rx->n_held && rc != -EPROTO && net_rx_read(rx);
}

void net_rx_serve(struct net_rx *rx)
{
	unsigned int budget = NET_BATCH;
	struct virtq *q = rx->q;

	if (!q || (!rx->readable && !rx->kept))
		return;
	/* What is held stays held here: a kick is wanted for what comes behind it. */
	while (budget && net_rx_frame(rx))
		budget--;
	net_rx_release(rx);
	virtq_notify(q);
	if (!budget)
		virtq_poke(q);
}
