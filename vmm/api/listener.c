/* SPDX-License-Identifier: Apache-2.0 */
/* The API's socket; see vmm/api/listener.h. */
#include "vmm/api/listener.h"

#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#define BACKLOG 1024

static char *listener_lock_path(const char *path)
{
	char *name;

	return asprintf(&name, "%s.lock", path) < 0 ? NULL : name;
}

/* listener_lock() - Return: a descriptor with the lock, or -errno. */
static int listener_lock(const char *path, struct err *e)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	cleanup_free char *name = listener_lock_path(path);
	cleanup_fd int fd = -1;

	if (!name)
		return err_sys(e, ENOMEM, "--api-socket");
	fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return err_sys(e, errno, "--api-socket: '%s'", name);
	if (fcntl(fd, F_OFD_SETLK, &lock) < 0)
		return errno == EAGAIN || errno == EACCES
			? err_set(e, EBUSY, "--api-socket: '%s' is in use by another process", path)
			: err_sys(e, errno, "--api-socket: lock '%s'", name);
	return fd_take(&fd);
}

/* listener_clear() - remove a socket that a dead process left; anything else stays */
static int listener_clear(const char *path, struct err *e)
{
	struct stat st;

	if (lstat(path, &st) < 0)
		return errno == ENOENT ? 0 : err_sys(e, errno, "--api-socket: '%s'", path);
	if (!S_ISSOCK(st.st_mode))
		return err_set(e, EEXIST, "--api-socket: '%s' exists and is no socket", path);
	return unlink(path) < 0 ? err_sys(e, errno, "--api-socket: '%s'", path) : 0;
}

static int listener_bind(struct listener *l, const char *path, struct err *e)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	mode_t mask;
	int rc;

	l->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (l->fd < 0)
		return err_sys(e, errno, "--api-socket: socket");
	memcpy(addr.sun_path, path, strlen(path) + 1);
	mask = umask(0077);
	rc = bind(l->fd, (struct sockaddr *)&addr, sizeof(addr));
	umask(mask);
	if (rc < 0)
		return err_sys(e, errno, "--api-socket: '%s'", path);
	l->path = strdup(path);
	if (!l->path || listen(l->fd, BACKLOG) < 0)
		return err_sys(e, errno, "--api-socket: '%s'", path);
	return 0;
}

static int listener_open_path(struct listener *l, const char *path, struct err *e)
{
	int rc;

	if (!*path || strlen(path) >= sizeof(((struct sockaddr_un *)NULL)->sun_path))
		return err_set(e, EINVAL, "--api-socket: a path has 1 to 107 characters");
	l->lock = listener_lock(path, e);
	if (l->lock < 0)
		return l->lock;
	rc = listener_clear(path, e);
	if (!rc)
		rc = listener_bind(l, path, e);
	if (rc)
		listener_close(l);
	return rc;
}

static int listener_open_fd(struct listener *l, int fd, struct err *e)
{
	int listening = 0;
	socklen_t len = sizeof(listening);

	if (fd < 3 || getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &len) < 0 || !listening)
		return err_set(e, EINVAL, "--api-socket: fd=%d is no listening socket", fd);
	if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0 ||
		fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) < 0)
		return err_sys(e, errno, "--api-socket: fd=%d", fd);
	l->fd = fd;
	return 0;
}

int listener_open(struct listener *l, const char *where, struct err *e)
{
	int fd;
	char end;

	*l = (struct listener){.fd = -1, .lock = -1};
	if (sscanf(where, "fd=%d%c", &fd, &end) == 1)
		return listener_open_fd(l, fd, e);
	return listener_open_path(l, strncmp(where, "path=", 5) ? where : where + 5, e);
}

void listener_close(struct listener *l)
{
	cleanup_free char *lock = l->path ? listener_lock_path(l->path) : NULL;

	if (l->path)
		unlink(l->path);
	if (lock)
		unlink(lock);
	free(take_ptr(l->path));
	fd_drop(&l->fd);
	fd_drop(&l->lock);
}
