/* SPDX-License-Identifier: Apache-2.0 */
/*
 * struct snp_digest: the SEV-SNP launch digest, as the firmware computes it page by page.
 *
 * SEV-SNP firmware ABI specification (AMD 56860), sections 8.17.2 "launch digest" and table
 * "PAGE_INFO". The order of calls is the order of launch.
 */
#ifndef ATTESTATION_SNP_DIGEST_H
#define ATTESTATION_SNP_DIGEST_H

#include "attestation/digest.h"
#include "attestation/trace.h"
#include "memory/image.h"

#include <stdint.h>

#define SNP_DIGEST_LEN DIGEST_SHA384_LEN

struct snp_digest {
	uint8_t value[SNP_DIGEST_LEN]; /* after the pages so far */
	struct digest hash;
	const struct trace *trace; /* NULL: nobody looks */
};

/*
 * snp_digest_init() - begin.
 * @seed: value after pages that were measured before, NULL to begin with none
 * Return: 0 or -ENOMEM.
 */
int snp_digest_init(struct snp_digest *d, const uint8_t *seed, const struct trace *trace,
	struct err *e) MUST_CHECK;

/* snp_digest_fini() - free; the value stays readable. */
void snp_digest_fini(struct snp_digest *d);

/*
 * snp_digest_image() - add every page of a launch image, in its order; its bytes are read by
 * several threads (attestation/page_hash.h), all gone when it returns. Return: 0, -ENOMEM or -EIO.
 */
int snp_digest_image(struct snp_digest *d, const struct image *image, struct err *e) MUST_CHECK;

/*
 * snp_digest_vmsa() - add the same 4096-byte VMSA page for `count` vCPUs, each at VMSA_GPA.
 * Return: 0 or -EIO.
 */
int snp_digest_vmsa(
	struct snp_digest *d, const void *page, uint32_t count, struct err *e) MUST_CHECK;

#endif
