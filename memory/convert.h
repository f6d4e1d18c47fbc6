/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Conversion of guest pages between private and shared: the one function behind every exit kind
 * (hypercall, memory fault, page state change, MapGPA) and every level.
 *
 * What is converted loses its contents: the side that is left is discarded, so only one side ever
 * has backing (docs/architecture.md, "A conversion"). Pages that are in the wanted state already
 * are left alone, contents too.
 */
#ifndef MEMORY_CONVERT_H
#define MEMORY_CONVERT_H

#include "memory/gpa.h"

struct layout;
struct ledger;

/*
 * What a conversion needs from the backing. Both work on page-aligned runs inside RAM above
 * LAYOUT_LOW_LEN. set_private may be NULL: the level keeps no attribute in the kernel.
 */
struct convert_ops {
	/* Make the run private or shared in the kernel. Return: 0 or -errno, nothing changed then. */
	int (*set_private)(void *ctx, gpa_t gpa, uint64_t len, bool private);
	/* Free the pages of one side of the run. Return: 0 or -errno. */
	int (*discard)(void *ctx, gpa_t gpa, uint64_t len, bool private_side);
};

struct converter {
	const struct layout *layout;
	struct ledger *ledger;
	const struct convert_ops *ops;
	void *ctx;
	bool one_gpa; /* both sides at one gpa: the first MiB is like the rest, see convert() */
};

/*
 * convert() - make every page of [gpa, gpa+len) shared or private. Any thread.
 * @gpa, @len: bytes, as the guest gave them, unchecked
 * With an alias for each side the first MiB is private for ever: asking for that is accepted,
 * sharing it is refused. With both sides at one gpa, sharing what is no RAM at all is accepted and
 * does nothing: firmware does that to devices' registers.
 * Return: 0; -EINVAL (empty, unaligned, wraps, not inside one range of RAM); -ENOSPC (the budget of
 * shared memory would be passed; nothing changed); -errno of the kernel (runs before the failing
 * one have been converted, ledger and kernel agree).
 */
int convert(const struct converter *c, gpa_t gpa, uint64_t len, bool to_shared);

#endif
