/* SPDX-License-Identifier: Apache-2.0 */
/* Token buckets; see devices/back/token_bucket.h. */
#include "devices/back/token_bucket.h"

#include "base/num.h"

#include <stdbool.h>

#define NS_PER_MS  UINT64_C(1000000)
#define TOKENS_MAX (UINT64_C(1) << 60) /* more is as good as this, and sums can't overflow */
#define REFILL_MAX (UINT64_C(1) << 60) /* nanoseconds */
#define RESULT_MAX (UINT64_C(1) << 62) /* of mul_div(): more is for ever */

/* mul_div() - a * b / d without overflow in between, rounded up or down; saturates. */
static uint64_t mul_div(uint64_t a, uint64_t b, uint64_t d, bool up)
{
	__extension__ typedef unsigned __int128 wide;
	wide v = ((wide)a * b + (up ? d - 1 : 0)) / d;

	return v > RESULT_MAX ? RESULT_MAX : (uint64_t)v;
}

void token_bucket_init(struct token_bucket *b, const struct spawn_limit *limit, uint64_t now)
{
	*b = (struct token_bucket){.at_ns = now};
	if (!limit->size || !limit->refill_ms)
		return;
	b->size = min_u64(limit->size, TOKENS_MAX);
	b->refill_ns = limit->refill_ms > REFILL_MAX / NS_PER_MS ? REFILL_MAX
								 : limit->refill_ms * NS_PER_MS;
	b->burst = limit->one_time_burst;
	b->level = (int64_t)b->size;
}

/* token_bucket_credit() - add the tokens of the time since the last call. */
static void token_bucket_credit(struct token_bucket *b, uint64_t now)
{
	uint64_t missing = b->size - (uint64_t)b->level; /* right for a debt, too */
	uint64_t gained;

	if (now <= b->at_ns)
		return;
	gained = mul_div(now - b->at_ns, b->size, b->refill_ns, false);
	if (gained >= missing) {
		b->level = (int64_t)b->size;
		b->at_ns = now;
		return;
	}
	/* Only the time that made whole tokens is used up; the rest counts next time. */
	b->level += (int64_t)gained;
	b->at_ns += mul_div(gained, b->refill_ns, b->size, true);
}

uint64_t token_bucket_wait(struct token_bucket *b, uint64_t now)
{
	uint64_t ready;

	if (!b->size || b->burst)
		return 0;
	token_bucket_credit(b, now);
	if (b->level > 0)
		return 0;
	ready = b->at_ns + mul_div((uint64_t)(1 - b->level), b->refill_ns, b->size, true);
	return ready > now ? ready - now : 1;
}

void token_bucket_take(struct token_bucket *b, uint64_t tokens)
{
	uint64_t from_burst = min_u64(tokens, b->burst);

	if (!b->size)
		return;
	b->burst -= from_burst;
	tokens = min_u64(tokens - from_burst, TOKENS_MAX);
	b->level = (int64_t)((uint64_t)b->level - tokens);
	if (b->level < -(int64_t)TOKENS_MAX)
		b->level = -(int64_t)TOKENS_MAX;
}
