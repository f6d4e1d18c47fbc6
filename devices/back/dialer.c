/* SPDX-License-Identifier: Apache-2.0 */
/* The spawner's part of vsock; see devices/back/dialer.h. */
#include "devices/back/dialer.h"

#include "base/fd.h"
#include "devices/wire/vsock_dial.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#define BACKLOG 1024

static_assert(sizeof(((struct sockaddr_un *)0)->sun_path) == DIALER_PATH_MAX, "unix(7)");

/* dialer_connect() - Return: a socket, or -errno. A full backlog is -EAGAIN; nothing waits. */
static int dialer_connect(const struct dialer *d, uint32_t port)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	cleanup_fd int fd = -1;
	int n = snprintf(addr.sun_path, sizeof(addr.sun_path), "%s_%u", d->path, port);

	if (n < 0 || (size_t)n >= sizeof(addr.sun_path))
		return -ENAMETOOLONG;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0)
		return -errno;
	return fd_take(&fd);
}

static void dialer_ready(void *ctx, uint32_t events)
{
	struct dialer *d = ctx;
	struct vsock_dial_request req;
	struct vsock_dial_reply reply;
	cleanup_fd int fd = -1;
	size_t n_fds = 0;
	ssize_t n = fd_recv(d->source.fd, &req, sizeof(req), NULL, &n_fds);

	(void)events;
	if (n == -EAGAIN)
		return;
	if (n != (ssize_t)sizeof(req)) {
		dialer_fini(d);
		return;
	}
	fd = dialer_connect(d, req.port);
	reply = (struct vsock_dial_reply){req.cookie, fd < 0 ? fd : 0};
	/* A device process that does not read what it asked for is not one of ours. */
	if (fd_send(d->source.fd, &reply, sizeof(reply), &fd, fd >= 0) < 0)
		dialer_fini(d);
}

/* dialer_clear() - remove a socket that nobody listens on; anything else stays */
static int dialer_clear(const struct sockaddr_un *addr, struct err *e)
{
	cleanup_fd int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct stat st;

	if (lstat(addr->sun_path, &st) < 0)
		return errno == ENOENT ? 0 : err_sys(e, errno, "'%s'", addr->sun_path);
	if (!S_ISSOCK(st.st_mode))
		return err_set(
			e, EEXIST, "no socket, but something else is at '%s'", addr->sun_path);
	if (connect(fd, (const struct sockaddr *)addr, sizeof(*addr)) == 0 || errno != ECONNREFUSED)
		return err_set(e, EADDRINUSE, "somebody listens on '%s'", addr->sun_path);
	return unlink(addr->sun_path) < 0 ? err_sys(e, errno, "'%s'", addr->sun_path) : 0;
}

/* dialer_listen() - Return: the socket or -errno. */
static int dialer_listen(const char *path, struct err *e)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	cleanup_fd int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (!*path || strlen(path) >= sizeof(addr.sun_path))
		return err_set(e, EINVAL, "a socket's path has 1 to %zu characters",
			sizeof(addr.sun_path) - 1);
	memcpy(addr.sun_path, path, strlen(path));
	if (dialer_clear(&addr, e))
		return -e->code;
	/* The mode is the one that the socket's file will have. */
	if (fd < 0 || fchmod(fd, 0600) < 0 || bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0)
		return err_sys(e, errno, "'%s'", path);
	if (listen(fd, BACKLOG) < 0) {
		unlink(path);
		return err_sys(e, errno, "'%s'", path);
	}
	return fd_take(&fd);
}

/* dialer_start() - all but the listening socket. Return: 0 or -errno. */
static int dialer_start(struct dialer *d, int *dial, struct err *e)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) < 0)
		return err_sys(e, errno, "socketpair");
	d->source = (struct loop_source){.fd = ends[0], .fn = dialer_ready, .ctx = d};
	if (loop_add(d->loop, &d->source, EPOLLIN, e) < 0) {
		fd_drop(&d->source.fd);
		fd_drop(&ends[1]);
		return -e->code;
	}
	*dial = ends[1];
	return 0;
}

int dialer_init(struct dialer *d, struct loop *loop, const char *path, struct dialer_ends *ends,
	struct err *e)
{
	int fd = dialer_listen(path, e);

	if (fd < 0)
		return fd;
	d->loop = loop;
	snprintf(d->path, sizeof(d->path), "%s", path);
	if (dialer_start(d, &ends->dial, e) < 0) {
		unlink(path);
		fd_drop(&fd);
		return -e->code;
	}
	ends->listen = fd;
	return 0;
}

void dialer_fini(struct dialer *d)
{
	if (d->source.fd < 0)
		return;
	loop_remove(d->loop, &d->source);
	fd_drop(&d->source.fd);
	if (*d->path)
		unlink(d->path);
}

void dialer_disown(struct dialer *d)
{
	d->path[0] = '\0';
}
