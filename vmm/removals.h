/* SPDX-License-Identifier: Apache-2.0 */
/*
 * struct removals: what guests were asked to let go of, and how long that may take. A guest owes
 * nothing: without a bound nobody would ever learn that it does not do it. Main thread.
 */
#ifndef VMM_REMOVALS_H
#define VMM_REMOVALS_H

#include "base/err.h"

#include <stdint.h>

#define REMOVALS_MAX 96 /* at once: devices and vCPUs */
#define REMOVALS_ID  32 /* bytes of an id with its NUL */

struct loop;
struct removals;

struct removals_desc {
	struct loop *loop; /* outlives it */
	uint64_t bound_ms;
	/* The guest has not let go of it in time; it is not waited for any more. */
	void (*late)(void *ctx, const char *id);
	void *ctx;
};

/* removals_create() - none yet. Return: 0 or -errno; removals_destroy() is allowed then. */
int removals_create(
	struct removals **out, const struct removals_desc *desc, struct err *e) MUST_CHECK;

/* removals_destroy() - NULL is allowed. */
void removals_destroy(struct removals *r);

/* removals_await() - the guest was asked now; again: it has the whole time once more. */
void removals_await(struct removals *r, const char *id);

/* removals_done() - it has let go; an id that is not waited for is allowed. */
void removals_done(struct removals *r, const char *id);

/* removals_clear() - the guest is gone. */
void removals_clear(struct removals *r);

#endif
