/* SPDX-License-Identifier: Apache-2.0 */
/* The control queue of virtio-net; see devices/back/net_ctrl.h. */
#include "devices/back/net_ctrl.h"

#include "devices/wire/virtio_net.h"

#include <string.h>

#define HEADER sizeof(struct virtio_net_ctrl)

#define OFFLOADS                                                                                   \
	(VIRTIO_NET_F_GUEST_CSUM | VIRTIO_NET_F_GUEST_TSO4 | VIRTIO_NET_F_GUEST_TSO6 |             \
		VIRTIO_NET_F_GUEST_ECN | VIRTIO_NET_F_GUEST_UFO | VIRTIO_NET_F_GUEST_USO4 |        \
		VIRTIO_NET_F_GUEST_USO6)

void net_ctrl_reset(struct net_ctrl *ctrl, uint64_t features)
{
	ctrl->features = features;
	ctrl->offloads = features & OFFLOADS;
	ctrl->pairs = 1;
}

unsigned int net_ctrl_queue(const struct net_ctrl *ctrl)
{
	return 2u * (ctrl->features & VIRTIO_NET_F_MQ ? ctrl->max_pairs : 1u);
}

/*
 * The commands: data are the len bytes behind the header. Return: true if done.
 */
static bool net_ctrl_mode(struct net_ctrl *ctrl, uint64_t len)
{
	uint8_t on;

	return len == sizeof(on) &&
		virtq_copy_out(&ctrl->chain, HEADER, &on, sizeof(on)) == sizeof(on) && on <= 1;
}

/* Two tables, unicast and multicast: a number of entries, then the entries. */
static bool net_ctrl_table(struct net_ctrl *ctrl, uint64_t len)
{
	uint64_t at = 0;

	for (int i = 0; i < 2; i++) {
		uint32_t entries;

		if (len - at < sizeof(entries))
			return false;
		virtq_copy_out(&ctrl->chain, HEADER + at, &entries, sizeof(entries));
		at += sizeof(entries);
		if ((len - at) / sizeof(ctrl->mac) < entries)
			return false;
		at += sizeof(ctrl->mac) * entries;
	}
	return at == len;
}

static bool net_ctrl_mac(struct net_ctrl *ctrl, uint64_t len)
{
	if (len != sizeof(ctrl->mac))
		return false;
	virtq_copy_out(&ctrl->chain, HEADER, ctrl->mac, sizeof(ctrl->mac));
	return true;
}

static bool net_ctrl_pairs(struct net_ctrl *ctrl, uint64_t len)
{
	uint16_t pairs;

	if (len != sizeof(pairs))
		return false;
	virtq_copy_out(&ctrl->chain, HEADER, &pairs, sizeof(pairs));
	if (!pairs || pairs > ctrl->max_pairs)
		return false;
	ctrl->pairs = pairs;
	ctrl->changed(ctrl->ctx);
	return true;
}

static bool net_ctrl_offloads(struct net_ctrl *ctrl, uint64_t len)
{
	uint64_t offloads;

	if (len != sizeof(offloads))
		return false;
	virtq_copy_out(&ctrl->chain, HEADER, &offloads, sizeof(offloads));
	if (offloads & ~(ctrl->features & OFFLOADS))
		return false;
	ctrl->offloads = offloads;
	ctrl->changed(ctrl->ctx);
	return true;
}

static const struct {
	uint8_t class, command;
	uint64_t feature;
	bool (*fn)(struct net_ctrl *ctrl, uint64_t len);
} commands[] = {
	{VIRTIO_NET_CTRL_RX, VIRTIO_NET_CTRL_RX_PROMISC, VIRTIO_NET_F_CTRL_RX, net_ctrl_mode},
	{VIRTIO_NET_CTRL_RX, VIRTIO_NET_CTRL_RX_ALLMULTI, VIRTIO_NET_F_CTRL_RX, net_ctrl_mode},
	{VIRTIO_NET_CTRL_MAC, VIRTIO_NET_CTRL_MAC_TABLE_SET, VIRTIO_NET_F_CTRL_RX, net_ctrl_table},
	{VIRTIO_NET_CTRL_MAC, VIRTIO_NET_CTRL_MAC_ADDR_SET, VIRTIO_NET_F_CTRL_MAC_ADDR,
		net_ctrl_mac},
	{VIRTIO_NET_CTRL_MQ, VIRTIO_NET_CTRL_MQ_VQ_PAIRS_SET, VIRTIO_NET_F_MQ, net_ctrl_pairs},
	{VIRTIO_NET_CTRL_GUEST_OFFLOADS, VIRTIO_NET_CTRL_GUEST_OFFLOADS_SET,
		VIRTIO_NET_F_CTRL_GUEST_OFFLOADS, net_ctrl_offloads},
};

/* net_ctrl_command() - Return: the answer to the popped command. */
static uint8_t net_ctrl_command(struct net_ctrl *ctrl)
{
	struct virtio_net_ctrl header;

	virtq_copy_out(&ctrl->chain, 0, &header, sizeof(header));
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (commands[i].class == header.class && commands[i].command == header.command &&
			(ctrl->features & commands[i].feature) &&
			commands[i].fn(ctrl, ctrl->chain.out_len - HEADER))
			return VIRTIO_NET_OK;
	return VIRTIO_NET_ERR;
}

void net_ctrl_serve(struct net_ctrl *ctrl, struct virtq *q)
{
	struct chain *c = &ctrl->chain;
	unsigned int budget = q->num;

	for (; budget && virtq_pop(q, c) > 0; budget--) {
		uint8_t answer;

		if (c->out_len < HEADER || !c->n_in) {
			virtq_break(q, "command without header or answer (spec 5.1.6.5)");
			virtq_push(q, c->head, 0);
			break;
		}
		answer = net_ctrl_command(ctrl);
		virtq_copy_in(c, 0, &answer, sizeof(answer));
		virtq_push(q, c->head, sizeof(answer));
	}
	virtq_notify(q);
	if (!budget)
		virtq_poke(q);
}
