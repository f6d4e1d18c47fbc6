/* SPDX-License-Identifier: Apache-2.0 */
/*
 * virtio-blk (spec 5.2): a raw file or block device behind virtqueues, through io_uring.
 *
 * Invariants:
 * 1. A request is answered once: a chain that was popped is pushed when its operation ended, or at
 *    once when it is refused. One without room for a header or a status byte breaks the queue.
 * 2. At most BLK_IN_FLIGHT requests are in flight, over all queues. Further ones wait in their
 *    rings, as do those that the rate limits hold back.
 * 3. A request to a direct image that the kernel would refuse as unaligned is carried out alone, by
 *    way of an aligned buffer (devices/back/blk_bounce.h).
 * 4. Nothing is allocated after blk_create(). The ring of io_uring can do four operations on the
 *    image's descriptor and nothing else (IORING_REGISTER_RESTRICTIONS).
 */
#ifndef DEVICES_BACK_BLK_H
#define DEVICES_BACK_BLK_H

#include "devices/back/device.h"
#include "devices/wire/spawn.h"

#define BLK_IN_FLIGHT 128u

struct blk;

struct blk_config {
	struct loop *loop;
	const char *name; /* for log lines; must outlive the device */
	int image_fd; /* raw file or block device, perhaps O_DIRECT; the device's from now on, also
			 on failure */
	bool read_only;             /* refuse writes; the descriptor may be read-only then */
	uint16_t n_queues;          /* 1 to DEVICE_QUEUES_MAX */
	char serial[20];            /* answer to GET_ID, padded with NUL */
	struct spawn_limits limits; /* of all queues together */
};

/* blk_create() - Return: 0 and *out, or -errno (-EINVAL for a descriptor that is no disk). */
int blk_create(struct blk **out, const struct blk_config *config, struct err *e) MUST_CHECK;

/* blk_destroy() - all queues are stopped. NULL is allowed. */
void blk_destroy(struct blk *blk);

/* blk_device() - Return: what the vhost-user server takes. */
struct back_device *blk_device(struct blk *blk);

#endif
