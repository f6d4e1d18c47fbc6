/* SPDX-License-Identifier: Apache-2.0 */
/* How long the slowest step of a guest took, in ticks of the time stamp counter. */
#ifndef GUESTS_LIB_SLOW_H
#define GUESTS_LIB_SLOW_H

#include "guests/lib/guest.h"

struct slow {
	uint64_t first, slowest, step, steps; /* first: when the first step began */
};

static inline uint64_t slow_begin(void)
{
	uint32_t lo, hi;

	__asm__ volatile("lfence; rdtsc" : "=a"(lo), "=d"(hi) : : "memory");
	return (uint64_t)hi << 32 | lo;
}

static inline void slow_end(struct slow *s, uint64_t since)
{
	uint64_t took = slow_begin() - since;

	if (!s->steps++)
		s->first = since;
	if (took > s->slowest) {
		s->slowest = took;
		s->step = s->steps;
	}
}

/* slow_print() - for tests/kvm/run_guest.py, which knows how long the guest ran */
static inline void slow_print(const struct slow *s)
{
	print("\nslowest step %u of %u: %u of %u ticks\n", s->step, s->steps, s->slowest,
		slow_begin() - s->first);
}

#endif
