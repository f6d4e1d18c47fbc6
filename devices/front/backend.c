/* SPDX-License-Identifier: Apache-2.0 */
/* A device's back end; see devices/front/backend.h. */
#include "devices/front/backend.h"

#include "base/fd.h"
#include "base/log.h"
#include "devices/wire/virtio.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>

#define END_WAIT_MS 1000 /* for the end of a process that was told to go */

void backend_init(struct backend *b, const struct backend_desc *desc)
{
	*b = (struct backend){.desc = *desc, .pidfd = -1, .record.fd = -1};
	pthread_mutex_init(&b->lock, NULL);
	b->desc.memory = b->memory;
	if (desc->own)
		b->own = *desc->own;
	for (unsigned int i = 0; i < desc->n_memory && i < VHOST_USER_CLIENT_MEMORIES; i++)
		b->memory[i] = desc->memory[i];
}

/* wait_end() - Return: true if the process has ended, or is not known. */
static bool wait_end(const struct backend *b)
{
	struct pollfd p = {.fd = b->pidfd, .events = POLLIN};

	return b->pidfd < 0 || poll(&p, 1, END_WAIT_MS) > 0;
}

/* kill_it() - make sure that it does nothing any more. */
static void kill_it(const struct backend *b)
{
	if (b->pidfd < 0)
		return;
	syscall(SYS_pidfd_send_signal, b->pidfd, SIGKILL, NULL, 0);
	if (!wait_end(b))
		log_error(b->desc.name, "the device process does not end");
}

void backend_fini(struct backend *b)
{
	struct err e = ERR_INIT;

	if (b->client && vhost_user_client_stop(b->client, NULL, &e))
		log_debug(b->desc.name, "stop: %s", e.text);
	vhost_user_client_destroy(b->client);
	if (!wait_end(b))
		kill_it(b);
	fd_drop(&b->pidfd);
	fd_drop(&b->record.fd);
	pthread_mutex_destroy(&b->lock);
}

/* check_offer() - is what the process offers as much as the guest was told? */
static int check_offer(struct backend *b, const struct vhost_user_client *c, struct err *e)
{
	uint64_t has = vhost_user_client_queues(c);
	uint64_t features = (vhost_user_client_features(c) & ~b->own.withheld) | b->own.features;

	if (has && has < b->desc.n_queues)
		return err_set(e, EINVAL, "%s: the back end has %llu queues, not %u", b->desc.name,
			(unsigned long long)has, b->desc.n_queues);
	if (b->features & ~features)
		return err_set(e, EINVAL, "%s: the back end lacks features 0x%llx", b->desc.name,
			(unsigned long long)(b->features & ~features));
	if (!b->features)
		b->features = features;
	return 0;
}

int backend_connect(struct backend *b, int sock, int pidfd, struct err *e)
{
	struct vhost_user_client_desc d = {.sock = sock,
		.name = b->desc.name,
		.memory = b->memory,
		.n_memory = b->desc.n_memory,
		.timeout_ms = b->desc.timeout_ms};
	struct vhost_user_client *fresh;
	int rc;

	pthread_mutex_lock(&b->lock);
	kill_it(b);
	fd_drop(&b->pidfd);
	b->pidfd = pidfd;
	rc = vhost_user_client_create(&fresh, &d, e);
	if (!rc) {
		vhost_user_client_destroy(b->client);
		b->client = fresh;
		rc = check_offer(b, fresh, e);
	}
	pthread_mutex_unlock(&b->lock);
	return rc;
}

int backend_start(struct backend *b, uint64_t features, struct vhost_user_ring *rings,
	unsigned int n, struct err *e)
{
	struct vhost_user_setup setup = {
		.features = features, .rings = rings, .n_rings = n, .record = &b->record};
	/* Both positions of a packed ring begin at 0 with their wrap counters 1 (spec 2.8.1). */
	uint32_t fresh = features & VIRTIO_F_RING_PACKED ? 0x80008000u : 0;
	int rc;

	pthread_mutex_lock(&b->lock);
	for (unsigned int i = 0; i < n; i++) {
		rings[i].base = b->suspended ? b->bases[rings[i].index] : fresh;
		if (rings[i].size > setup.queue_size)
			setup.queue_size = (uint16_t)rings[i].size;
	}
	rc = vhost_user_client_start(b->client, &setup, e);
	pthread_mutex_unlock(&b->lock);
	return rc;
}

int backend_suspend(struct backend *b, struct err *e)
{
	int rc;

	pthread_mutex_lock(&b->lock);
	rc = vhost_user_client_stop(b->client, b->bases, e);
	b->suspended = rc == 0;
	pthread_mutex_unlock(&b->lock);
	return rc;
}

void backend_reset(struct backend *b)
{
	struct err e = ERR_INIT;

	pthread_mutex_lock(&b->lock);
	if (vhost_user_client_stop(b->client, NULL, &e)) {
		log_limited(LOG_WARN, b->desc.name, "stop: %s", e.text);
		kill_it(b);
	}
	fd_drop(&b->record.fd);
	b->suspended = false;
	pthread_mutex_unlock(&b->lock);
}

void backend_kill(struct backend *b)
{
	pthread_mutex_lock(&b->lock);
	kill_it(b);
	pthread_mutex_unlock(&b->lock);
}

bool backend_gone(struct backend *b)
{
	struct pollfd p = {.events = POLLRDHUP};
	bool gone;

	pthread_mutex_lock(&b->lock);
	if (vhost_user_client_given_up(b->client))
		kill_it(b);
	p.fd = vhost_user_client_fd(b->client);
	gone = poll(&p, 1, 0) > 0 && p.revents & (POLLRDHUP | POLLHUP);
	pthread_mutex_unlock(&b->lock);
	return gone;
}

int backend_get_config(struct backend *b, void *buf, uint32_t len, struct err *e)
{
	int rc;

	if (b->own.len) {
		memcpy(buf, b->own.config, len < b->own.len ? len : b->own.len);
		return 0;
	}
	pthread_mutex_lock(&b->lock);
	rc = vhost_user_client_get_config(b->client, buf, len, e);
	pthread_mutex_unlock(&b->lock);
	return rc;
}

int backend_set_config(
	struct backend *b, uint32_t off, const void *buf, uint32_t len, struct err *e)
{
	int rc;

	if (b->own.len)
		return 0;
	pthread_mutex_lock(&b->lock);
	rc = vhost_user_client_set_config(b->client, off, buf, len, e);
	pthread_mutex_unlock(&b->lock);
	return rc;
}

int backend_fd(const struct backend *b)
{
	return vhost_user_client_fd(b->client);
}
