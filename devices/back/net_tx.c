/* SPDX-License-Identifier: Apache-2.0 */
/* Frames from the driver; see devices/back/net_tx.h. */
#include "devices/back/net_tx.h"

#include "base/log.h"
#include "devices/back/net_rx.h"
#include "devices/back/queue_stats.h"
#include "devices/wire/virtio_net.h"

#include <errno.h>
#include <string.h>

#define HEADER sizeof(struct virtio_net_header)

void net_tx_init(struct net_tx *tx, int fd, struct rate_limiter *limit, const char *name)
{
	tx->q = NULL;
	tx->name = name;
	tx->fd = fd;
	tx->limit = limit;
}

void net_tx_start(struct net_tx *tx, struct virtq *q)
{
	tx->q = q;
	tx->writable = true;
}

void net_tx_stop(struct net_tx *tx)
{
	tx->q = NULL;
}

static void net_tx_drop(struct net_tx *tx, const char *why)
{
	tx->dropped++;
	log_limited(LOG_WARN, tx->name, "transmit queue %u: frame dropped: %s (%llu so far)",
		tx->q->index, why, (unsigned long long)tx->dropped);
}

/* net_tx_write() - hand a chain's frame to the tap. Return: false if it can take none now. */
static bool net_tx_write(struct net_tx *tx, const struct chain *c)
{
	ssize_t n;

	if (c->out_len == HEADER || c->out_len > NET_FRAME_MAX) {
		net_tx_drop(tx, "it has no bytes, or too many");
		return true;
	}
	do
		n = writev(tx->fd, c->iov, c->n_out);
	while (n < 0 && errno == EINTR);
	if (n >= 0) {
		rate_limiter_take(tx->limit, c->out_len - HEADER);
		return true;
	}
	if (errno == EAGAIN)
		return false;
	net_tx_drop(tx, strerror(errno));
	return true;
}

/* net_tx_frame() - take one chain; done gets what is to be pushed. Return: true to go on. */
static bool net_tx_frame(struct net_tx *tx, struct virtq_done *done, unsigned int *n)
{
	struct chain *c = &tx->chain;

	if (!tx->writable || !rate_limiter_may(tx->limit) || virtq_pop(tx->q, c) <= 0)
		return false;
	if (c->n_in || c->out_len < HEADER) {
		virtq_break(tx->q, "frame is writable or has no header (spec 5.1.6.2)");
	} else if (!net_tx_write(tx, c)) {
		tx->writable = false;
		virtq_unpop(tx->q, c->head);
		return false;
	} else {
		queue_stats_move(tx->q->stats, true, c->out_len - HEADER);
	}
	done[(*n)++] = (struct virtq_done){.head = c->head};
	return true;
}

void net_tx_serve(struct net_tx *tx)
{
	struct virtq_done done[NET_BATCH];
	struct virtq *q = tx->q;
	unsigned int n = 0;

	if (!q || !tx->writable)
		return;
	while (n < ARRAY_SIZE(done) && net_tx_frame(tx, done, &n))
		continue;
	virtq_push_all(q, done, n);
	virtq_notify(q);
	if (n == ARRAY_SIZE(done))
		virtq_poke(q);
}
