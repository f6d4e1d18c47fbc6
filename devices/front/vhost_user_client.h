/* SPDX-License-Identifier: Apache-2.0 */
/*
 * struct vhost_user_client: the front end of the vhost-user protocol on one connected socket.
 *
 * The back end is not trusted: every call ends within its time-out, a reply of the wrong kind, size
 * or version is an error, descriptors that nobody asked for are closed. After a failed exchange the
 * stream means nothing any more, so every later call fails with -EPIPE at once. A request that the
 * back end refuses in due form is -EREMOTEIO and breaks nothing.
 *
 * User addresses on the wire are guest physical addresses plus VHOST_USER_CLIENT_BASE. The back end
 * is never told of ACCESS_PLATFORM: it gets addresses that need no translation, and what it may
 * touch is a matter of the memory that it is given and of the ledger.
 *
 * Threads: one call at a time (the owner's lock); vhost_user_client_fd() from any.
 */
#ifndef DEVICES_FRONT_VHOST_USER_CLIENT_H
#define DEVICES_FRONT_VHOST_USER_CLIENT_H

#include "base/err.h"
#include "memory/gpa.h"

#include <stdbool.h>

#define VHOST_USER_CLIENT_BASE       (UINT64_C(1) << 46)
#define VHOST_USER_CLIENT_TIMEOUT_MS 5000
#define VHOST_USER_CLIENT_MEMORIES   8   /* pieces of guest memory */
#define VHOST_USER_CLIENT_CONFIG_MAX 256 /* bytes of device configuration */

struct vhost_user_client;

/* One piece of guest memory that the back end may map; at most VHOST_USER_CLIENT_MEMORIES. */
struct vhost_user_memory {
	gpa_t gpa;
	uint64_t len;
	int fd;          /* stays the caller's; open as long as the client lives */
	uint64_t offset; /* of the piece in fd */
};

struct vhost_user_client_desc {
	int sock;         /* connected SOCK_STREAM; the client owns it, also when creation fails */
	const char *name; /* for messages; copied */
	const struct vhost_user_memory *memory; /* copied */
	unsigned int n_memory;
	unsigned int timeout_ms; /* of each call; 0: VHOST_USER_CLIENT_TIMEOUT_MS */
};

/* One queue to start; the addresses were checked by the caller. */
struct vhost_user_ring {
	uint32_t index, size;
	gpa_t desc, avail, used;
	int kick, call, err; /* eventfds; stay the caller's */
	uint32_t base;       /* where to begin: 0, or what vhost_user_client_stop() has filled in */
};

/* The back end's record of requests in flight, for the one that comes after it. */
struct vhost_user_record {
	int fd; /* -1: none */
	uint64_t size, offset;
	uint16_t n_queues, queue_size;
};

/* What a back end starts with. */
struct vhost_user_setup {
	uint64_t features; /* that the driver accepted */
	struct vhost_user_ring *rings;
	unsigned int n_rings;
	uint16_t queue_size;              /* of the longest ring */
	struct vhost_user_record *record; /* fd -1: filled, if the back end keeps one */
};

/* vhost_user_client_create() - connect and negotiate. Return: 0, -EPROTO, -ETIMEDOUT or -errno. */
int vhost_user_client_create(struct vhost_user_client **out,
	const struct vhost_user_client_desc *desc, struct err *e) MUST_CHECK;

/* vhost_user_client_destroy() - close the connection, which ends the back end. NULL is allowed. */
void vhost_user_client_destroy(struct vhost_user_client *c);

/* vhost_user_client_fd() - the socket, to watch for EPOLLHUP and EPOLLRDHUP. Return: it. */
int vhost_user_client_fd(const struct vhost_user_client *c);

/* vhost_user_client_features() - Return: virtio features that the back end offers. */
uint64_t vhost_user_client_features(const struct vhost_user_client *c);

/* vhost_user_client_queues() - Return: how many queues the back end has, 0 if it does not say. */
uint64_t vhost_user_client_queues(const struct vhost_user_client *c);

/* vhost_user_client_get_config() - read len (1 to 256) bytes. Return: 0, -ENOTSUP, or as above. */
int vhost_user_client_get_config(
	struct vhost_user_client *c, void *buf, uint32_t len, struct err *e) MUST_CHECK;

/* vhost_user_client_set_config() - the guest wrote len (1 to 8) bytes at off. Return: as above. */
int vhost_user_client_set_config(struct vhost_user_client *c, uint32_t off, const void *buf,
	uint32_t len, struct err *e) MUST_CHECK;

/*
 * vhost_user_client_start() - give features, memory, the record and rings, and enable them.
 * Return: 0 or as above; after a failure call vhost_user_client_stop() all the same.
 */
int vhost_user_client_start(struct vhost_user_client *c, const struct vhost_user_setup *setup,
	struct err *e) MUST_CHECK;

/*
 * vhost_user_client_stop() - stop the rings that were started; when it returns 0 the back end has
 * finished all their requests. Return: 0 or as above.
 * @bases: not NULL: filled by ring index with where each ring goes on
 */
int vhost_user_client_stop(struct vhost_user_client *c, uint32_t *bases, struct err *e) MUST_CHECK;

/* vhost_user_client_given_up() - Return: true if an exchange has failed: no other one can be had. */
bool vhost_user_client_given_up(const struct vhost_user_client *c);

#endif
