/* SPDX-License-Identifier: Apache-2.0 */
/* Rate limits: multiplication and division of any two numbers. */
#include "tests/proofs/proof.h"

#include "devices/back/token_bucket.c"

/* A full bucket is never fuller, and no sum overflows on the way. */
void prove_token_bucket_init(void)
{
	struct spawn_limit limit = {
		.size = nondet_u64(), .refill_ms = nondet_u64(), .one_time_burst = nondet_u64()};
	struct token_bucket b;

	token_bucket_init(&b, &limit, nondet_u64());
	PROVE(b.level >= 0 && (uint64_t)b.level == b.size && b.size <= TOKENS_MAX);
	PROVE(!b.size || (b.refill_ns && b.refill_ns <= REFILL_MAX));
}
