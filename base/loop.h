/* SPDX-License-Identifier: Apache-2.0 */
/*
 * struct loop: one epoll loop, one thread. Sources are embedded in what they belong to, so adding
 * one allocates nothing. A callback may remove any source, its own too.
 */
#ifndef BASE_LOOP_H
#define BASE_LOOP_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct loop;

/* One watched descriptor. The descriptor stays the owner's; fill fd, fn and ctx, then loop_add(). */
struct loop_source {
	int fd;
	void (*fn)(void *ctx, uint32_t events); /* events: EPOLLIN, EPOLLOUT, EPOLLHUP, ... */
	void *ctx;
	bool added; /* the loop's own */
};

/* loop_create() - Return: 0 and an empty loop in *out that the caller frees, or -errno. */
int loop_create(struct loop **out, struct err *e) MUST_CHECK;

/* loop_destroy() - free a loop; sources still added are forgotten. NULL is allowed. */
void loop_destroy(struct loop *loop);

/* loop_add() - watch src->fd for events. Return: 0 or -errno. src must live until loop_remove(). */
int loop_add(struct loop *loop, struct loop_source *src, uint32_t events, struct err *e) MUST_CHECK;

/* loop_modify() - change the events of an added source. Return: 0 or -errno. */
int loop_modify(struct loop *loop, struct loop_source *src, uint32_t events);

/* loop_remove() - stop watching; call before the descriptor is closed. Not added: does nothing. */
void loop_remove(struct loop *loop, struct loop_source *src);

/* loop_run() - dispatch until loop_stop(). Return: 0 or -errno of epoll_wait. */
int loop_run(struct loop *loop);

/* loop_run_once() - wait up to timeout_ms (-1: for ever), dispatch what is ready. Return: as above. */
int loop_run_once(struct loop *loop, int timeout_ms);

/* loop_stop() - make loop_run() return after the callback that is running. Same thread only. */
void loop_stop(struct loop *loop);

#endif
