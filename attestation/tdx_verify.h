/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Is a TD quote genuine, and what is its TCB status? All collateral is given; no network, no
 * clock. What the quote claims is judged by a policy.
 */
#ifndef ATTESTATION_TDX_VERIFY_H
#define ATTESTATION_TDX_VERIFY_H

#include "attestation/intel_chain.h"
#include "attestation/pcs_doc.h"
#include "attestation/tcb_eval.h"
#include "attestation/tdx_quote.h"

struct tdx_collateral {
	struct intel_trust trust;
	const struct crl *pck_crl;
	const struct cert_list *pck_chain; /* for a quote without one, or NULL */
	const struct cert_list *tcb_chain, *qe_chain;
	const struct pcs_doc *tcb_info, *qe_identity;
};

struct tdx_verdict {
	struct tcb_verdict tcb;
	/* the lower one of TCB info and QE identity */
	uint32_t evaluation_number;
};

/*
 * tdx_verify() - chains, documents, signatures and TCB levels, in that order.
 * @out: its lists belong to the collateral
 * Return: 0 if the quote is genuine, whatever its status; else a negative errno.
 */
int tdx_verify(const struct tdx_quote *q, const struct tdx_collateral *c, struct tdx_verdict *out,
	struct err *e) MUST_CHECK;

#endif
