/* SPDX-License-Identifier: Apache-2.0 */
/*
 * virtio-rng (spec 5.4): fills the driver's buffers with what a descriptor gives, at most
 * RNG_CHUNK bytes for one buffer. A source that has nothing now is waited for, one that has ended
 * leaves the driver waiting.
 */
#ifndef DEVICES_BACK_RNG_H
#define DEVICES_BACK_RNG_H

#include "devices/back/device.h"

#define RNG_CHUNK 65536u

struct rng;

struct rng_config {
	struct loop *loop;
	const char *name; /* for log lines; must outlive the device */
	int source_fd;    /* becomes non-blocking; the device's from now on, also on failure */
};

/* rng_create() - Return: 0 and *out, or -errno. */
int rng_create(struct rng **out, const struct rng_config *config, struct err *e) MUST_CHECK;

/* rng_destroy() - all queues are stopped. NULL is allowed. */
void rng_destroy(struct rng *rng);

/* rng_device() - Return: what the vhost-user server takes. */
struct back_device *rng_device(struct rng *rng);

#endif
