/* SPDX-License-Identifier: Apache-2.0 */
/* Planning of network devices; see vmm/device_plan.h. */
#include "vmm/device_plan.h"

#include "devices/wire/pci.h"
#include "devices/wire/virtio.h"
#include "devices/wire/virtio_net.h"
#include "vmm/config.h"
#include "vmm/tap.h"

#include <stdio.h>
#include <string.h>

/* device_plan_connect_nic() - to a back end of one pair of queues, without a control queue */
static int device_plan_connect_nic(struct device_plan *p, const struct nic_config *c)
{
	const struct virtio_net_config config = {
		.status = VIRTIO_NET_S_LINK_UP, .max_virtqueue_pairs = 1, .mtu = (uint16_t)c->mtu};

	p->connect = c->vhost_socket;
	p->spawn.n_queues = 2;
	p->own.len = p->config_len;
	memcpy(p->own.config, &config, p->config_len);
	memcpy(p->own.config, p->spawn.mac, sizeof(p->spawn.mac));
	p->own.features = VIRTIO_NET_F_MAC | VIRTIO_NET_F_STATUS | (c->mtu ? VIRTIO_NET_F_MTU : 0);
	p->own.withheld = VIRTIO_NET_F_CTRL_VQ | VIRTIO_NET_F_CTRL_RX | VIRTIO_NET_F_MQ |
		VIRTIO_NET_F_CTRL_MAC_ADDR | VIRTIO_NET_F_CTRL_GUEST_OFFLOADS |
		(c->mtu ? 0 : VIRTIO_NET_F_MTU);
	return 1;
}

int device_plan_nic(
	struct device_plan *p, const struct vm_config *config, unsigned int index, struct err *e)
{
	const struct nic_config *c = &config->nics[index];

	*p = (struct device_plan){
		.kind = "net",
		.spawn = {.kind = SPAWN_NET},
		.virtio_id = VIRTIO_ID_NET,
		.class_code = PCI_CLASS_NET,
		.config_len = 12, /* spec 5.1.4 */
	};
	snprintf(p->name, sizeof(p->name), "net%u", index);
	p->spawn.name = c->id ? c->id : p->name;
	p->spawn.n_queues = (uint16_t)(c->num_queues + 1); /* and the control queue */
	p->spawn.offloads = (c->offload_csum ? SPAWN_OFFLOAD_CSUM : 0) |
		(c->offload_tso ? SPAWN_OFFLOAD_TSO : 0) | (c->offload_ufo ? SPAWN_OFFLOAD_UFO : 0);
	p->spawn.limits.bytes = device_plan_limit(&c->bandwidth);
	p->spawn.limits.ops = device_plan_limit(&c->ops);
	p->queue_size = (uint16_t)c->queue_size;
	p->packed = c->packed;
	nic_mac(c->mac, p->spawn.mac);
	if (c->vhost_user)
		return device_plan_connect_nic(p, c);
	if (tap_queues(c, p->spawn.fds, &p->spawn.mtu, e) < 0)
		return -e->code;
	p->spawn.n_fds = (unsigned int)c->num_queues / 2;
	return 1;
}
