/* SPDX-License-Identifier: Apache-2.0 */
/* Listening sockets; see vmm/listener.h. */
#include "vmm/listener.h"

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
static int listener_lock(const char *flag, const char *path, struct err *e)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	cleanup_free char *name = listener_lock_path(path);
	cleanup_fd int fd = -1;

	if (!name)
		return err_sys(e, ENOMEM, "--%s", flag);
	fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return err_sys(e, errno, "--%s: '%s'", flag, name);
	if (fcntl(fd, F_OFD_SETLK, &lock) < 0)
		return errno == EAGAIN || errno == EACCES
			? err_set(e, EBUSY, "--%s: '%s' is in use by another process", flag, path)
			: err_sys(e, errno, "--%s: lock '%s'", flag, name);
	return fd_take(&fd);
}

/* listener_clear() - remove a socket that a dead process left; anything else stays */
static int listener_clear(const char *flag, const char *path, struct err *e)
{
	struct stat st;

	if (lstat(path, &st) < 0)
		return errno == ENOENT ? 0 : err_sys(e, errno, "--%s: '%s'", flag, path);
	if (!S_ISSOCK(st.st_mode))
		return err_set(e, EEXIST, "--%s: '%s' exists and is no socket", flag, path);
	return unlink(path) < 0 ? err_sys(e, errno, "--%s: '%s'", flag, path) : 0;
}

static int listener_bind(struct listener *l, const char *path, struct err *e)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};

	l->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (l->fd < 0)
		return err_sys(e, errno, "--%s: socket", l->flag);
	memcpy(addr.sun_path, path, strlen(path) + 1);
	/* Before bind(), which makes the file with these rights. */
	if (fchmod(l->fd, 0600) < 0 || bind(l->fd, (struct sockaddr *)&addr, sizeof(addr)) < 0)
		return err_sys(e, errno, "--%s: '%s'", l->flag, path);
	l->path = strdup(path);
	if (!l->path || listen(l->fd, BACKLOG) < 0)
		return err_sys(e, errno, "--%s: '%s'", l->flag, path);
	return 0;
}

static int listener_open_path(struct listener *l, const char *path, struct err *e)
{
	int rc;

	if (!*path || strlen(path) >= sizeof(((struct sockaddr_un *)NULL)->sun_path))
		return err_set(e, EINVAL, "--%s: a path has 1 to 107 characters", l->flag);
	l->lock = listener_lock(l->flag, path, e);
	if (l->lock < 0)
		return l->lock;
	rc = listener_clear(l->flag, path, e);
	if (!rc)
		rc = listener_bind(l, path, e);
	if (rc) {
		cleanup_free char *lock = l->path ? NULL : listener_lock_path(path);

		if (lock)
			unlink(lock);
		listener_close(l);
	}
	return rc;
}

static int listener_open_fd(struct listener *l, int fd, struct err *e)
{
	int listening = 0;
	socklen_t len = sizeof(listening);

	if (fd < 3 || getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &len) < 0 || !listening)
		return err_set(e, EINVAL, "--%s: fd=%d is no listening socket", l->flag, fd);
	if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0 ||
		fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) < 0)
		return err_sys(e, errno, "--%s: fd=%d", l->flag, fd);
	l->fd = fd;
	return 0;
}

int listener_open(struct listener *l, const char *flag, const char *where, struct err *e)
{
	int fd;
	char end;

	*l = (struct listener){.flag = flag, .fd = -1, .lock = -1};
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
