/* SPDX-License-Identifier: Apache-2.0 */
/*
 * struct net_ctrl: the control queue of virtio-net (spec 5.1.6.5): what the driver asked for, and
 * the answers. A command that is malformed, unknown or belongs to a feature that was not negotiated
 * is answered VIRTIO_NET_ERR and changes nothing; a chain without room for header or answer breaks
 * the queue.
 *
 * Receive modes and address tables are accepted and kept by nobody: a tap delivers what the host
 * sends to it, and the spec lets a device deliver more than was asked for.
 */
#ifndef DEVICES_BACK_NET_CTRL_H
#define DEVICES_BACK_NET_CTRL_H

#include "devices/back/virtq.h"

struct net_ctrl {
	uint16_t max_pairs;
	uint64_t features;          /* acknowledged */
	void (*changed)(void *ctx); /* pairs or offloads are others now */
	void *ctx;
	uint16_t pairs;    /* in use: 1 to max_pairs */
	uint64_t offloads; /* VIRTIO_NET_F_GUEST_*, of those acknowledged, that are on */
	uint8_t mac[6];
	struct chain chain;
};

/* net_ctrl_reset() - as after a reset of the device, with what the driver acknowledged. */
void net_ctrl_reset(struct net_ctrl *ctrl, uint64_t features);

/* net_ctrl_queue() - Return: the index of the control queue (spec 5.1.2). */
unsigned int net_ctrl_queue(const struct net_ctrl *ctrl);

/* net_ctrl_serve() - answer what is in the queue. */
void net_ctrl_serve(struct net_ctrl *ctrl, struct virtq *q);

#endif
