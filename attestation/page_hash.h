/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SHA-384 of many pages, each a message of its own: as fast as the machine can, several at once in
 * one core and, where there are enough of them, on several cores.
 *
 * Threads: page_hash_all() starts its own and joins them before it returns. They read the pages
 * and write the hashes, nothing else.
 */
#ifndef ATTESTATION_PAGE_HASH_H
#define ATTESTATION_PAGE_HASH_H

#include "attestation/digest.h"

#include <stdint.h>

struct page_hash {
	const uint8_t *bytes; /* a page of 4096 bytes; NULL for a page that is not hashed */
	uint8_t out[DIGEST_SHA384_LEN];
};

/*
 * page_hash_all() - fill in `out` of n pages. A page equal to the one before costs a comparison.
 * Return: 0, -ENOMEM or -EIO.
 */
int page_hash_all(struct page_hash *pages, size_t n, struct err *e) MUST_CHECK;

#endif
