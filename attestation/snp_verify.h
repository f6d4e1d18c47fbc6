/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Is a SEV-SNP report genuine: signed by the VCEK or VLEK of the chip and TCB that it reports?
 * The key's own chain is vek_check_chain()'s; what the report claims is judged by a policy.
 */
#ifndef ATTESTATION_SNP_VERIFY_H
#define ATTESTATION_SNP_VERIFY_H

#include "attestation/snp_report.h"
#include "attestation/vek.h"

/*
 * snp_verify() - bind a parsed report to a parsed certificate: kind of key, product, reported TCB,
 * chip and signature.
 * Return: 0, -EBADMSG or -EKEYREJECTED.
 */
int snp_verify(const struct snp_report *r, const struct vek *v, struct err *e) MUST_CHECK;

#endif
