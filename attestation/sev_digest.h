/* SPDX-License-Identifier: Apache-2.0 */
/*
 * struct sev_digest: the launch digest of SEV and SEV-ES, one SHA-256 over all bytes that the VMM
 * encrypts, in order: firmware, hash table, and for SEV-ES the VMSA of every vCPU.
 *
 * SEV API specification (AMD 55766), section 6.5.2 "GCTX.LD". Addresses do not enter it.
 */
#ifndef ATTESTATION_SEV_DIGEST_H
#define ATTESTATION_SEV_DIGEST_H

#include "attestation/digest.h"
#include "attestation/trace.h"
#include "base/bytes.h"

#include <stdint.h>

#define SEV_DIGEST_LEN DIGEST_SHA256_LEN

struct sev_digest {
	struct digest hash;
	struct digest contents;    /* for the trace */
	const struct trace *trace; /* NULL: nobody looks */
};

/* sev_digest_init() - begin. Return: 0 or -ENOMEM. */
int sev_digest_init(struct sev_digest *d, const struct trace *trace, struct err *e) MUST_CHECK;

/* sev_digest_fini() - free. */
void sev_digest_fini(struct sev_digest *d);

/*
 * sev_digest_add() - add bytes.
 * @what, @gpa: for the trace only; TRACE_NO_GPA for no address
 * Return: 0, -ENOMEM or -EIO.
 */
int sev_digest_add(struct sev_digest *d, const char *what, gpa_t gpa, struct bytes bytes,
	struct err *e) MUST_CHECK;

/* sev_digest_value() - end. Return: 0 or -EIO. */
int sev_digest_value(struct sev_digest *d, uint8_t out[SEV_DIGEST_LEN], struct err *e) MUST_CHECK;

#endif
