/* SPDX-License-Identifier: Apache-2.0 */
/*
 * struct token_bucket: how much of something may be done in a time. Pure: the caller says what time
 * it is, in nanoseconds of any clock that never goes back.
 *
 * A bucket holds `size` tokens and gets `size` new ones, evenly, in each refill time; tokens of the
 * one-time burst are used before them and never come again. An operation may begin while the
 * bucket holds a token at all, and pays what it cost when that is known: one that is larger than
 * what is there leaves a debt that the next ones wait for. So an operation larger than the bucket
 * is slow but not stuck, and from an empty bucket no more than rate * time and one operation go
 * through in any time.
 *
 * Invariants: 1. level <= size; 2. no time is credited twice.
 */
#ifndef DEVICES_BACK_TOKEN_BUCKET_H
#define DEVICES_BACK_TOKEN_BUCKET_H

#include "devices/wire/spawn.h"

struct token_bucket {
	uint64_t size;      /* 0: no limit */
	uint64_t refill_ns; /* for `size` tokens */
	uint64_t burst;     /* what is left of the one-time burst */
	int64_t level;      /* negative: a debt */
	uint64_t at_ns;     /* up to when `level` has been credited */
};

/* token_bucket_init() - a full bucket; a size or refill time of 0 means no limit. */
void token_bucket_init(struct token_bucket *b, const struct spawn_limit *limit, uint64_t now);

/* token_bucket_wait() - Return: 0 if an operation may begin now, else nanoseconds until it may. */
uint64_t token_bucket_wait(struct token_bucket *b, uint64_t now);

/* token_bucket_take() - pay for what was done. */
void token_bucket_take(struct token_bucket *b, uint64_t tokens);

#endif
