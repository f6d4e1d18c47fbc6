/* SPDX-License-Identifier: Apache-2.0 */
/* The regular sweep; see vmm/sweeper.h. */
#include "vmm/sweeper.h"

#include "base/fd.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/num.h"
#include "memory/sweep.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>

#define SLACK MIB(8)

struct sweeper {
	struct loop *loop;
	struct loop_source timer;
	const struct ram *ram;
	struct ledger *ledger;
};

static void sweeper_tick(void *ctx, uint32_t events)
{
	struct sweeper *s = ctx;
	uint64_t ticks;
	int64_t freed;

	(void)events;
	if (read(s->timer.fd, &ticks, sizeof(ticks)) < 0)
		return;
	freed = sweep_shared(s->ram, s->ledger, SLACK);
	if (freed)
		log_limited(LOG_WARN, "memory",
			"the guest touched shared memory that it never shared; sweep: %lld",
			(long long)freed);
}

int sweeper_create(struct sweeper **out, struct loop *loop, const struct ram *ram,
	struct ledger *ledger, struct err *e)
{
	const struct itimerspec second = {.it_interval.tv_sec = 1, .it_value.tv_sec = 1};
	struct sweeper *s = calloc(1, sizeof(*s));
	int rc = 0;

	*out = NULL;
	if (!s)
		return err_sys(e, ENOMEM, "sweeper");
	s->loop = loop;
	s->ram = ram;
	s->ledger = ledger;
	s->timer = (struct loop_source){.fn = sweeper_tick, .ctx = s};
	s->timer.fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (s->timer.fd < 0 || timerfd_settime(s->timer.fd, 0, &second, NULL) < 0)
		rc = err_sys(e, errno, "sweeper: timerfd");
	if (!rc)
		rc = loop_add(loop, &s->timer, EPOLLIN, e);
	if (rc) {
		sweeper_destroy(s);
		return rc;
	}
	*out = s;
	return 0;
}

void sweeper_destroy(struct sweeper *s)
{
	if (!s)
		return;
	loop_remove(s->loop, &s->timer);
	fd_drop(&s->timer.fd);
	free(s);
}
