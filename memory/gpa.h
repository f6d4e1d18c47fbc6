/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gpa_t: a guest physical address, without C-bit or shared bit. A struct of its own, so that a
 * guest's address can't be used as a host's by mistake: mixing them does not compile.
 */
#ifndef MEMORY_GPA_H
#define MEMORY_GPA_H

#include "base/num.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct {
	uint64_t v;
} gpa_t;

static inline gpa_t gpa_of(uint64_t v)
{
	return (gpa_t){v};
}

/* gpa_end() - the address after len bytes from a. Return: false if that wraps; *end is unset. */
static inline bool gpa_end(gpa_t a, uint64_t len, gpa_t *end)
{
	return !__builtin_add_overflow(a.v, len, &end->v);
}

/* gpa_plus() - a + n for ranges that were checked before; asserts nothing, wraps silently. */
static inline gpa_t gpa_plus(gpa_t a, uint64_t n)
{
	return (gpa_t){a.v + n};
}

#endif
