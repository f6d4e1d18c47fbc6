/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the proofs share. A proof is a function prove_x() without arguments: values from nondet are
 * anything, ASSUME() bounds them, PROVE() must hold for all that are left. CBMC also checks each
 * access, shift and signed sum on the way; run.py has the options.
 */
#ifndef TESTS_PROOFS_PROOF_H
#define TESTS_PROOFS_PROOF_H

#include <stdbool.h>
#include <stdint.h>

uint8_t nondet_u8(void);
uint16_t nondet_u16(void);
uint32_t nondet_u32(void);
uint64_t nondet_u64(void);
int64_t nondet_s64(void);
bool nondet_bool(void);

/* CBMC 5.12 takes any result of the compiler's own for possible. */
static inline bool proof_add_overflow(uint64_t a, uint64_t b, uint64_t *sum)
{
	*sum = a + b;
	return *sum < a;
}
#define __builtin_add_overflow proof_add_overflow

#define ASSUME(condition) __CPROVER_assume(condition)
#define PROVE(condition)  __CPROVER_assert(condition, #condition)

#endif
