/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The two patterns that guest and host derive from the seed which the guest prints: so the secret
 * itself crosses no device and no log.
 */
#ifndef GUESTS_DEMO_PATTERN_H
#define GUESTS_DEMO_PATTERN_H

#include "guests/demo/sha256.h"

#define PATTERN_SIZE SHA256_SIZE

static inline void pattern_derive(const char *label, const uint8_t *seed, uint8_t *out)
{
	struct sha256 s;

	sha256_init(&s);
	sha256_add(&s, label, 6);
	sha256_add(&s, seed, PATTERN_SIZE);
	sha256_end(&s, out);
}

/* pattern_secret() - what fills the guest's memory and goes nowhere else. */
static inline void pattern_secret(const uint8_t *seed, uint8_t *out)
{
	pattern_derive("secret", seed, out);
}

/* pattern_public() - what the guest writes to its disk. */
static inline void pattern_public(const uint8_t *seed, uint8_t *out)
{
	pattern_derive("public", seed, out);
}

#endif
