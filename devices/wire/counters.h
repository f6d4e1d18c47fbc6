/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The counters of a device: a small area shared by the monitor, which makes it and only reads, and
 * the device process, which writes. It outlives the process: the next one counts on.
 *
 * Every field is one aligned 64-bit word, written by one thread with relaxed stores. A reader sees
 * each word whole, not all words of one moment, and believes none of them: they are for people.
 */
#ifndef DEVICES_WIRE_COUNTERS_H
#define DEVICES_WIRE_COUNTERS_H

#include <assert.h>
#include <stdint.h>

#define COUNTERS_QUEUES  64u
#define COUNTERS_BUCKETS 24u /* the last one: all that took longer */

/* One queue. "Out" is from the guest to the device. */
struct queue_counters {
	uint64_t requests;  /* chains finished */
	uint64_t errors;    /* of them: answered with an error */
	uint64_t refused;   /* rings and chains that broke a rule, and with it the queue */
	uint64_t calls;     /* interrupts asked for */
	uint64_t out_ops;   /* blk: writes; net: frames sent; else requests with data out */
	uint64_t out_bytes; /* data, without headers */
	uint64_t in_ops;    /* blk: reads; net: frames received */
	uint64_t in_bytes;
	uint64_t latency_ns; /* sum over all requests, from taken to finished */
	uint64_t reserved;
	/* Requests by latency: bucket i took less than 2^i microseconds, and not less than i - 1's.
	 */
	uint64_t latency[COUNTERS_BUCKETS];
};
static_assert(sizeof(struct queue_counters) == 272, "counters: queue");

struct device_counters {
	struct queue_counters queues[COUNTERS_QUEUES];
};
static_assert(sizeof(struct device_counters) == 17408, "counters: device");

/* counters_bucket() - Return: where a latency is counted. */
static inline unsigned int counters_bucket(uint64_t ns)
{
	uint64_t us = ns / 1000;
	unsigned int i = us ? 64u - (unsigned int)__builtin_clzll(us) : 0;

	return i < COUNTERS_BUCKETS ? i : COUNTERS_BUCKETS - 1;
}

/* counters_add() - by the only writer of *word. */
static inline void counters_add(uint64_t *word, uint64_t n)
{
	__atomic_store_n(word, *word + n, __ATOMIC_RELAXED);
}

/* counters_get() - by any reader. */
static inline uint64_t counters_get(const uint64_t *word)
{
	return __atomic_load_n(word, __ATOMIC_RELAXED);
}

#endif
