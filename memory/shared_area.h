/* SPDX-License-Identifier: Apache-2.0 */
/*
 * struct shared_area: a mapping of a file that several processes write, and no guest memory. What
 * is in it counts as written by somebody else: fetch once, check, use.
 */
#ifndef MEMORY_SHARED_AREA_H
#define MEMORY_SHARED_AREA_H

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

struct shared_area {
	void *at; /* NULL: nothing is mapped */
	size_t len;
};

/*
 * shared_area_open() - an area of len zeroed bytes in a memfd that keeps its size.
 * @fd: the memfd, the caller's
 * Return: 0 or -errno.
 */
int shared_area_open(struct shared_area *a, size_t len, int *fd, struct err *e) MUST_CHECK;

/*
 * shared_area_map() - map [offset, offset+len) of fd, which stays the caller's and may be closed.
 * What was mapped before is unmapped, also after an error.
 * Return: 0; -EINVAL if that is not inside the file or not page aligned; -errno of mmap.
 */
int shared_area_map(
	struct shared_area *a, int fd, uint64_t offset, uint64_t len, struct err *e) MUST_CHECK;

/* shared_area_close() - allowed on a zeroed struct. */
void shared_area_close(struct shared_area *a);

#endif
