/* SPDX-License-Identifier: Apache-2.0 */
/* Freeing of unannounced shared pages; see memory/sweep.h. */
#include "memory/sweep.h"

#include "memory/ledger.h"
#include "memory/ram.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

/* sweep_extent() - free what is private in one run of pages that have backing */
static int64_t sweep_extent(const struct ram *ram, struct ledger *ledger, gpa_t gpa, uint64_t len)
{
	struct ledger_locked locked = ledger_lock(ledger);
	int64_t freed = 0;
	uint64_t run_len;
	gpa_t run;
	int rc = 0;

	/* Under the lock, so that no page becomes shared between the look and the discard. */
	while (!rc && ledger_run(locked, true, &gpa, &len, &run, &run_len)) {
		rc = ram_discard((void *)(uintptr_t)ram, run, run_len, false);
		freed += rc ? 0 : (int64_t)run_len;
	}
	ledger_unlock(locked);
	return rc ? rc : freed;
}

int64_t sweep_shared(const struct ram *ram, struct ledger *ledger, uint64_t slack)
{
	struct stat st;
	int64_t freed = 0;
	off_t at = 0;

	if (fstat(ram->shared_fd, &st) < 0)
		return -errno;
	if ((uint64_t)st.st_blocks * 512 <= ledger_counts(ledger).shared + slack)
		return 0;
	while ((at = lseek(ram->shared_fd, at, SEEK_DATA)) >= 0) {
		off_t end = lseek(ram->shared_fd, at, SEEK_HOLE);
		int64_t n;

		if (end < 0)
			return -errno;
		n = sweep_extent(ram, ledger, gpa_of((uint64_t)at), (uint64_t)(end - at));
		if (n < 0)
			return n;
		freed += n;
		at = end;
	}
	return errno == ENXIO ? freed : -errno; /* ENXIO: no more data */
}
