/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the vhost-user server needs of a device: one const table of calls. The server owns the
 * queues, the view and the loop sources of kicks; a device owns its requests and its resource.
 */
#ifndef DEVICES_BACK_DEVICE_H
#define DEVICES_BACK_DEVICE_H

#include "devices/back/virtq.h"

#define DEVICE_QUEUES_MAX 64u

struct back_device;

struct back_device_ops {
	/*
	 * A kick came, or the queue began to run; `queue` is the struct virtq, so that this is a
	 * loop callback. Kicks are edge triggered: nobody reads the eventfd.
	 */
	void (*kicked)(void *queue, uint32_t events);
	/* Finish or give back all that was popped from q and touch no guest memory until kicked().
	 */
	void (*drain)(struct virtq *q);
	/* Fill the device's configuration into VHOST_USER_CONFIG_MAX zeroed bytes. */
	void (*config)(struct back_device *dev, uint8_t *bytes);
	/* The driver wrote to the configuration. Return: false if that can't be. NULL: it never can.
	 */
	bool (*set_config)(
		struct back_device *dev, uint32_t off, const uint8_t *bytes, uint32_t len);
	/* What the driver acknowledged; no queue runs. */
	void (*set_features)(struct back_device *dev, uint64_t features);
};

/* The first member of every device's struct. */
struct back_device {
	const struct back_device_ops *ops;
	const char *name;  /* for log lines */
	uint64_t features; /* what the device type offers; the server adds the common ones */
	uint16_t n_queues; /* 1 to DEVICE_QUEUES_MAX */
};

#endif
