/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SHA-256 (FIPS 180-4) for the demo's static programs, which link no library. What it computes is
 * checked in every run: the host compares the guest's sums with its own sha256sum.
 */
#ifndef GUESTS_DEMO_SHA256_H
#define GUESTS_DEMO_SHA256_H

#include <stddef.h>
#include <stdint.h>

#define SHA256_SIZE 32

struct sha256 {
	uint32_t h[8];
	uint64_t len;      /* bytes hashed so far */
	uint8_t block[64]; /* bytes that do not fill a block yet */
};

/* sha256_init() - start a sum. */
void sha256_init(struct sha256 *s);

/* sha256_add() - hash len bytes more. */
void sha256_add(struct sha256 *s, const void *data, size_t len);

/* sha256_end() - finish; sum gets SHA256_SIZE bytes. */
void sha256_end(struct sha256 *s, uint8_t *sum);

#endif
