/* SPDX-License-Identifier: Apache-2.0 */
/*
 * struct vhost_user_io: messages of the vhost-user protocol on a socket whose other end may lie,
 * stall or die. All exchanges from vhost_user_io_begin() on share one deadline. After a failure
 * every further exchange fails with -EPIPE. One thread at a time.
 */
#ifndef DEVICES_FRONT_VHOST_USER_IO_H
#define DEVICES_FRONT_VHOST_USER_IO_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vhost_user_io {
	int sock;
	char name[48]; /* for messages */
	unsigned int timeout_ms;
	int64_t deadline; /* ms of CLOCK_MONOTONIC */
	bool broken;
};

/* One message and, if reply_len is not 0, the answer that must come back to it. */
struct vhost_user_call {
	uint32_t request;
	uint32_t flags; /* beside the version */
	const void *body;
	uint32_t len;
	const int *fds; /* to send along; stay the caller's */
	size_t n_fds;
	void *reply;        /* filled on success */
	uint32_t reply_len; /* an answer of any other length is an error */
	int *reply_fd;      /* filled with the descriptor that must come along; NULL: none may */
};

/* vhost_user_io_init() - take a socket over. */
void vhost_user_io_init(
	struct vhost_user_io *io, int sock, const char *name, unsigned int timeout_ms);

/* vhost_user_io_fini() - close it. */
void vhost_user_io_fini(struct vhost_user_io *io);

/* vhost_user_io_begin() - what follows has timeout_ms from now in all. */
void vhost_user_io_begin(struct vhost_user_io *io);

/* vhost_user_io_send() - send without waiting for an answer. Return: 0, -ETIMEDOUT, -errno. */
int vhost_user_io_send(
	struct vhost_user_io *io, const struct vhost_user_call *call, struct err *e) MUST_CHECK;

/* vhost_user_io_call() - send and receive the answer. Return: 0, -EPROTO, -ETIMEDOUT, -errno. */
int vhost_user_io_call(
	struct vhost_user_io *io, const struct vhost_user_call *call, struct err *e) MUST_CHECK;

/* vhost_user_io_fail() - give the connection up. Return: -code, with name and message in e. */
int vhost_user_io_fail(struct vhost_user_io *io, const struct vhost_user_call *call, int code,
	const char *why, struct err *e);

#endif
