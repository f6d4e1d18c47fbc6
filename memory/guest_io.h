/* SPDX-License-Identifier: Apache-2.0 */
/*
 * struct guest_io: the monitor's own reads and writes of what a guest shares, for what it must
 * answer in memory (certificates, firmware configuration). Device processes have a view
 * (memory/view.h).
 *
 * Invariants: 1. no private page is read or written, whatever the guest asks; 2. no page changes
 * its state meanwhile: the ledger lock is held over each piece that is copied.
 */
#ifndef MEMORY_GUEST_IO_H
#define MEMORY_GUEST_IO_H

#include "memory/gpa.h"

#include <stddef.h>

struct ledger;
struct ram;

struct guest_io {
	const struct ram *ram;
	struct ledger *ledger;
};

/*
 * guest_io_read() - copy len bytes at gpa, as the guest gave them, to `to`. Any thread.
 * Return: 0; -EFAULT if the range is not all shared RAM: `to` may hold a part then.
 */
int guest_io_read(const struct guest_io *io, gpa_t gpa, void *to, size_t len);

/*
 * guest_io_write() - copy len bytes to gpa. Any thread.
 * Return: 0; -EFAULT if the range is not all shared RAM: a part may have been written then.
 */
int guest_io_write(const struct guest_io *io, gpa_t gpa, const void *from, size_t len);

/* guest_io_fill() - like guest_io_write(), of len bytes 0. */
int guest_io_fill(const struct guest_io *io, gpa_t gpa, size_t len);

#endif
