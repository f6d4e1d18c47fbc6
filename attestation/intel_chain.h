/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Intel's two certificate chains: root -> PCK platform or processor CA -> PCK, and root -> TCB
 * signing (Intel SGX PCK Certificate and CRL Profile Specification, section 1).
 */
#ifndef ATTESTATION_INTEL_CHAIN_H
#define ATTESTATION_INTEL_CHAIN_H

#include "attestation/cert_list.h"
#include "attestation/crl.h"

/* What every chain is checked against. */
struct intel_trust {
	const struct cert_list *roots; /* trusted; only self-signed certificates of it count */
	const struct crl *root_crl;    /* the root CA's */
	int64_t now;                   /* seconds since 1970 */
};

/*
 * intel_chain_check_root() - the trusted root that issued root_crl, and that list, are sound now.
 * Return: 0 or -EKEYREJECTED.
 */
int intel_chain_check_root(const struct intel_trust *t, struct err *e) MUST_CHECK;

/*
 * intel_chain_check_signer() - the chain is exactly root and TCB signing certificate, and sound.
 * @signer: belongs to the chain
 * Return: 0, -EKEYREJECTED or -EKEYREVOKED.
 */
int intel_chain_check_signer(const struct intel_trust *t, const struct cert_list *chain,
	X509 **signer, struct err *e) MUST_CHECK;

/*
 * intel_chain_check_pck() - the chain is exactly root, PCK CA and PCK, and sound; the PCK is not in
 * the CA's list.
 * @pck: belongs to the chain
 * Return: 0, -EKEYREJECTED or -EKEYREVOKED.
 */
int intel_chain_check_pck(const struct intel_trust *t, const struct cert_list *chain,
	const struct crl *pck_crl, X509 **pck, struct err *e) MUST_CHECK;

#endif
