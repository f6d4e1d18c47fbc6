/* SPDX-License-Identifier: Apache-2.0 */
/*
 * struct trace: somebody who wants to see each piece that enters a digest, so that two digests
 * which differ can be compared down to the first page that differs.
 */
#ifndef ATTESTATION_TRACE_H
#define ATTESTATION_TRACE_H

#include "attestation/digest.h"
#include "memory/gpa.h"

#include <stdint.h>

struct trace_step {
	const char *what; /* page type or operation: "NORMAL", "MEM.PAGE.ADD", "hash table" */
	gpa_t gpa;        /* UINT64_MAX where the step has no address */
	uint64_t len;     /* bytes */
	const uint8_t *contents; /* digest of the bytes, NULL where they do not count */
	const uint8_t *running;  /* digest after this step */
	size_t digest_len;       /* of both */
};

#define TRACE_NO_GPA UINT64_MAX

struct trace {
	void (*step)(void *to, const struct trace_step *step);
	void *to;
};

#endif
