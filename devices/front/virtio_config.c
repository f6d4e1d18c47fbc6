/* SPDX-License-Identifier: Apache-2.0 */
/* A device's own configuration; see devices/front/virtio_config.h. */
#include "devices/front/virtio_config.h"

#include <string.h>

void virtio_config_init(struct virtio_config *c, struct backend *back, uint32_t len)
{
	*c = (struct virtio_config){.back = back, .len = len};
	pthread_mutex_init(&c->lock, NULL);
}

void virtio_config_fini(struct virtio_config *c)
{
	pthread_mutex_destroy(&c->lock);
}

int virtio_config_fetch(struct virtio_config *c, struct err *e)
{
	uint8_t fresh[VHOST_USER_CLIENT_CONFIG_MAX];
	int rc;

	if (!c->len)
		return 0;
	rc = backend_get_config(c->back, fresh, c->len, e);
	if (rc)
		return rc;
	pthread_mutex_lock(&c->lock);
	rc = memcmp(c->bytes, fresh, c->len) != 0;
	memcpy(c->bytes, fresh, c->len);
	pthread_mutex_unlock(&c->lock);
	return rc;
}

uint64_t virtio_config_read(struct virtio_config *c, uint64_t off, unsigned int len)
{
	uint64_t v = 0;

	if (!range_in(off, len, c->len))
		return 0;
	pthread_mutex_lock(&c->lock);
	memcpy(&v, c->bytes + off, len);
	pthread_mutex_unlock(&c->lock);
	return v;
}

int virtio_config_write(
	struct virtio_config *c, uint64_t off, uint64_t value, unsigned int len, struct err *e)
{
	int rc = backend_set_config(c->back, (uint32_t)off, &value, len, e);

	return rc ? rc : virtio_config_fetch(c, e);
}
