/* SPDX-License-Identifier: Apache-2.0 */
/*
 * virtio-net (spec 5.1): a tap behind virtqueues, one queue of the tap for each pair of queues.
 *
 * Invariants:
 * 1. Frames go between the tap and guest memory by readv() and writev(); no copy of one is made,
 *    except of what comes longer than expected (net_rx.h). Nothing is allocated after net_create().
 * 2. The tap delivers only what the driver said it takes: offloads follow the acknowledged features
 *    and the control queue.
 * 3. Of a tap with several queues, the ones in use are those of running receive queues, of pairs
 *    that the driver has taken into use. The first is always in use, and takes what is sent by
 *    pairs whose own is not.
 * 4. A tap that is full or gone, and a driver that gives no buffers, hold up only their own queue.
 */
#ifndef DEVICES_BACK_NET_H
#define DEVICES_BACK_NET_H

#include "devices/back/device.h"
#include "devices/wire/spawn.h"

struct net;

struct net_config {
	struct loop *loop;
	const char *name;      /* for log lines; must outlive the device */
	const int *taps;       /* the device's from now on, also on failure */
	uint16_t n_pairs;      /* of queues, and descriptors in taps: 1 to SPAWN_TAPS_MAX */
	unsigned int offloads; /* SPAWN_OFFLOAD_*; those that the tap can't do are left out */
	uint8_t mac[6];
	uint16_t mtu;               /* 0: the driver is not told */
	struct spawn_limits limits; /* for each direction */
};

/* net_create() - Return: 0 and *out, or -errno. */
int net_create(struct net **out, const struct net_config *config, struct err *e) MUST_CHECK;

/* net_destroy() - all queues are stopped. NULL is allowed. */
void net_destroy(struct net *net);

/* net_device() - Return: what the vhost-user server takes. */
struct back_device *net_device(struct net *net);

#endif
