/* SPDX-License-Identifier: Apache-2.0 */
/*
 * struct rate_limiter: two token buckets, bytes and operations, and the timer that says when a
 * device that had to wait may go on. A limit of size 0 is none; without any limit it costs no
 * descriptor and no reading of the clock.
 *
 * A device asks rate_limiter_may() before each operation and pays with rate_limiter_take(). After a
 * "no" it does nothing of that sort until fn is called; it then asks again.
 * Threads: one. Nothing is allocated.
 */
#ifndef DEVICES_BACK_RATE_LIMITER_H
#define DEVICES_BACK_RATE_LIMITER_H

#include "base/loop.h"
#include "devices/back/token_bucket.h"

struct rate_limiter {
	struct token_bucket bytes, ops;
	struct loop *loop;
	struct loop_source timer; /* a timerfd; -1: nothing is limited */
	void (*fn)(void *ctx);
	void *ctx;
	bool waiting;
};

struct rate_limiter_config {
	struct loop *loop;
	struct spawn_limits limits;
	void (*fn)(void *ctx); /* it may go on; from the loop, after rate_limiter_may() said no */
	void *ctx;
};

/* rate_limiter_init() - Return: 0 or -errno; rate_limiter_fini() is allowed in both cases. */
int rate_limiter_init(
	struct rate_limiter *r, const struct rate_limiter_config *config, struct err *e) MUST_CHECK;

/* rate_limiter_fini() - pair of the above. */
void rate_limiter_fini(struct rate_limiter *r);

/* rate_limiter_may() - Return: true if an operation may begin; else fn is called when it may. */
bool rate_limiter_may(struct rate_limiter *r);

/* rate_limiter_take() - one operation of so many bytes has begun or was done. */
void rate_limiter_take(struct rate_limiter *r, uint64_t bytes);

#endif
