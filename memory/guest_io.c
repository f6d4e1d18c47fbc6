/* SPDX-License-Identifier: Apache-2.0 */
/* Reads and writes of shared guest memory; see memory/guest_io.h. */
#include "memory/guest_io.h"

#include "memory/ledger.h"
#include "memory/ram.h"

#include <errno.h>
#include <string.h>

#define PIECE KIB(64) /* copied under one hold of the lock */

enum guest_io_op { GUEST_IO_READ, GUEST_IO_WRITE, GUEST_IO_FILL };

/* guest_io_shared() - is every page that [gpa, gpa+len) touches shared RAM? */
static bool guest_io_shared(
	const struct guest_io *io, struct ledger_locked locked, gpa_t gpa, uint64_t len)
{
	gpa_t first = gpa_of(align_down(gpa.v, PAGE_SIZE)), run;
	uint64_t pages, run_len;

	if (!layout_contains(&io->ram->layout, gpa, len))
		return false;
	pages = align_up(gpa.v + len, PAGE_SIZE) - first.v;
	return !ledger_run(locked, true, &first, &pages, &run, &run_len);
}

static int guest_io_piece(
	const struct guest_io *io, enum guest_io_op op, gpa_t gpa, uint8_t *mine, size_t len)
{
	struct ledger_locked locked = ledger_lock(io->ledger);
	int rc = guest_io_shared(io, locked, gpa, len) ? 0 : -EFAULT;
	uint8_t *theirs = rc ? NULL : io->ram->shared + gpa.v;

	if (theirs && op == GUEST_IO_READ)
		memcpy(mine, theirs, len);
	else if (theirs && op == GUEST_IO_WRITE)
		memcpy(theirs, mine, len);
	else if (theirs)
		memset(theirs, 0, len);
	ledger_unlock(locked);
	return rc;
}

static int guest_io_all(
	const struct guest_io *io, enum guest_io_op op, gpa_t gpa, uint8_t *mine, size_t len)
{
	int rc = 0;

	for (size_t at = 0; at < len && !rc;) {
		size_t n = (size_t)min_u64(len - at, PIECE);

		rc = gpa.v + at < gpa.v
			? -EFAULT
			: guest_io_piece(io, op, gpa_of(gpa.v + at), mine ? mine + at : NULL, n);
		at += n;
	}
	return rc;
}

int guest_io_read(const struct guest_io *io, gpa_t gpa, void *to, size_t len)
{
	return guest_io_all(io, GUEST_IO_READ, gpa, to, len);
}

int guest_io_write(const struct guest_io *io, gpa_t gpa, const void *from, size_t len)
{
	return guest_io_all(io, GUEST_IO_WRITE, gpa, (uint8_t *)(uintptr_t)from, len);
}

int guest_io_fill(const struct guest_io *io, gpa_t gpa, size_t len)
{
	return guest_io_all(io, GUEST_IO_FILL, gpa, NULL, len);
}
