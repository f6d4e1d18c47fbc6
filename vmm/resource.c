/* SPDX-License-Identifier: Apache-2.0 */
/* Opening of device resources; see vmm/resource.h. */
#include "vmm/resource.h"

#include "base/fd.h"
#include "vmm/config.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

/* resource_check_disk() - a directory, socket or the like is named as such */
static int resource_check_disk(int fd, const char *path, struct err *e)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_sys(e, errno, "--disk: '%s'", path);
	if (S_ISDIR(st.st_mode))
		return err_set(e, EISDIR, "--disk: '%s' is a directory, not an image", path);
	if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
		return err_set(
			e, EINVAL, "--disk: '%s' is neither a file nor a block device", path);
	if (S_ISREG(st.st_mode) && st.st_size < 512)
		return err_set(
			e, EINVAL, "--disk: '%s' is smaller than one sector of 512 bytes", path);
	return 0;
}

static int resource_lock_disk(int fd, const struct disk_config *disk, struct err *e)
{
	struct flock lock = {
		.l_type = disk->readonly ? F_RDLCK : F_WRLCK,
		.l_whence = SEEK_SET,
	};

	if (fcntl(fd, F_OFD_SETLK, &lock) == 0)
		return 0;
	if (errno == EAGAIN || errno == EACCES)
		return err_set(e, EBUSY,
			"--disk: '%s' is locked: another VM uses it; share it with readonly=on in all",
			disk->has_fd ? "descriptor" : disk->path);
	return err_sys(e, errno, "--disk: lock '%s'", disk->has_fd ? "descriptor" : disk->path);
}

/* resource_check_handed() - an image that came as a descriptor has to be open for what is done */
static int resource_check_handed(int fd, const struct disk_config *disk, struct err *e)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || flags & O_PATH)
		return err_set(e, EBADF, "--disk: the descriptor is of no opened file");
	if ((flags & O_ACCMODE) == O_WRONLY)
		return err_set(e, EBADF, "--disk: the descriptor is not open for reading");
	if (!disk->readonly && (flags & O_ACCMODE) != O_RDWR)
		return err_set(e, EBADF,
			"--disk: the descriptor is not open for writing; say readonly or open it so");
	return 0;
}

/* resource_dup_disk() - a copy: the config keeps its own for the next boot */
static int resource_dup_disk(const struct disk_config *disk, struct err *e)
{
	cleanup_fd int fd = fcntl(disk->fd, F_DUPFD_CLOEXEC, 3);
	int rc;

	if (fd < 0)
		return err_sys(e, errno, "--disk: descriptor");
	rc = resource_check_handed(fd, disk, e);
	if (!rc)
		rc = resource_check_disk(fd, "descriptor", e);
	if (!rc)
		rc = resource_lock_disk(fd, disk, e);
	return rc ? rc : fd_take(&fd);
}

static int resource_open_disk_path(const struct disk_config *disk, struct err *e)
{
	/* O_NONBLOCK: a FIFO given by mistake must not block us; disks ignore it. */
	int flags = (disk->readonly ? O_RDONLY : O_RDWR) | (disk->direct ? O_DIRECT : 0);
	cleanup_fd int fd = open(disk->path, flags | O_CLOEXEC | O_NONBLOCK);
	int rc;

	if (fd < 0 && errno == EISDIR)
		return err_set(e, EISDIR, "--disk: '%s' is a directory, not an image", disk->path);
	if (fd < 0)
		return err_sys(e, errno, "--disk: '%s'", disk->path);
	rc = resource_check_disk(fd, disk->path, e);
	if (!rc)
		rc = resource_lock_disk(fd, disk, e);
	return rc ? rc : fd_take(&fd);
}

int resource_open_disk(const struct disk_config *disk, struct err *e)
{
	return disk->has_fd ? resource_dup_disk(disk, e) : resource_open_disk_path(disk, e);
}

int resource_open_rng(const char *src, struct err *e)
{
	cleanup_fd int fd = open(src, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;

	if (fd < 0)
		return err_sys(e, errno, "--rng: src '%s'", src);
	if (fstat(fd, &st) < 0 || S_ISDIR(st.st_mode))
		return err_set(e, EISDIR, "--rng: src '%s' is a directory", src);
	return fd_take(&fd);
}

int resource_open_output(const char *path, const char *flag, struct err *e)
{
	cleanup_fd int fd =
		open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0600);
	int flags = fd < 0 ? -1 : fcntl(fd, F_GETFL);

	/* O_NONBLOCK was for the opening alone. */
	if (flags < 0 || fcntl(fd, F_SETFL, flags & ~O_NONBLOCK) < 0)
		return err_sys(e, errno, "--%s: file '%s'", flag, path);
	return fd_take(&fd);
}

int resource_open_console(const struct stream_config *c, int outlet, int fds[2], struct err *e)
{
	cleanup_fd int in = -1, out = -1;

	if (c->mode == STREAM_TTY || outlet >= 0) {
		in = fcntl(outlet < 0 ? STDIN_FILENO : outlet, F_DUPFD_CLOEXEC, 3);
		out = fcntl(outlet < 0 ? STDOUT_FILENO : outlet, F_DUPFD_CLOEXEC, 3);
	} else {
		const char *path = c->mode == STREAM_FILE ? c->file : "/dev/null";

		in = open("/dev/null", O_RDONLY | O_CLOEXEC);
		if (in < 0)
			return err_sys(e, errno, "--console: /dev/null");
		out = resource_open_output(path, "console", e);
		if (out < 0)
			return out;
	}
	if (in < 0 || out < 0)
		return err_sys(e, errno, "--console: the terminal");
	fds[0] = fd_take(&in);
	fds[1] = fd_take(&out);
	return 0;
}
