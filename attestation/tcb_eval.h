/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The TCB status of a TD: the platform's SVNs, the TDX module's and the quoting enclave's level,
 * brought together (PCS API v4, "Get TCB Info": algorithm; TDX DCAP Quoting Library API, 4.3).
 */
#ifndef ATTESTATION_TCB_EVAL_H
#define ATTESTATION_TCB_EVAL_H

#include "attestation/tcb_info.h"

struct pck;

#define TCB_ADVISORY_LISTS 3 /* platform, module, quoting enclave */

struct tcb_platform {
	const struct tcb_info *info;
	const struct pck *pck;
	const uint8_t *svn;             /* tee_tcb_svn of the quote, 16 bytes */
	const uint8_t *svn2;            /* tee_tcb_svn2, or NULL before TDX 1.5 */
	const uint8_t *mrsigner_seam;   /* 48 bytes */
	const uint8_t *seam_attributes; /* 8 bytes */
	const struct tcb_svn_level *qe; /* the quoting enclave's level */
};

struct tcb_verdict {
	enum tcb_status status;
	const json_t *advisories[TCB_ADVISORY_LISTS]; /* lists of the documents, or NULL */
};

/*
 * tcb_eval_module() - the TDX module is the one that the TCB info names for its version.
 * @module: belongs to p->info
 * Return: 0 or -EBADMSG.
 */
int tcb_eval_module(
	const struct tcb_platform *p, const struct tcb_module **module, struct err *e) MUST_CHECK;

/*
 * tcb_eval() - find the levels and bring their statuses together.
 * Return: 0, or -EBADMSG if no level matches or the TDX module is unknown.
 */
int tcb_eval(const struct tcb_platform *p, struct tcb_verdict *out, struct err *e) MUST_CHECK;

#endif
