/* SPDX-License-Identifier: Apache-2.0 */
/*
 * struct net_rx: the receive half of a queue pair: frames from a tap, each with its
 * virtio_net_header, by readv() straight into the driver's buffers.
 *
 * How long a frame is shows only when it has been read. So as many chains are popped as the next
 * one is expected to need, going by those before it, and behind them the system call gets `spill`:
 * what lands there is copied to further chains, or, if the driver has none, the whole frame is kept
 * until it gives some.
 *
 * Invariants:
 * 1. Between two calls nothing is popped; a frame that was read is delivered whole, kept or
 *    (counted and) dropped, never cut.
 * 2. A frame is kept only if no frame is: nothing is read before it is delivered.
 * 3. All chains of a frame become visible to the driver at once.
 */
#ifndef DEVICES_BACK_NET_RX_H
#define DEVICES_BACK_NET_RX_H

#include "devices/back/rate_limiter.h"
#include "devices/back/virtq.h"

#define NET_FRAME_MAX 65664u /* bytes: 64 KiB, headers of link and VLANs, virtio_net_header */
#define NET_BATCH     64u    /* frames at once, before others have the loop */

struct net_rx {
	struct virtq *q; /* NULL: not running */
	const char *name;
	int fd;
	struct rate_limiter *limit;
	bool mergeable;  /* a frame may take several chains (VIRTIO_NET_F_MRG_RXBUF) */
	bool readable;   /* the tap may have something */
	uint32_t expect; /* bytes that the next frame may need */
	uint32_t kept;   /* bytes of the frame in spill, 0: none */
	uint64_t dropped;
	unsigned int n_held;
	struct virtq_done held[VIRTQ_CHAIN_MAX]; /* chains in `all`; written: their room */
	struct chain all;                        /* what they hold, one after the other */
	uint8_t spill[NET_FRAME_MAX];
};

/* net_rx_init() - @limit, @name: outlive it; fd stays the caller's. */
void net_rx_init(struct net_rx *rx, int fd, struct rate_limiter *limit, const char *name);

/* net_rx_start() - q runs; call net_rx_serve() then. */
void net_rx_start(struct net_rx *rx, struct virtq *q, bool mergeable);

/* net_rx_stop() - touch q no more; a kept frame is dropped. */
void net_rx_stop(struct net_rx *rx);

/* net_rx_flush() - drop what the tap has. Not while it runs. */
void net_rx_flush(struct net_rx *rx);

/* net_rx_serve() - move what can be moved now: after a kick, an event of the tap, or a wait. */
void net_rx_serve(struct net_rx *rx);

#endif
