/* SPDX-License-Identifier: Apache-2.0 */
/*
 * struct net_tx: the transmit half of a queue pair: the driver's frames, by writev() straight from
 * its buffers to a tap. The virtio_net_header goes along unseen: the tap copies and checks it.
 *
 * Invariant: every chain popped is pushed, or given back because the tap can take no frame now.
 */
#ifndef DEVICES_BACK_NET_TX_H
#define DEVICES_BACK_NET_TX_H

#include "devices/back/rate_limiter.h"
#include "devices/back/virtq.h"

struct net_tx {
	struct virtq *q; /* NULL: not running */
	const char *name;
	int fd;
	struct rate_limiter *limit;
	bool writable; /* the tap may take something */
	uint64_t dropped;
	struct chain chain;
};

/* net_tx_init() - @limit, @name: outlive it; fd stays the caller's. */
void net_tx_init(struct net_tx *tx, int fd, struct rate_limiter *limit, const char *name);

/* net_tx_start() - q runs; call net_tx_serve() then. net_tx_stop() - touch it no more. */
void net_tx_start(struct net_tx *tx, struct virtq *q);
void net_tx_stop(struct net_tx *tx);

/* net_tx_serve() - move what can be moved now: after a kick, an event of the tap, or a wait. */
void net_tx_serve(struct net_tx *tx);

#endif
