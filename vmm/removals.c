/* SPDX-License-Identifier: Apache-2.0 */
/* A bound for what guests are asked to let go of; see vmm/removals.h. */
#include "vmm/removals.h"

#include "base/clock.h"
#include "base/fd.h"
#include "base/loop.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>

struct removal {
	char id[REMOVALS_ID]; /* "": free */
	uint64_t end_ns;
};

struct removals {
	struct removals_desc desc;
	struct loop_source timer;
	struct removal all[REMOVALS_MAX];
};

/* removals_arm() - wake up when the first one is late */
static void removals_arm(struct removals *r)
{
	struct itimerspec t = {0};
	uint64_t first = 0;

	for (size_t i = 0; i < REMOVALS_MAX; i++)
		if (*r->all[i].id && (!first || r->all[i].end_ns < first))
			first = r->all[i].end_ns;
	t.it_value.tv_sec = (time_t)(first / 1000000000);
	t.it_value.tv_nsec = (long)(first % 1000000000);
	timerfd_settime(r->timer.fd, TFD_TIMER_ABSTIME, &t, NULL);
}

static void removals_late(void *ctx, uint32_t events)
{
	struct removals *r = ctx;
	uint64_t now = clock_ns(), n;
	char id[REMOVALS_ID];

	(void)events;
	if (read(r->timer.fd, &n, sizeof(n)) < 0)
		return;
	for (size_t i = 0; i < REMOVALS_MAX; i++) {
		if (!*r->all[i].id || r->all[i].end_ns > now)
			continue;
		memcpy(id, r->all[i].id, sizeof(id));
		*r->all[i].id = '\0';
		r->desc.late(r->desc.ctx, id);
	}
	removals_arm(r);
}

int removals_create(struct removals **out, const struct removals_desc *desc, struct err *e)
{
	struct removals *r = calloc(1, sizeof(*r));

	*out = r;
	if (!r)
		return err_sys(e, ENOMEM, "removals");
	r->desc = *desc;
	r->timer = (struct loop_source){.fn = removals_late, .ctx = r};
	r->timer.fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	return r->timer.fd < 0 ? err_sys(e, errno, "removals")
			       : loop_add(desc->loop, &r->timer, EPOLLIN, e);
}

void removals_destroy(struct removals *r)
{
	if (!r)
		return;
	loop_remove(r->desc.loop, &r->timer);
	fd_drop(&r->timer.fd);
	free(r);
}

static struct removal *removals_find(struct removals *r, const char *id)
{
	for (size_t i = 0; i < REMOVALS_MAX; i++)
		if (!strcmp(r->all[i].id, id))
			return &r->all[i];
	return NULL;
}

void removals_await(struct removals *r, const char *id)
{
	struct removal *one = removals_find(r, id);

	if (!one)
		one = removals_find(r, "");
	if (!one)
		return; /* more than there can be devices and vCPUs */
	snprintf(one->id, sizeof(one->id), "%s", id);
	one->end_ns = clock_ns() + r->desc.bound_ms * 1000000;
	removals_arm(r);
}

void removals_done(struct removals *r, const char *id)
{
	struct removal *one = removals_find(r, id);

	if (one && *id)
		*one->id = '\0';
	removals_arm(r);
}

void removals_clear(struct removals *r)
{
	memset(r->all, 0, sizeof(r->all));
	removals_arm(r);
}
