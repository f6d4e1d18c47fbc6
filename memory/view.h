/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The shared view: what a device process sees of guest memory, and the only way it reaches it.
 *
 * A view is a set of regions (from vhost-user's memory messages), each a MAP_SHARED mapping of a
 * descriptor of the front end, and the ledger, if the front end has one: without one (another VMM)
 * every mapped page counts as shared.
 *
 * Invariants:
 * 1. An access touches memory only if all its pages are mapped and shared at that moment, else it
 *    is -EFAULT. (A page that the guest makes private later is no longer the guest's in this
 *    mapping: what is written there is lost, what is read is zeros. The guest asked for it.)
 * 2. Only view_iov() gives addresses: of buffers, for system calls that move data, and of rings,
 *    for devices/back/virtq.c alone, which fetches each of their words once.
 * 3. Every byte of a region is inside its descriptor when it is mapped. A front end that shrinks
 *    an unsealed file later kills its own device process by SIGBUS, nobody else.
 * 4. Data path functions (all that take `const struct view`) allocate nothing and call no system.
 */
#ifndef MEMORY_VIEW_H
#define MEMORY_VIEW_H

#include "base/err.h"
#include "memory/gpa.h"
#include "memory/ledger.h"

#include <sys/uio.h>

#define VIEW_REGIONS_MAX 32u

struct view_region {
	gpa_t gpa;
	uint64_t size;      /* bytes; whole pages */
	uint64_t user_addr; /* where the front end has it mapped: its name for the memory */
	uint8_t *host;      /* where this process has it */
	void *map;          /* start and length of the mapping that holds it */
	size_t map_len;
};

struct view {
	struct view_region regions[VIEW_REGIONS_MAX];
	unsigned int n_regions;
	bool has_ledger;
	struct ledger_map ledger;
};

/* A region as a front end names it; all four in bytes, multiples of the page size. */
struct view_spec {
	uint64_t gpa;
	uint64_t size;
	uint64_t user_addr;
	uint64_t offset; /* in the descriptor */
};

/* view_init() - an empty view. ledger_fd: -1 for none; it stays the caller's. Return: 0 or -errno.
 */
int view_init(struct view *v, int ledger_fd, struct err *e) MUST_CHECK;

/* view_fini() - unmap everything; allowed on a zeroed struct. */
void view_fini(struct view *v);

/*
 * view_add() - map a region. fd stays the caller's and may be closed afterwards.
 * Return: 0; -EINVAL for a misaligned, wrapping or overlapping region or one outside the
 * descriptor; -ENOSPC for too many; -errno of mmap.
 */
int view_add(struct view *v, const struct view_spec *spec, int fd, struct err *e) MUST_CHECK;

/* view_remove() - unmap the region of that gpa, size and user_addr. Return: 0 or -ENOENT. */
int view_remove(struct view *v, const struct view_spec *spec);

/* view_clear() - unmap all regions; the ledger stays. */
void view_clear(struct view *v);

/* view_from_user() - translate [addr, addr+len) of the front end. Return: 0 or -EFAULT. */
int view_from_user(const struct view *v, uint64_t addr, uint64_t len, gpa_t *gpa);

/*
 * view_iov() - resolve [gpa, gpa+len) to at most room entries of iov. They hold until the view is
 * changed, and their pages are shared now.
 * Return: entries filled (>= 1), -EFAULT (len of 0 too), or -E2BIG if room is too small.
 */
int view_iov(const struct view *v, gpa_t gpa, uint64_t len, struct iovec *iov,
	unsigned int room) MUST_CHECK;

#endif
