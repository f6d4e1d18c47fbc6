/* SPDX-License-Identifier: Apache-2.0 */
/* struct events: the event monitor, one JSON object a line in cloud-hypervisor's form. */
#ifndef VMM_EVENTS_H
#define VMM_EVENTS_H

#include "base/err.h"

#include <jansson.h>

struct events;

/*
 * events_create() - write events to what `path=F`, `fd=N` or a bare path names; F is made anew.
 * Return: 0 or -errno.
 */
int events_create(struct events **out, const char *where, struct err *e) MUST_CHECK;

/* events_destroy() - close it; NULL is allowed. */
void events_destroy(struct events *events);

/*
 * events_emit() - one event; does nothing if events is NULL. A reader that does not keep up loses
 * events; nobody waits for it.
 * @source: "vmm", "vm"; @event: such as "booted"
 */
void events_emit(struct events *events, const char *source, const char *event);

/* events_emit_with() - the same with properties, an object of strings; takes the reference. */
void events_emit_with(
	struct events *events, const char *source, const char *event, json_t *properties);

#endif
