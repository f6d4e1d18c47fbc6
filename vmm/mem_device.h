/* SPDX-License-Identifier: Apache-2.0 */
/*
 * struct mem_device: the monitor's end of a VM's virtio-mem device, at level off: says how much
 * memory should be plugged, and hears how much is. What both ends share is a struct mem_state in
 * memory that outlives the device process. Main thread.
 */
#ifndef VMM_MEM_DEVICE_H
#define VMM_MEM_DEVICE_H

#include "base/err.h"

#include <stdint.h>

struct device;
struct loop;
struct mem_device;

#define MEM_DEVICE_ID "mem0"

/* Guest memory that can be plugged. */
struct mem_region {
	uint64_t addr, len;
};

/*
 * mem_device_prepare() - what the device process works on.
 * @region: guest address and bytes, whole blocks; @wanted: bytes to be plugged
 * @fds: become the state and the eventfd, the caller's
 * Return: 0 or -errno.
 */
int mem_device_prepare(
	const struct mem_region *region, uint64_t wanted, int fds[2], struct err *e) MUST_CHECK;

/* Who wants to know. */
struct mem_listener {
	void (*changed)(void *ctx); /* another amount is plugged; on the loop's thread */
	void *ctx;
};

/* mem_device_listen() - to a device that runs, which outlives it. Return: 0 or -errno. */
int mem_device_listen(struct mem_device **out, struct device *d, struct loop *loop,
	const struct mem_listener *listener, struct err *e) MUST_CHECK;

/* mem_device_deafen() - end of the above. NULL is allowed. */
void mem_device_deafen(struct mem_device *m);

/* mem_device_ask() - tell the guest how many bytes should be plugged. Return: 0 or -errno. */
int mem_device_ask(struct mem_device *m, uint64_t bytes, struct err *e) MUST_CHECK;

/* mem_device_plugged() - Return: bytes that are; NULL: 0. */
uint64_t mem_device_plugged(const struct mem_device *m);

#endif
