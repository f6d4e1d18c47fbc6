/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SHA-384 of four pages at once, one in each 64-bit lane of AVX2's registers (FIPS 180-4, sections
 * 5 and 6.4). One message alone leaves most of a core idle, because each round waits for the one
 * before; libcrypto has no call for several. Where there is no AVX2, use attestation/digest.h.
 */
#ifndef ATTESTATION_SHA384X4_H
#define ATTESTATION_SHA384X4_H

#include "attestation/digest.h"

#include <stdint.h>

#define SHA384X4_LANES 4
#define SHA384X4_LEN   4096 /* bytes of each message */

/* sha384x4_usable() - Return: true if this CPU can run sha384x4_pages(). */
bool sha384x4_usable(void);

/* sha384x4_pages() - hash four messages of SHA384X4_LEN bytes. Only if sha384x4_usable(). */
void sha384x4_pages(
	const uint8_t *const page[SHA384X4_LANES], uint8_t out[SHA384X4_LANES][DIGEST_SHA384_LEN]);

#endif
