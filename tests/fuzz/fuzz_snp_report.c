/* SPDX-License-Identifier: Apache-2.0 */
/* snp_report_parse() and snp_report_check(): what passes has the size and versions it claims. */
#include "attestation/snp_report.h"

#include "tests/fuzz/fuzz.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct snp_report r;
	struct err e = ERR_INIT;

	if (snp_report_parse(&r, bytes_of(data, len), &e)) {
		assert(e.code && e.text[0]);
		return 0;
	}
	assert(len == SNP_REPORT_LEN && r.raw == data && r.version >= 2 && r.version <= 5);
	if (!snp_report_check(&r, &e))
		assert(r.policy & 1 << 17 && r.vmpl < 4 && !r.reserved_set);
	(void)snp_report_product(&r);
	return 0;
}
