/* SPDX-License-Identifier: Apache-2.0 */
/* Counters of a queue; see devices/back/queue_stats.h. */
#include "devices/back/queue_stats.h"

#include "base/clock.h"

void queue_stats_take(struct queue_stats *s, uint16_t head)
{
	if (s)
		s->taken_ns[head % QUEUE_STATS_HEADS] = clock_ns();
}

void queue_stats_finish(struct queue_stats *s, uint16_t head)
{
	uint64_t *taken, ns;

	if (!s)
		return;
	taken = &s->taken_ns[head % QUEUE_STATS_HEADS];
	counters_add(&s->counters->requests, 1);
	if (!*taken)
		return;
	ns = clock_ns() - *taken;
	*taken = 0;
	counters_add(&s->counters->latency_ns, ns);
	counters_add(&s->counters->latency[counters_bucket(ns)], 1);
}
