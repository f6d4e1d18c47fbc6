/* SPDX-License-Identifier: Apache-2.0 */
/*
 * struct relay: serves the API's clients on a thread of its own, so that a long operation of the
 * main thread (a boot) makes nobody wait for a ping. What api_quick() can answer is answered at
 * once; the rest goes to the main thread's loop, one request after the other, as they came, and is
 * done by the builder while the main thread waits.
 */
#ifndef VMM_API_RELAY_H
#define VMM_API_RELAY_H

#include "base/err.h"
#include "seccomp/filter.h"

#include <stdbool.h>

struct api;
struct courier;
struct loop;
struct relay;

struct relay_desc {
	struct loop *loop; /* the main thread's; outlives the relay, as the API does */
	struct api *api;
	struct courier *builder;  /* does the requests; NULL: the main thread */
	enum filter_mode seccomp; /* of the thread */
	int listener;             /* the relay's from relay_create() on, also after an error */
	bool first; /* the caller runs first (base/priority.h): the thread inherits it, then the
		     * caller becomes ordinary */
};

/* relay_create() - start the thread, with its filter. Return: 0 or -errno. */
int relay_create(struct relay **out, const struct relay_desc *desc, struct err *e) MUST_CHECK;

/* relay_serve() - let it accept clients from now on. */
void relay_serve(struct relay *r);

/* relay_destroy() - send what is answered, end the thread, close everything. NULL is allowed. */
void relay_destroy(struct relay *r);

#endif
