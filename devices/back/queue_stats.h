/* SPDX-License-Identifier: Apache-2.0 */
/*
 * struct queue_stats: what is counted of one queue (devices/wire/counters.h), and when each of its
 * chains was taken. The ring walker counts chains, their bytes and times; a device adds what only
 * it knows. NULL in the place of a queue_stats: nothing is counted.
 *
 * Cost: two readings of the clock and ten stores per chain, no lock, no atomic addition. Threads:
 * one.
 */
#ifndef DEVICES_BACK_QUEUE_STATS_H
#define DEVICES_BACK_QUEUE_STATS_H

#include "base/clock.h"
#include "devices/wire/counters.h"

#include <stdbool.h>
#include <stddef.h>

#define QUEUE_STATS_HEADS 1024u /* of the largest ring */

struct queue_stats {
	struct queue_counters *counters;      /* shared with the monitor */
	uint64_t taken_ns[QUEUE_STATS_HEADS]; /* by head; 0: not by this process */
};

/* queue_stats_take() - a chain was taken from the ring. */
static inline void queue_stats_take(struct queue_stats *s, uint16_t head)
{
	if (s)
		s->taken_ns[head % QUEUE_STATS_HEADS] = clock_ns();
}

/* queue_stats_finish() - the driver has got it back. */
static inline void queue_stats_finish(struct queue_stats *s, uint16_t head)
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

/* queue_stats_move() - a request moved data; out: from the guest to the device. */
static inline void queue_stats_move(struct queue_stats *s, bool out, uint64_t bytes)
{
	if (!s)
		return;
	counters_add(out ? &s->counters->out_ops : &s->counters->in_ops, 1);
	counters_add(out ? &s->counters->out_bytes : &s->counters->in_bytes, bytes);
}

/* queue_stats_error() - a request is answered with an error. */
static inline void queue_stats_error(struct queue_stats *s)
{
	if (s)
		counters_add(&s->counters->errors, 1);
}

/* queue_stats_refuse() - the ring broke a rule. */
static inline void queue_stats_refuse(struct queue_stats *s)
{
	if (s)
		counters_add(&s->counters->refused, 1);
}

/* queue_stats_call() - the driver is interrupted. */
static inline void queue_stats_call(struct queue_stats *s)
{
	if (s)
		counters_add(&s->counters->calls, 1);
}

#endif
