/* SPDX-License-Identifier: Apache-2.0 */
/* Scheduling of the calling thread; see base/priority.h. */
#include "base/priority.h"

#include <sched.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SLICE_NS 100000 /* the least that Linux takes */

/* As in <linux/sched/types.h>, which does not get on with <sched.h>. */
struct sched_attributes {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime_ns, deadline_ns, period_ns;
};
_Static_assert(sizeof(struct sched_attributes) == 48, "what Linux has had from the first on");

static bool priority_set(uint32_t policy, uint32_t priority, uint64_t slice_ns)
{
	const struct sched_attributes attr = {
		.size = sizeof(attr),
		.policy = policy,
		.priority = priority,
		.runtime_ns = slice_ns,
	};

	return !syscall(SYS_sched_setattr, 0, &attr, 0);
}

bool priority_first(void)
{
	return priority_set(SCHED_FIFO, 1, 0);
}

void priority_ordinary(void)
{
	priority_set(SCHED_OTHER, 0, 0);
}

void priority_soon(void)
{
	priority_set(SCHED_OTHER, 0, SLICE_NS);
}
