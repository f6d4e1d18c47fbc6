/* SPDX-License-Identifier: Apache-2.0 */
/*
 * virtio-mem (spec 5.15): memory that the guest plugs and unplugs, block by block, within a region
 * and up to what the monitor asks for.
 *
 * Invariants:
 * 1. `plugged` of the shared state is the number of plugged blocks, and is right before the driver
 *    sees the answer to a request.
 * 2. A block that is unplugged has given its memory back to the host. A request that can't do that
 *    for all of its blocks changes none of them.
 * 3. A request that a process could not answer before it died is carried out again by the next one
 *    with the same answer.
 *
 * Memory is given back through the view, and only memory that is a mapped object of the front
 * end's (a memfd) can be: level off.
 */
#ifndef DEVICES_BACK_MEM_H
#define DEVICES_BACK_MEM_H

#include "devices/back/device.h"

struct mem;

struct mem_config {
	struct loop *loop;
	const char *name; /* for log lines; must outlive the device */
	int state_fd;     /* of a struct mem_state */
	int changed_fd;   /* an eventfd: is told when `plugged` is another */
			  /* Both are the device's from now on, also on failure. */
};

/* mem_create() - Return: 0 and *out, or -errno. */
int mem_create(struct mem **out, const struct mem_config *config, struct err *e) MUST_CHECK;

/* mem_destroy() - all queues are stopped. NULL is allowed. */
void mem_destroy(struct mem *mem);

/* mem_device() - Return: what the vhost-user server takes. */
struct back_device *mem_device(struct mem *mem);

#endif
