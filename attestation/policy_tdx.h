/* SPDX-License-Identifier: Apache-2.0 */
/* The section "tdx" of a policy: what is expected of a genuine TD quote. */
#ifndef ATTESTATION_POLICY_TDX_H
#define ATTESTATION_POLICY_TDX_H

#include "attestation/policy.h"

struct tdx_quote;
struct tdx_verdict;

/* policy_tdx_check_section() - it has known keys only, each as it must be. Return: 0 or -EINVAL. */
int policy_tdx_check_section(const json_t *section, struct err *e) MUST_CHECK;

/*
 * policy_tdx_check() - judge a quote that tdx_verify() accepted with that verdict. "Revoked" is
 * refused whatever the section says.
 * @reasons: gets one line per rule that is not met; none added means accepted
 */
void policy_tdx_check(const json_t *section, const struct tdx_quote *quote,
	const struct tdx_verdict *verdict, struct policy_reasons *reasons);

#endif
