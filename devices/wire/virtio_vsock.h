/* SPDX-License-Identifier: Apache-2.0 */
/*
 * virtio-vsock (spec 5.10): queue 0 receives (device to guest), queue 1 transmits, queue 2 carries
 * events. Every packet begins with struct virtio_vsock_hdr; only RW has bytes behind it.
 */
#ifndef DEVICES_WIRE_VIRTIO_VSOCK_H
#define DEVICES_WIRE_VIRTIO_VSOCK_H

#include "devices/wire/virtio.h"

#include <assert.h>
#include <stdint.h>

#define VIRTIO_VSOCK_F_STREAM VIRTIO_BIT(0) /* spec 5.10.3 */

#define VIRTIO_VSOCK_QUEUE_RX    0u
#define VIRTIO_VSOCK_QUEUE_TX    1u
#define VIRTIO_VSOCK_QUEUE_EVENT 2u

#define VIRTIO_VSOCK_CID_HOST    UINT64_C(2)
#define VIRTIO_VSOCK_CID_MIN     UINT64_C(3)          /* of a guest; below are reserved */
#define VIRTIO_VSOCK_CID_MAX     UINT64_C(0xfffffffe) /* the next is "any" */
#define VIRTIO_VSOCK_TYPE_STREAM 1u

struct virtio_vsock_config { /* spec 5.10.4 */
	uint64_t guest_cid;
};
static_assert(sizeof(struct virtio_vsock_config) == 8, "spec 5.10.4");

enum virtio_vsock_op { /* spec 5.10.6 */
	VIRTIO_VSOCK_OP_INVALID,
	VIRTIO_VSOCK_OP_REQUEST,
	VIRTIO_VSOCK_OP_RESPONSE,
	VIRTIO_VSOCK_OP_RST,
	VIRTIO_VSOCK_OP_SHUTDOWN,
	VIRTIO_VSOCK_OP_RW,
	VIRTIO_VSOCK_OP_CREDIT_UPDATE,
	VIRTIO_VSOCK_OP_CREDIT_REQUEST,
};

/* flags of SHUTDOWN: what its sender will do no more (spec 5.10.6.5) */
#define VIRTIO_VSOCK_SHUTDOWN_RCV  1u
#define VIRTIO_VSOCK_SHUTDOWN_SEND 2u
#define VIRTIO_VSOCK_SHUTDOWN_BOTH 3u

struct virtio_vsock_hdr { /* spec 5.10.6 */
	uint64_t src_cid, dst_cid;
	uint32_t src_port, dst_port;
	uint32_t len; /* bytes behind the header */
	uint16_t type;
	uint16_t op; /* enum virtio_vsock_op */
	uint32_t flags;
	uint32_t buf_alloc; /* bytes that the sender of this packet can buffer */
	uint32_t fwd_cnt;   /* bytes that its reader has taken, in all; wraps */
} __attribute__((packed));
static_assert(sizeof(struct virtio_vsock_hdr) == 44, "spec 5.10.6");

#endif
