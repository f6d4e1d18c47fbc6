/* SPDX-License-Identifier: Apache-2.0 */
/*
 * struct courier: a thread that talks to back ends in place of vCPU threads, which hand it an
 * errand and wait for its end. So the system calls of a conversation are none of a vCPU thread's,
 * whose filter is the tightest (seccomp/filter.h).
 *
 * One errand at a time, in the order in which they come. An errand must not wait for a thread that
 * waits for an errand.
 * Threads: courier_run() from any but the courier's own; the rest from one.
 */
#ifndef DEVICES_FRONT_COURIER_H
#define DEVICES_FRONT_COURIER_H

#include "base/err.h"

struct courier;

/*
 * courier_create() - start the thread. It calls enter(ctx) before anything else, if that is not
 * NULL, to confine itself.
 * @name: the thread's, up to 15 characters; static
 * Return: 0; -errno; what enter() returned, if not 0.
 */
int courier_create(struct courier **out, const char *name, int (*enter)(void *ctx), void *ctx,
	struct err *e) MUST_CHECK;

/* courier_destroy() - no errand may be under way. NULL is allowed. */
void courier_destroy(struct courier *c);

/* courier_run() - have fn(ctx) called and wait until it has returned. c NULL: it is called here. */
void courier_run(struct courier *c, void (*fn)(void *ctx), void *ctx);

/* courier_run_at() - the same with the courier that stands at slot by now. Both may be NULL. */
void courier_run_at(struct courier *const *slot, void (*fn)(void *ctx), void *ctx);

#endif
