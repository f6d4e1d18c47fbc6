/* SPDX-License-Identifier: Apache-2.0 */
/*
 * virtio-balloon (spec 5.5): pages that the guest does without go back to the host: those that it
 * puts into the balloon, and free ones that it reports. Such a page has no backing until the guest
 * touches it again, and is then all zeros.
 *
 * Pages are given back through the view, so only what the guest may share can be, and only memory
 * that is a mapped object of the front end's (a memfd) can: level off. A page number outside of
 * guest memory is ignored and counted as refused.
 */
#ifndef DEVICES_BACK_BALLOON_H
#define DEVICES_BACK_BALLOON_H

#include "devices/back/device.h"

struct balloon;

struct balloon_config {
	struct loop *loop;
	const char *name; /* for log lines; must outlive the device */
	int state_fd;     /* of a struct balloon_state */
	int changed_fd;   /* an eventfd: is told when `actual` is another */
			  /* Both are the device's from now on, also on failure. */
};

/* balloon_create() - Return: 0 and *out, or -errno. */
int balloon_create(
	struct balloon **out, const struct balloon_config *config, struct err *e) MUST_CHECK;

/* balloon_destroy() - all queues are stopped. NULL is allowed. */
void balloon_destroy(struct balloon *balloon);

/* balloon_device() - Return: what the vhost-user server takes. */
struct back_device *balloon_device(struct balloon *balloon);

#endif
