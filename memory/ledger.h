/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ledger: which guest page is shared and which is private. The one place that knows.
 *
 * Two faces:
 * - `struct ledger` in the monitor writes it (only memory/convert.c changes page states);
 * - `struct ledger_map`, a read-only mapping of the same memfd, is what a device process checks.
 *
 * The memfd holds one header page, then one bit per 4 KiB page of guest physical address space
 * from 0 up to the end of RAM, bit 1 = shared (byte p / 8, bit p % 8). It is sparse: RAM that was
 * never shared costs no page of it. The descriptor that device processes get cannot be mapped for
 * writing (F_SEAL_FUTURE_WRITE) and cannot change its size.
 *
 * Invariants: 1. a page counts as private unless its bit says shared; 2. pages outside RAM are
 * private; 3. `shared` never exceeds `budget`; 4. bits change only under the ledger lock.
 */
#ifndef MEMORY_LEDGER_H
#define MEMORY_LEDGER_H

#include "base/err.h"
#include "memory/gpa.h"

#define LEDGER_MAGIC      UINT64_C(0x316c7265676c6c63) /* "clleglr1" */
#define LEDGER_ALL_SHARED 1u /* level off: all RAM is shared, no bit is kept */

/* The header page of the memfd. */
struct ledger_header {
	uint64_t magic;
	uint32_t flags; /* LEDGER_ALL_SHARED */
	uint32_t reserved;
	uint64_t n_pages; /* pages that have a bit */
};

/* What a device process sees. */
struct ledger_map {
	const struct ledger_header *header; /* start of the mapping */
	const uint8_t *bits; /* NULL if all is shared */
	uint64_t n_pages;
	size_t map_len;
};

/*
 * ledger_map_open() - map a ledger descriptor read-only and check its header.
 * @fd: stays the caller's; may be closed afterwards
 * Return: 0, -EINVAL for something that is not a ledger, or -errno of mmap.
 */
int ledger_map_open(struct ledger_map *map, int fd, struct err *e) MUST_CHECK;

/* ledger_map_close() - unmap; allowed on a zeroed struct. */
void ledger_map_close(struct ledger_map *map);

/*
 * ledger_map_shared() - is every page of [gpa, gpa+len) shared now? Lock-free, acquire loads.
 * Return: false also if the range wraps, is empty or leaves RAM.
 */
bool ledger_map_shared(const struct ledger_map *map, gpa_t gpa, uint64_t len);

#endif
