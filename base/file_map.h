/* SPDX-License-Identifier: Apache-2.0 */
/*
 * struct file_map: a regular file mapped read-only, for parsers that take bytes.
 *
 * Nothing is copied. The map is private, but a file that somebody cuts short while it is in use
 * still ends the process with SIGBUS: files are expected to be at rest.
 */
#ifndef BASE_FILE_MAP_H
#define BASE_FILE_MAP_H

#include "base/bytes.h"
#include "base/err.h"

struct file_map {
	const uint8_t *data; /* not NULL while open, also for an empty file */
	size_t len;
};

#define FILE_MAP_INIT                                                                              \
	{                                                                                          \
		.data = NULL                                                                       \
	}

/*
 * file_map_open() - map the file at path.
 * Return: 0; else the -errno of open(2) or mmap(2), -EINVAL if it is not a regular file.
 */
int file_map_open(struct file_map *map, const char *path, struct err *e) MUST_CHECK;

/* file_map_close() - unmap; allowed on an unopened or closed map. */
void file_map_close(struct file_map *map);
#define cleanup_file_map CLEANUP(file_map_close)

/* file_map_bytes() - Return: a reader over the whole file. */
static inline struct bytes file_map_bytes(const struct file_map *map)
{
	return bytes_of(map->data, map->len);
}

#endif
