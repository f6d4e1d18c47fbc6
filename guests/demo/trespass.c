/* SPDX-License-Identifier: Apache-2.0 */
/*
 * demo-trespass PID: can the monitor get at private memory by the descriptor that it keeps?
 *
 * Takes a copy of every descriptor of process PID that is a guest_memfd (pidfd_getfd: it is the
 * very open file) and tries to map, read and write it, with all that a process can do. Prints
 *     trespass: descriptor N mmap ERRNO read ERRNO write ERRNO open ERRNO
 * with the names of the errors, "ok" where it succeeded. Exit status 0 if nothing succeeded.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PAGE 4096

static const char *outcome(bool worked)
{
	return worked ? "ok" : strerrorname_np(errno);
}

/* Return: true if nothing was possible. */
static bool trespass(int fd, int number, const char *path)
{
	static char bytes[PAGE];
	bool mapped, was_read, written, opened;
	void *map;

	map = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
	mapped = map != MAP_FAILED;
	printf("trespass: descriptor %d mmap %s", number, outcome(mapped));
	was_read = read(fd, bytes, PAGE) >= 0 || pread(fd, bytes, PAGE, 0) >= 0;
	printf(" read %s", outcome(was_read));
	written = write(fd, bytes, PAGE) >= 0 || pwrite(fd, bytes, PAGE, 0) >= 0;
	printf(" write %s", outcome(written));
	opened = open(path, O_RDWR) >= 0;
	printf(" open %s\n", outcome(opened));
	return !mapped && !was_read && !written && !opened;
}

int main(int argc, char **argv)
{
	char dir[64], path[sizeof(dir) + 256], target[256];
	bool refused = true;
	struct dirent *d;
	int pidfd;
	DIR *fds;

	if (argc != 2) {
		fprintf(stderr, "usage: demo-trespass PID\n");
		return 2;
	}
	snprintf(dir, sizeof(dir), "/proc/%.16s/fd", argv[1]);
	pidfd = (int)syscall(SYS_pidfd_open, atoi(argv[1]), 0);
	fds = opendir(dir);
	if (pidfd < 0 || !fds) {
		perror("demo-trespass");
		return 2;
	}
	while ((d = readdir(fds))) {
		ssize_t n;
		int fd;

		snprintf(path, sizeof(path), "%s/%s", dir, d->d_name);
		n = readlink(path, target, sizeof(target) - 1);
		if (n < 0)
			continue;
		target[n] = 0;
		if (!strstr(target, "kvm-gmem"))
			continue;
		fd = (int)syscall(SYS_pidfd_getfd, pidfd, atoi(d->d_name), 0);
		if (fd < 0) {
			perror("pidfd_getfd");
			return 2;
		}
		refused &= trespass(fd, atoi(d->d_name), path);
	}
	return refused ? 0 : 1;
}
