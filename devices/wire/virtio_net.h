/* SPDX-License-Identifier: Apache-2.0 */
/*
 * virtio-net (spec 5.1). Queue 2k receives (device to guest), queue 2k + 1 transmits; the control
 * queue is the one after the last pair that the driver knows of, see net_ctrl.h.
 */
#ifndef DEVICES_WIRE_VIRTIO_NET_H
#define DEVICES_WIRE_VIRTIO_NET_H

#include "devices/wire/virtio.h"

#include <assert.h>
#include <stdint.h>

/* spec 5.1.3 */
#define VIRTIO_NET_F_CSUM                VIRTIO_BIT(0) /* device takes partial checksums */
#define VIRTIO_NET_F_GUEST_CSUM          VIRTIO_BIT(1) /* driver takes partial checksums */
#define VIRTIO_NET_F_CTRL_GUEST_OFFLOADS VIRTIO_BIT(2)
#define VIRTIO_NET_F_MTU                 VIRTIO_BIT(3)
#define VIRTIO_NET_F_MAC                 VIRTIO_BIT(5)
#define VIRTIO_NET_F_GUEST_TSO4          VIRTIO_BIT(7)
#define VIRTIO_NET_F_GUEST_TSO6          VIRTIO_BIT(8)
#define VIRTIO_NET_F_GUEST_ECN           VIRTIO_BIT(9)
#define VIRTIO_NET_F_GUEST_UFO           VIRTIO_BIT(10)
#define VIRTIO_NET_F_HOST_TSO4           VIRTIO_BIT(11)
#define VIRTIO_NET_F_HOST_TSO6           VIRTIO_BIT(12)
#define VIRTIO_NET_F_HOST_ECN            VIRTIO_BIT(13)
#define VIRTIO_NET_F_HOST_UFO            VIRTIO_BIT(14)
#define VIRTIO_NET_F_MRG_RXBUF           VIRTIO_BIT(15)
#define VIRTIO_NET_F_STATUS              VIRTIO_BIT(16)
#define VIRTIO_NET_F_CTRL_VQ             VIRTIO_BIT(17)
#define VIRTIO_NET_F_CTRL_RX             VIRTIO_BIT(18)
#define VIRTIO_NET_F_MQ                  VIRTIO_BIT(22)
#define VIRTIO_NET_F_CTRL_MAC_ADDR       VIRTIO_BIT(23)
/* virtio 1.3, 5.1.3 */
#define VIRTIO_NET_F_GUEST_USO4 VIRTIO_BIT(54)
#define VIRTIO_NET_F_GUEST_USO6 VIRTIO_BIT(55)
#define VIRTIO_NET_F_HOST_USO   VIRTIO_BIT(56)

struct virtio_net_config { /* spec 5.1.4 */
	uint8_t mac[6];
	uint16_t status;
	uint16_t max_virtqueue_pairs;
	uint16_t mtu;
};
static_assert(sizeof(struct virtio_net_config) == 12, "spec 5.1.4");

#define VIRTIO_NET_S_LINK_UP 1u

struct virtio_net_header { /* spec 5.1.6: in front of every frame */
	uint8_t flags, gso_type;
	uint16_t hdr_len, gso_size, csum_start, csum_offset;
	uint16_t num_buffers; /* chains that hold the frame; of received ones only */
};
static_assert(sizeof(struct virtio_net_header) == 12, "spec 5.1.6");

/* The control queue, spec 5.1.6.5: class and command, readable; data; one byte of answer. */
struct virtio_net_ctrl {
	uint8_t class, command;
};
static_assert(sizeof(struct virtio_net_ctrl) == 2, "spec 5.1.6.5");

#define VIRTIO_NET_OK  0u
#define VIRTIO_NET_ERR 1u

#define VIRTIO_NET_CTRL_RX                 0u /* spec 5.1.6.5.1 */
#define VIRTIO_NET_CTRL_RX_PROMISC         0u
#define VIRTIO_NET_CTRL_RX_ALLMULTI        1u
#define VIRTIO_NET_CTRL_MAC                1u /* spec 5.1.6.5.2 */
#define VIRTIO_NET_CTRL_MAC_TABLE_SET      0u
#define VIRTIO_NET_CTRL_MAC_ADDR_SET       1u
#define VIRTIO_NET_CTRL_MQ                 4u /* spec 5.1.6.5.5 */
#define VIRTIO_NET_CTRL_MQ_VQ_PAIRS_SET    0u
#define VIRTIO_NET_CTRL_GUEST_OFFLOADS     5u /* spec 5.1.6.5.6 */
#define VIRTIO_NET_CTRL_GUEST_OFFLOADS_SET 0u

#endif
