/* SPDX-License-Identifier: Apache-2.0 */
/* The epoll loop; see base/loop.h. */
#include "base/loop.h"

#include "base/fd.h"

#include <errno.h>
#include <sys/epoll.h>

#define BATCH 16

struct loop {
	int epfd;
	bool stopped;
	struct epoll_event ready[BATCH];
	int n_ready; /* entries of ready[] that are still to be dispatched */
};

int loop_create(struct loop **out, struct err *e)
{
	struct loop *loop = calloc(1, sizeof(*loop));

	*out = NULL;
	if (!loop)
		return err_sys(e, ENOMEM, "event loop");
	loop->epfd = epoll_create1(EPOLL_CLOEXEC);
	if (loop->epfd < 0) {
		err_sys(e, errno, "epoll_create1");
		free(loop);
		return -e->code;
	}
	*out = loop;
	return 0;
}

void loop_destroy(struct loop *loop)
{
	if (!loop)
		return;
	fd_drop(&loop->epfd);
	free(loop);
}

int loop_add(struct loop *loop, struct loop_source *src, uint32_t events, struct err *e)
{
	struct epoll_event ev = {.events = events, .data.ptr = src};

	if (epoll_ctl(loop->epfd, EPOLL_CTL_ADD, src->fd, &ev) < 0)
		return err_sys(e, errno, "epoll_ctl(add)");
	src->added = true;
	return 0;
}

int loop_modify(struct loop *loop, struct loop_source *src, uint32_t events)
{
	struct epoll_event ev = {.events = events, .data.ptr = src};

	return epoll_ctl(loop->epfd, EPOLL_CTL_MOD, src->fd, &ev) < 0 ? -errno : 0;
}

void loop_remove(struct loop *loop, struct loop_source *src)
{
	if (!src->added)
		return;
	epoll_ctl(loop->epfd, EPOLL_CTL_DEL, src->fd, NULL);
	src->added = false;
	/* An event of this batch may still name it, and its memory may be gone when that is reached. */
	for (int i = 0; i < loop->n_ready; i++)
		if (loop->ready[i].data.ptr == src)
			loop->ready[i].data.ptr = NULL;
}

int loop_run_once(struct loop *loop, int timeout_ms)
{
	int n = epoll_wait(loop->epfd, loop->ready, BATCH, timeout_ms);

	if (n < 0)
		return errno == EINTR ? 0 : -errno;
	loop->n_ready = n;
	for (int i = 0; i < n && !loop->stopped; i++) {
		struct loop_source *src = loop->ready[i].data.ptr;

		if (src)
			src->fn(src->ctx, loop->ready[i].events);
	}
	loop->n_ready = 0;
	return 0;
}

int loop_run(struct loop *loop)
{
	int rc = 0;

	loop->stopped = false;
	while (!loop->stopped && !rc)
		rc = loop_run_once(loop, -1);
	return rc;
}

void loop_stop(struct loop *loop)
{
	loop->stopped = true;
}
