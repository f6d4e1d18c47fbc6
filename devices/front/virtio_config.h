/* SPDX-License-Identifier: Apache-2.0 */
/*
 * struct virtio_config: a device's own configuration (spec 2.5) as the guest reads it: a copy of
 * the back end's. Any thread; functions that talk to the back end may wait for it.
 */
#ifndef DEVICES_FRONT_VIRTIO_CONFIG_H
#define DEVICES_FRONT_VIRTIO_CONFIG_H

#include "devices/front/backend.h"
#include "devices/front/vhost_user_client.h"

#include <pthread.h>

struct virtio_config {
	struct backend *back;
	uint32_t len; /* bytes; 0: there is none */
	pthread_mutex_t lock;
	uint8_t bytes[VHOST_USER_CLIENT_CONFIG_MAX]; /* lock */
};

/* virtio_config_init() - an empty copy of len bytes; back outlives it. */
void virtio_config_init(struct virtio_config *c, struct backend *back, uint32_t len);
void virtio_config_fini(struct virtio_config *c);

/* virtio_config_fetch() - Return: 1 if it is another now, 0 if it is not, -errno of the back end.
 */
int virtio_config_fetch(struct virtio_config *c, struct err *e) MUST_CHECK;

/* virtio_config_read() - Return: up to 8 bytes of the copy, 0 beyond its end. */
uint64_t virtio_config_read(struct virtio_config *c, uint64_t off, unsigned int len);

/* virtio_config_write() - have the back end change it, and fetch. Return: as there. */
int virtio_config_write(struct virtio_config *c, uint64_t off, uint64_t value, unsigned int len,
	struct err *e) MUST_CHECK;

#endif
