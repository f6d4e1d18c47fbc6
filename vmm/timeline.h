/* SPDX-License-Identifier: Apache-2.0 */
/*
 * struct timeline: when what happened from the start of the process to the end of the guest, as a
 * picture (SVG) or for chrome://tracing and Perfetto (JSON). Spans have a beginning and an end,
 * marks are moments: what the guest says of itself by its console or debug port.
 *
 * Threads: timeline_mark(), timeline_byte() and timeline_code() from any (the latter two one call
 * at a time each); the others from the main thread. A full timeline drops what comes later.
 */
#ifndef VMM_TIMELINE_H
#define VMM_TIMELINE_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

#define TIMELINE_NAME  48
#define TIMELINE_MAX   192 /* entries */
#define TIMELINE_TEXTS 16  /* that are looked for on the console, with the usual ones */

struct timeline;
struct vm;

/* timeline_create() - an empty one that begins now. Return: 0 or -ENOMEM. */
int timeline_create(struct timeline **out, struct err *e) MUST_CHECK;

/* timeline_destroy() - NULL is allowed. */
void timeline_destroy(struct timeline *t);

/* timeline_watch_for() - mark the first console line with this text, which is kept. Return: false
 * if there are TIMELINE_TEXTS already.
 */
bool timeline_watch_for(struct timeline *t, const char *text);

/*
 * timeline_span() - something took from `from` to `to` (CLOCK_MONOTONIC, ns).
 * @track: the line of the picture; lines appear in the order of their beginnings
 */
void timeline_span(
	struct timeline *t, const char *track, const char *name, const uint64_t from_to[2]);

/* timeline_mark() - something happened at this moment. */
void timeline_mark(struct timeline *t, const char *track, const char *name, uint64_t at);

/* timeline_byte() - the guest has written a byte to its console; a struct serial_desc's watch. */
void timeline_byte(void *timeline, uint8_t byte);

/* timeline_code() - the guest has written a byte to its debug port; marked once per value. */
void timeline_code(struct timeline *t, uint8_t code);

/* timeline_take() - add what the VM knows: stages of its launch, devices, vCPUs. */
void timeline_take(struct timeline *t, const struct vm *vm);

/*
 * timeline_write() - write it to fd as SVG or as Chrome trace JSON; it ends now.
 * When no other thread uses it any more. Return: 0 or -errno.
 */
int timeline_write(struct timeline *t, int fd, bool svg) MUST_CHECK;

#endif
