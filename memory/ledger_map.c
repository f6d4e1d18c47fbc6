/* SPDX-License-Identifier: Apache-2.0 */
/* The ledger as a device process sees it; see memory/ledger.h. */
#include "memory/ledger.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

int ledger_map_open(struct ledger_map *map, int fd, struct err *e)
{
	const struct ledger_header *h;
	struct stat st;
	uint64_t n_pages;

	memset(map, 0, sizeof(*map));
	if (fstat(fd, &st) < 0)
		return err_sys(e, errno, "ledger: fstat");
	if (st.st_size < (off_t)PAGE_SIZE)
		return err_set(e, EINVAL, "ledger: descriptor is too small to be one");
	h = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	if (h == MAP_FAILED)
		return err_sys(e, errno, "ledger: mmap");
	map->header = h;
	map->map_len = (size_t)st.st_size;
	n_pages = h->n_pages;
	if (h->magic != LEDGER_MAGIC ||
		!range_in(PAGE_SIZE,
			h->flags & LEDGER_ALL_SHARED ? 0 : n_pages / 8 + !!(n_pages % 8),
			map->map_len)) {
		ledger_map_close(map);
		return err_set(e, EINVAL, "ledger: bad header");
	}
	map->n_pages = n_pages;
	map->bits = h->flags & LEDGER_ALL_SHARED ? NULL : (const uint8_t *)h + PAGE_SIZE;
	return 0;
}

void ledger_map_close(struct ledger_map *map)
{
	if (map->header)
		munmap((void *)(uintptr_t)map->header, map->map_len);
	memset(map, 0, sizeof(*map));
}

bool ledger_map_shared(const struct ledger_map *map, gpa_t gpa, uint64_t len)
{
	uint64_t first = gpa.v >> PAGE_SHIFT, last;
	gpa_t end;

	if (!len || !gpa_end(gpa, len, &end))
		return false;
	last = (end.v - 1) >> PAGE_SHIFT;
	if (last >= map->n_pages)
		return false;
	for (uint64_t p = first; map->bits && p <= last; p++)
		if (!(__atomic_load_n(&map->bits[p / 8], __ATOMIC_ACQUIRE) & (1u << (p % 8))))
			return false;
	return true;
}
