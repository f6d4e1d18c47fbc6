/* SPDX-License-Identifier: Apache-2.0 */
/*
 * struct balloon_ear: the monitor's end of a VM's balloon, at level off: says how many pages it
 * should have, and hears how many it has. What both ends share is a struct balloon_state in
 * memory that outlives the device process. Main thread.
 */
#ifndef VMM_BALLOON_H
#define VMM_BALLOON_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct balloon_ear;
struct device;
struct loop;

#define BALLOON_NONE UINT64_MAX

/* What a user asks for with --balloon. */
struct balloon_wish {
	uint64_t size; /* bytes; BALLOON_NONE: no device */
	bool deflate_on_oom, free_page_reporting;
};

/* balloon_check() - what can be said against it. Return: 0 or -EINVAL. */
int balloon_check(const struct balloon_wish *w, uint64_t ram, struct err *e) MUST_CHECK;

/*
 * balloon_prepare() - what the device process works on.
 * @fds: become the state and the eventfd, the caller's
 * Return: 0 or -errno.
 */
int balloon_prepare(const struct balloon_wish *w, int fds[2], struct err *e) MUST_CHECK;

/* Who wants to know. */
struct balloon_listener {
	void (*changed)(void *ctx); /* the balloon has another size; on the loop's thread */
	void *ctx;
};

/* balloon_listen() - to a device that runs, which outlives the ear. Return: 0 or -errno. */
int balloon_listen(struct balloon_ear **out, struct device *d, struct loop *loop,
	const struct balloon_listener *listener, struct err *e) MUST_CHECK;

/* balloon_deafen() - end of the above. NULL is allowed. */
void balloon_deafen(struct balloon_ear *b);

/* balloon_ask() - tell the guest what size it should have, bytes. Return: 0 or -errno. */
int balloon_ask(struct balloon_ear *b, uint64_t size, struct err *e) MUST_CHECK;

/* balloon_size() - Return: bytes that it has, as the guest says; NULL: 0. */
uint64_t balloon_size(const struct balloon_ear *b);

#endif
