/* SPDX-License-Identifier: Apache-2.0 */
/* policy_parse() and the judgement of an empty report and quote by what it accepts. */
#include "attestation/policy.h"
#include "attestation/policy_snp.h"
#include "attestation/snp_report.h"
#include "attestation/vek.h"

#include "tests/fuzz/fuzz.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const struct snp_report report = {.version = 3};
	cleanup_policy struct policy p = POLICY_INIT;
	struct policy_reasons reasons = {.n = 0};
	const struct vek vek = {.product = "Turin", .line = snp_product_by_name("Turin")};
	struct err e = ERR_INIT;

	if (policy_parse(&p, bytes_of(data, len), &e)) {
		assert(e.code && e.text[0] && !p.snp && !p.tdx);
		return 0;
	}
	if (p.snp)
		policy_snp_check(p.snp, &report, &vek, &reasons);
	return 0;
}
