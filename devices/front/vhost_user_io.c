/* SPDX-License-Identifier: Apache-2.0 */
/* Exchange of messages with a back end; see devices/front/vhost_user_io.h. */
#include "devices/front/vhost_user_io.h"

#include "base/fd.h"
#include "devices/wire/vhost_user.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void vhost_user_io_init(
	struct vhost_user_io *io, int sock, const char *name, unsigned int timeout_ms)
{
	memset(io, 0, sizeof(*io));
	io->sock = sock;
	io->timeout_ms = timeout_ms;
	snprintf(io->name, sizeof(io->name), "%s", name);
}

void vhost_user_io_fini(struct vhost_user_io *io)
{
	fd_drop(&io->sock);
}

void vhost_user_io_begin(struct vhost_user_io *io)
{
	io->deadline = now_ms() + io->timeout_ms;
}

static const char *request_name(uint32_t request)
{
#define NAME_ROW(name, id)                                                                         \
	case id:                                                                                   \
		return #name;
	switch (request) {
		VHOST_USER_MSGS(NAME_ROW)
	default:
		return "?";
	}
}

int vhost_user_io_fail(struct vhost_user_io *io, const struct vhost_user_call *call, int code,
	const char *why, struct err *e)
{
	io->broken = true;
	return err_set(
		e, code, "%s: vhost-user %s: %s", io->name, request_name(call->request), why);
}

/* wait_for() - Return: 0 when the socket is ready for events, -ETIMEDOUT, -errno. */
static int wait_for(const struct vhost_user_io *io, short events)
{
	struct pollfd p = {.fd = io->sock, .events = events};
	int64_t left = io->deadline - now_ms();
	int n = poll(&p, 1, left > 0 ? (int)left : 0);

	if (n < 0)
		return errno == EINTR ? 0 : -errno;
	return n ? 0 : -ETIMEDOUT;
}

static void attach_fds(struct msghdr *msg, const struct vhost_user_call *call)
{
	struct cmsghdr *c;
	size_t bytes = call->n_fds * sizeof(int);

	if (!call->n_fds) {
		msg->msg_control = NULL;
		msg->msg_controllen = 0;
		return;
	}
	msg->msg_controllen = CMSG_SPACE(bytes);
	c = CMSG_FIRSTHDR(msg);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(bytes);
	memcpy(CMSG_DATA(c), call->fds, bytes);
}

/* send_all() - the descriptors go with the first byte. Return: 0 or -errno. */
static int send_all(const struct vhost_user_io *io, struct msghdr *msg)
{
	struct iovec *v = msg->msg_iov;

	while (v->iov_len) {
		ssize_t n = sendmsg(io->sock, msg, MSG_DONTWAIT | MSG_NOSIGNAL);
		int rc = n < 0 ? -errno : 0;

		if (rc == -EAGAIN)
			rc = wait_for(io, POLLOUT);
		else if (rc == -EINTR)
			rc = 0;
		if (rc)
			return rc;
		if (n <= 0)
			continue;
		msg->msg_control = NULL;
		msg->msg_controllen = 0;
		v->iov_base = (char *)v->iov_base + n;
		v->iov_len -= (size_t)n;
	}
	return 0;
}

int vhost_user_io_send(struct vhost_user_io *io, const struct vhost_user_call *call, struct err *e)
{
	char control[CMSG_SPACE(FD_PASS_MAX * sizeof(int))] __attribute__((aligned(8))) = {0};
	char buf[sizeof(struct vhost_user_header) + sizeof(union vhost_user_payload)];
	struct vhost_user_header h = {.request = call->request,
		.flags = VHOST_USER_VERSION | call->flags,
		.size = call->len};
	struct iovec v = {.iov_base = buf, .iov_len = sizeof(h) + call->len};
	struct msghdr msg = {.msg_iov = &v, .msg_iovlen = 1, .msg_control = control};
	int rc;

	assert(call->len <= sizeof(union vhost_user_payload) && call->n_fds <= FD_PASS_MAX);
	if (io->broken)
		return err_set(e, EPIPE, "%s: the connection is given up", io->name);
	memcpy(buf, &h, sizeof(h));
	if (call->len)
		memcpy(buf + sizeof(h), call->body, call->len);
	attach_fds(&msg, call);
	rc = send_all(io, &msg);
	return rc ? vhost_user_io_fail(io, call, -rc, strerror(-rc), e) : 0;
}

/*
 * take_fds() - the first descriptor of msg goes to *fd, if that waits for one; others are closed.
 * Return: 0, or -EPROTO if there were others.
 */
static int take_fds(struct msghdr *msg, int *fd)
{
	int rc = 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		size_t n =
			c->cmsg_len > CMSG_LEN(0) ? (c->cmsg_len - CMSG_LEN(0)) / sizeof(int) : 0;

		for (size_t i = 0; i < n && c->cmsg_type == SCM_RIGHTS; i++) {
			int one;

			memcpy(&one, CMSG_DATA(c) + i * sizeof(one), sizeof(one));
			if (fd && *fd < 0) {
				*fd = one;
				continue;
			}
			close(one);
			rc = -EPROTO;
		}
	}
	return rc;
}

/*
 * recv_all() - exactly len bytes, and no descriptor but one for *fd (not NULL: -1 before).
 * Return: 0, -EPIPE at the end, or -errno.
 */
static int recv_all(const struct vhost_user_io *io, void *buf, size_t len, int *fd)
{
	char control[CMSG_SPACE(FD_PASS_MAX * sizeof(int))] __attribute__((aligned(8)));

	while (len) {
		struct iovec v = {.iov_base = buf, .iov_len = len};
		struct msghdr msg = {.msg_iov = &v,
			.msg_iovlen = 1,
			.msg_control = control,
			.msg_controllen = sizeof(control)};
		ssize_t n = recvmsg(io->sock, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
		int rc = n < 0 ? -errno : n == 0 ? -EPIPE : 0;

		if (rc == -EAGAIN)
			rc = wait_for(io, POLLIN);
		else if (rc == -EINTR)
			rc = 0;
		else if (!rc)
			rc = take_fds(&msg, fd);
		if (rc)
			return rc;
		if (n > 0) {
			buf = (char *)buf + n;
			len -= (size_t)n;
		}
	}
	return 0;
}

static bool is_answer(const struct vhost_user_header *h, const struct vhost_user_call *call)
{
	return h->request == call->request && (h->flags & VHOST_USER_REPLY) &&
		(h->flags & VHOST_USER_VERSION_MASK) == VHOST_USER_VERSION;
}

/* receive() - the answer to call. Return: 0 or -errno; *why if there is more to say. */
static int receive(const struct vhost_user_io *io, const struct vhost_user_call *call, int *fd,
	const char **why)
{
	struct vhost_user_header h;
	int rc = recv_all(io, &h, sizeof(h), fd);

	if (rc)
		return rc;
	if (!is_answer(&h, call)) {
		*why = "the answer is to something else";
		return -EPROTO;
	}
	if (h.size != call->reply_len) {
		*why = "the answer has a wrong length";
		return -EPROTO;
	}
	rc = recv_all(io, call->reply, call->reply_len, fd);
	if (!rc && fd && *fd < 0) {
		*why = "the answer brings no descriptor";
		return -EPROTO;
	}
	return rc;
}

int vhost_user_io_call(struct vhost_user_io *io, const struct vhost_user_call *call, struct err *e)
{
	cleanup_fd int fd = -1;
	const char *why = NULL;
	int rc = vhost_user_io_send(io, call, e);

	if (rc)
		return rc;
	rc = receive(io, call, call->reply_fd ? &fd : NULL, &why);
	if (rc == -EPIPE)
		why = "the back end is gone";
	if (rc == -ETIMEDOUT)
		why = "no answer in time";
	if (rc)
		return vhost_user_io_fail(io, call, -rc, why ? why : strerror(-rc), e);
	if (call->reply_fd)
		*call->reply_fd = fd_take(&fd);
	return 0;
}
