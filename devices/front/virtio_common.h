/* SPDX-License-Identifier: Apache-2.0 */
/*
 * struct virtio_common: the common configuration registers of virtio over PCI (spec 4.1.4.3):
 * status, feature negotiation, queue setup, vectors, generation.
 *
 * Invariants:
 * 1. What the driver set up is frozen from DRIVER_OK to the reset, and a queue's own from its
 *    enable on: later writes are ignored, so what the back end was given is what was checked.
 * 2. Queues handed to activate() have a size that is a power of two up to the maximum, aligned
 *    areas, and each area in one range of RAM.
 * 3. Status bits only come, until the reset takes all; FEATURES_OK only with VERSION_1, nothing
 *    that was not offered, and ACCESS_PLATFORM where it is required.
 * 4. The reset is seen by the driver (status 0) only after reset() has returned.
 *
 * Threads: any vCPU and the main thread. Two mutexes: `operation` is held while activate() or
 * reset() talk to the back end, which may take its time-out; `lock`, taken after it, covers the
 * registers and is never held there, so that reads don't wait.
 */
#ifndef DEVICES_FRONT_VIRTIO_COMMON_H
#define DEVICES_FRONT_VIRTIO_COMMON_H

#include "base/attr.h"
#include "devices/wire/virtio.h"
#include "memory/layout.h"

#include <pthread.h>

#define VIRTIO_COMMON_QUEUES 64         /* per device at most */
#define VIRTIO_COMMON_CONFIG UINT32_MAX /* in place of a queue number: configuration changes */

struct virtio_queue {
	uint16_t size, vector;
	bool enabled;
	gpa_t desc, driver, device;
};

struct virtio_common_ops {
	/* DRIVER_OK: start with c->driver_features and c->queues, which don't change meanwhile. */
	int (*activate)(void *ctx);
	/* Stop and drain; also called when never activated. */
	void (*reset)(void *ctx);
	/* Under the lock: bind a queue or VIRTIO_COMMON_CONFIG to a vector. Return: the one bound.
	 */
	uint16_t (*bind)(void *ctx, uint32_t queue, uint16_t vector);
	/* Under the lock: raise the configuration interrupt. */
	void (*config_interrupt)(void *ctx);
};

struct virtio_common_desc {
	const struct virtio_common_ops *ops;
	void *ctx;
	const struct layout *layout; /* RAM; outlives the struct */
	uint64_t features;           /* offered, transport bits included */
	uint64_t required;           /* of these, FEATURES_OK is refused without */
	uint16_t n_queues;           /* 1 to VIRTIO_COMMON_QUEUES */
	uint16_t max_size;           /* of a queue, a power of two */
};

struct virtio_common {
	struct virtio_common_desc desc;
	pthread_mutex_t operation, lock;
	uint32_t device_select, driver_select; /* features */
	uint64_t driver_features;
	bool beyond; /* the driver set feature bits of 64 or above, which nobody offers */
	bool frozen;
	uint8_t status, generation;
	uint16_t config_vector, queue_select;
	struct virtio_queue queues[VIRTIO_COMMON_QUEUES];
};

/* virtio_common_init() - registers as after a reset; nothing is bound. */
void virtio_common_init(struct virtio_common *c, const struct virtio_common_desc *desc);

/* virtio_common_fini() - Pair of the above. */
void virtio_common_fini(struct virtio_common *c);

/* virtio_common_read() - len bytes at off; beyond the registers zeros. Return: the value. */
uint64_t virtio_common_read(struct virtio_common *c, uint64_t off, unsigned int len);

/*
 * virtio_common_write() - a register of its own size, or half of a 64-bit one; others are ignored.
 * A write of the status may take as long as activate() or reset().
 */
void virtio_common_write(struct virtio_common *c, uint64_t off, unsigned int len, uint64_t value);

/* virtio_common_is_status() - Return: true for the register that may talk to the back end. */
bool virtio_common_is_status(uint64_t off, unsigned int len);

/* virtio_common_broken() - DEVICE_NEEDS_RESET (spec 2.1.2) and, if the driver runs, an interrupt.
 */
void virtio_common_broken(struct virtio_common *c);

/* virtio_common_is_broken() - Return: true from then on until the reset. */
bool virtio_common_is_broken(struct virtio_common *c);

/* virtio_common_changed() - the device's configuration is another: generation and interrupt. */
void virtio_common_changed(struct virtio_common *c);

#endif
