/* SPDX-License-Identifier: Apache-2.0 */
/* The section "snp" of a policy: what is expected of a genuine SEV-SNP report. */
#ifndef ATTESTATION_POLICY_SNP_H
#define ATTESTATION_POLICY_SNP_H

#include "attestation/policy.h"

struct snp_report;
struct vek;

/* policy_snp_check_section() - it has known keys only, each as it must be. Return: 0 or -EINVAL. */
int policy_snp_check_section(const json_t *section, struct err *e) MUST_CHECK;

/*
 * policy_snp_check() - judge a report that snp_verify() accepted with that certificate.
 * @reasons: gets one line per rule that is not met; none added means accepted
 */
void policy_snp_check(const json_t *section, const struct snp_report *report, const struct vek *vek,
	struct policy_reasons *reasons);

/*
 * policy_snp_parse_tcb() - "bl=3,snp=8" as the object that "min_tcb" has for one product.
 * Return: 0 and a new reference in *out, or -EINVAL.
 */
int policy_snp_parse_tcb(const char *text, json_t **out, struct err *e) MUST_CHECK;

#endif
