/* SPDX-License-Identifier: Apache-2.0 */
/* Rate limits; see devices/back/rate_limiter.h. */
#include "devices/back/rate_limiter.h"

#include "base/clock.h"
#include "base/fd.h"
#include "base/num.h"

#include <assert.h>
#include <errno.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>

#define NS_PER_S UINT64_C(1000000000)

static void rate_limiter_expired(void *ctx, uint32_t events)
{
	struct rate_limiter *r = ctx;

	(void)events;
	r->waiting = false;
	r->fn(r->ctx);
}

int rate_limiter_init(
	struct rate_limiter *r, const struct rate_limiter_config *config, struct err *e)
{
	uint64_t now = clock_ns();

	*r = (struct rate_limiter){.loop = config->loop, .fn = config->fn, .ctx = config->ctx};
	r->timer = (struct loop_source){.fd = -1, .fn = rate_limiter_expired, .ctx = r};
	token_bucket_init(&r->bytes, &config->limits.bytes, now);
	token_bucket_init(&r->ops, &config->limits.ops, now);
	if (!r->bytes.size && !r->ops.size)
		return 0;
	r->timer.fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (r->timer.fd < 0)
		return err_sys(e, errno, "rate limit: timerfd");
	/* Edge triggered: setting the timer anew clears it, nobody reads it. */
	return loop_add(r->loop, &r->timer, EPOLLIN | EPOLLET, e);
}

void rate_limiter_fini(struct rate_limiter *r)
{
	if (r->timer.fd < 0)
		return;
	loop_remove(r->loop, &r->timer);
	fd_drop(&r->timer.fd);
}

bool rate_limiter_may(struct rate_limiter *r)
{
	struct itimerspec at = {0};
	uint64_t wait, now;
	int rc;

	if (r->timer.fd < 0)
		return true;
	if (r->waiting)
		return false;
	now = clock_ns();
	wait = max_u64(token_bucket_wait(&r->bytes, now), token_bucket_wait(&r->ops, now));
	if (!wait)
		return true;
	at.it_value.tv_sec = (time_t)(wait / NS_PER_S);
	at.it_value.tv_nsec = (long)(wait % NS_PER_S);
	rc = timerfd_settime(r->timer.fd, 0, &at, NULL);
	assert(!rc); /* a valid time on our own descriptor */
	r->waiting = rc == 0;
	return rc != 0;
}

void rate_limiter_take(struct rate_limiter *r, uint64_t bytes)
{
	token_bucket_take(&r->bytes, bytes);
	token_bucket_take(&r->ops, 1);
}
