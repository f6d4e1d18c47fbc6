/* SPDX-License-Identifier: Apache-2.0 */
/*
 * virtio-mem (spec 5.15): one queue of requests, and what monitor and device process share of such
 * a device.
 */
#ifndef DEVICES_WIRE_VIRTIO_MEM_H
#define DEVICES_WIRE_VIRTIO_MEM_H

#include "devices/wire/virtio.h"

#include <assert.h>
#include <stdint.h>

#define VIRTIO_MEM_F_UNPLUGGED_INACCESSIBLE VIRTIO_BIT(1)

struct virtio_mem_config { /* spec 5.15.4 */
	uint64_t block_size;
	uint16_t node_id;
	uint8_t padding[6];
	uint64_t addr;
	uint64_t region_size;
	uint64_t usable_region_size;
	uint64_t plugged_size;
	uint64_t requested_size;
};
static_assert(sizeof(struct virtio_mem_config) == 56, "spec 5.15.4");

/* spec 5.15.6 */
enum virtio_mem_request_type {
	VIRTIO_MEM_REQ_PLUG,
	VIRTIO_MEM_REQ_UNPLUG,
	VIRTIO_MEM_REQ_UNPLUG_ALL,
	VIRTIO_MEM_REQ_STATE
};

struct virtio_mem_request {
	uint16_t type;
	uint8_t padding[6];
	uint64_t addr;      /* this and the next: of all but UNPLUG_ALL */
	uint16_t nb_blocks; /* from 1 up */
	uint8_t padding2[6];
};
static_assert(sizeof(struct virtio_mem_request) == 24, "spec 5.15.6");

enum virtio_mem_response_type {
	VIRTIO_MEM_RESP_ACK,
	VIRTIO_MEM_RESP_NACK,
	VIRTIO_MEM_RESP_BUSY,
	VIRTIO_MEM_RESP_ERROR
};

enum virtio_mem_state { VIRTIO_MEM_PLUGGED, VIRTIO_MEM_UNPLUGGED, VIRTIO_MEM_MIXED };

struct virtio_mem_response {
	uint16_t type;
	uint8_t padding[6];
	uint16_t state; /* of STATE */
} __attribute__((packed));
static_assert(sizeof(struct virtio_mem_response) == 10, "spec 5.15.6");

#define VIRTIO_MEM_BLOCK 0x200000u /* 2 MiB: a huge page, and the least that Linux takes */

/*
 * A memfd of the monitor's: the device process that comes after one that died goes on with it. The
 * fields before `plugged` are the monitor's, the others the device process's. `wanted` and
 * `plugged` change while it runs; atomic.
 */
struct mem_state {
	uint64_t addr, region; /* guest memory that can be plugged; multiples of the block */
	uint64_t wanted;       /* bytes */
	uint64_t plugged;      /* bytes */
	struct virtio_mem_request step; /* a change under way: done again after a death */
	uint64_t stepping;              /* there is one */
	uint8_t blocks[];               /* 1: plugged; region / VIRTIO_MEM_BLOCK of them */
};
static_assert(sizeof(struct mem_state) == 64, "mem");

#endif
