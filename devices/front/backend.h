/* SPDX-License-Identifier: Apache-2.0 */
/*
 * struct backend: the back end of a virtio device over its whole life, in which one process may
 * take the place of another: the connection, the process, and what the next one has to know (the
 * record of requests in flight, where the rings were left).
 *
 * Threads: any; every call holds the lock as long as it talks to the back end, at most its
 * time-out.
 */
#ifndef DEVICES_FRONT_BACKEND_H
#define DEVICES_FRONT_BACKEND_H

#include "devices/front/backend_own.h"
#include "devices/front/vhost_user_client.h"

#include <pthread.h>

#define BACKEND_QUEUES 64

struct backend_desc {
	const char *name;                       /* for messages; outlives the struct */
	const struct vhost_user_memory *memory; /* copied; the descriptors stay open */
	unsigned int n_memory;
	unsigned int timeout_ms;       /* of each call; 0: VHOST_USER_CLIENT_TIMEOUT_MS */
	uint16_t n_queues;             /* that it must have */
	const struct backend_own *own; /* copied; NULL: nothing */
};

struct backend {
	struct backend_desc desc;
	pthread_mutex_t lock;
	struct vhost_user_client *client; /* NULL: there was none yet */
	int pidfd;                        /* -1: unknown */
	uint64_t features;                /* that the first one offered, as the guest is told */
	struct backend_own own;
	struct vhost_user_record record;
	bool suspended; /* bases say where the rings go on */
	uint32_t bases[BACKEND_QUEUES];
	struct vhost_user_memory memory[VHOST_USER_CLIENT_MEMORIES];
};

/* backend_init() - without a process yet. */
void backend_init(struct backend *b, const struct backend_desc *desc);

/* backend_fini() - drain it, hang up, and see that it ends (it is killed if it doesn't in time). */
void backend_fini(struct backend *b);

/*
 * backend_connect() - negotiate with a process, instead of the one before, which is killed.
 * @sock, @pidfd: the back end's from now on, also after an error
 * Return: 0; -EINVAL if it offers less than the first one; -errno of the client.
 */
int backend_connect(struct backend *b, int sock, int pidfd, struct err *e) MUST_CHECK;

/*
 * backend_start() - start rings where they were left; without a record from before it starts one.
 * @rings: base is filled in here
 * Return: 0 or -errno of the client.
 */
int backend_start(struct backend *b, uint64_t features, struct vhost_user_ring *rings,
	unsigned int n, struct err *e) MUST_CHECK;

/* backend_suspend() - drain and stop it, to start again later. Return: as above. */
int backend_suspend(struct backend *b, struct err *e) MUST_CHECK;

/*
 * backend_reset() - drain and stop it (one that doesn't stop in time is killed) and forget where
 * the rings were. Nothing is in flight after it.
 */
void backend_reset(struct backend *b);

/* backend_kill() - end the process, if it is known, and wait for that. */
void backend_kill(struct backend *b);

/*
 * backend_gone() - after a failure: one that the connection to is given up is killed.
 * Return: true if the connection has ended, which the watcher of its socket will see.
 */
bool backend_gone(struct backend *b);

/* backend_get_config(), backend_set_config() - as of the client; one of ours is read-only. */
int backend_get_config(struct backend *b, void *buf, uint32_t len, struct err *e) MUST_CHECK;
int backend_set_config(
	struct backend *b, uint32_t off, const void *buf, uint32_t len, struct err *e) MUST_CHECK;

/* backend_fd() - Return: the socket, to watch for its end. */
int backend_fd(const struct backend *b);

#endif
