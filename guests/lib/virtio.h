/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The driver side of a modern virtio PCI device with one split queue, by polling. For more queues
 * take a copy of the struct for each, with another `queue`, before virtio_set_rings().
 * Virtio 1.2: section 2.7 split virtqueues, 3.1 device initialization, 4.1.4 PCI device layout.
 */
#ifndef GUESTS_LIB_VIRTIO_H
#define GUESTS_LIB_VIRTIO_H

#include <stdbool.h>
#include <stdint.h>

#define VIRTIO_VENDOR 0x1af4
#define VIRTIO_BLK    0x1042
#define VIRTIO_VSOCK  0x1053
#define VIRTIO_BALLOON 0x1045
#define VIRTIO_MEM    0x1058

#define VIRTIO_STATUS_DRIVER_OK   4
#define VIRTIO_STATUS_FEATURES_OK 8
#define VIRTIO_STATUS_NEEDS_RESET 64

#define VIRTIO_F_INDIRECT        28
#define VIRTIO_F_VERSION_1       32
#define VIRTIO_F_ACCESS_PLATFORM 33

#define DESC_NEXT     1
#define DESC_WRITE    2
#define DESC_INDIRECT 4

#define QUEUE_SIZE 8

struct desc {
	uint64_t addr;
	uint32_t len;
	uint16_t flags, next;
};

/* A queue as it lies in memory that the device can reach: less than one page. */
struct rings {
	struct desc desc[QUEUE_SIZE];
	struct {
		uint16_t flags, idx, ring[QUEUE_SIZE];
	} avail;
	struct {
		uint16_t flags, idx;
		struct {
			uint32_t id, len;
		} ring[QUEUE_SIZE];
	} used;
};

struct virtio {
	unsigned int slot;
	uint16_t queue;                  /* number of the one queue that this struct drives */
	uint64_t common, notify, config; /* addresses of registers */
	uint32_t notify_multiplier;
	uint64_t offered, features; /* what was offered; what was taken */
	uint64_t rings_gpa;
	volatile struct rings *rings;
	uint16_t used_seen;
	bool msix; /* queue 0 uses vector 0 */
};

/* virtio_find() - find a device and its registers; ends the guest if there is none. */
void virtio_find(struct virtio *v, uint16_t device);

/* virtio_open() - find the registers of the device in a slot; ends the guest if one is missing.
 * A device without a configuration of its own has config 0.
 */
void virtio_open(struct virtio *v, unsigned int slot);

/*
 * virtio_start() - reset, negotiate `wanted` of what is offered, set up queue 0, drive.
 * @rings_gpa: a page that the device can reach; cleared here
 */
void virtio_start(struct virtio *v, uint64_t wanted, uint64_t rings_gpa);

/* The steps of virtio_start(), for drivers that do them wrongly. */
void virtio_reset(struct virtio *v);
void virtio_negotiate(struct virtio *v, uint64_t wanted);
void virtio_set_queue(struct virtio *v, uint64_t desc, uint64_t avail, uint64_t used);
void virtio_set_rings(struct virtio *v, uint64_t rings_gpa);
void virtio_drive(struct virtio *v);

uint8_t virtio_status(const struct virtio *v);

/* virtio_offer() - put a chain head on the available ring and kick. */
void virtio_offer(struct virtio *v, uint16_t head);
void virtio_kick(const struct virtio *v);

/* virtio_wait() - wait for one used element. Return: false if NEEDS_RESET or nothing came. */
bool virtio_wait(struct virtio *v, uint32_t *id, uint32_t *len);

#endif
