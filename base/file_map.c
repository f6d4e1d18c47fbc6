/* SPDX-License-Identifier: Apache-2.0 */
/* Files mapped read-only; see base/file_map.h. */
#include "base/file_map.h"

#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

int file_map_open(struct file_map *map, const char *path, struct err *e)
{
	/* O_NONBLOCK: a FIFO without a writer must not hold us up before we refuse it */
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;
	void *at;

	*map = (struct file_map)FILE_MAP_INIT;
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(e, errno, "%s", path);
	if (!S_ISREG(st.st_mode))
		return err_set(e, EINVAL, "%s: not a regular file", path);
	if (!st.st_size) {
		map->data = (const uint8_t *)"";
		return 0;
	}
	at = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (at == MAP_FAILED)
		return err_sys(e, errno, "%s", path);
	*map = (struct file_map){.data = at, .len = (size_t)st.st_size};
	return 0;
}

void file_map_close(struct file_map *map)
{
	if (map->len)
		munmap((void *)(uintptr_t)map->data, map->len);
	*map = (struct file_map)FILE_MAP_INIT;
}
