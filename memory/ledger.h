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

struct layout;
struct ledger;

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

/* Figures of the ledger; bytes unless they say otherwise. */
struct ledger_counts {
	uint64_t ram;
	uint64_t shared; /* now */
	uint64_t peak; /* most shared at one time */
	uint64_t budget; /* shared never exceeds it */
	uint64_t conversions; /* requests that changed at least one page */
	uint64_t refused; /* requests answered with an error */
};

/* Proof that the ledger lock is held; made by ledger_lock() alone, given back to ledger_unlock(). */
struct ledger_locked {
	struct ledger *ledger;
};

/*
 * ledger_create() - a ledger for the RAM of layout, all private, or all shared for level off.
 * @budget: most bytes that may be shared at one time; ignored if all is shared
 * Return: 0 and a ledger in *out that the caller destroys, or -errno.
 */
int ledger_create(struct ledger **out, const struct layout *layout, bool all_shared,
	uint64_t budget, struct err *e) MUST_CHECK;

/* ledger_destroy() - free; NULL is allowed. */
void ledger_destroy(struct ledger *ledger);

/* ledger_device_fd() - Return: the descriptor for device processes; it stays the ledger's. */
int ledger_device_fd(const struct ledger *ledger);

/* ledger_lock() - wait for the ledger lock. Return: the proof, for ledger_unlock(). */
struct ledger_locked ledger_lock(struct ledger *ledger);
void ledger_unlock(struct ledger_locked locked);

/*
 * ledger_run() - the first run of pages in [gpa, gpa+len) that are not yet in the wanted state.
 * @gpa, @len: page aligned, in RAM; moved past the run
 * @run, @run_len: the run found
 * Return: false if every page is in that state already.
 */
bool ledger_run(struct ledger_locked locked, bool shared, gpa_t *gpa, uint64_t *len, gpa_t *run,
	uint64_t *run_len);

/* ledger_room() - Return: false if sharing the private pages of the range would pass the budget. */
bool ledger_room(struct ledger_locked locked, gpa_t gpa, uint64_t len);

/* ledger_set() - put every page of a run from ledger_run() into the state; cannot fail. */
void ledger_set(struct ledger_locked locked, gpa_t run, uint64_t run_len, bool shared);

/* ledger_count() - count one finished request. */
void ledger_count(struct ledger_locked locked, bool changed, bool refused);

/* ledger_counts() - Return: a consistent copy of the figures. */
struct ledger_counts ledger_counts(struct ledger *ledger);

#endif
