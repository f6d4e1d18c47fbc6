/* SPDX-License-Identifier: Apache-2.0 */
/* tdx_quote_parse(): every part of an accepted quote lies in the quote. */
#include "attestation/tdx_quote.h"

#include "tests/fuzz/fuzz.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const uint8_t *end = data + len;
	struct err e = ERR_INIT;
	struct tdx_quote q;

	if (tdx_quote_parse(&q, bytes_of(data, len), &e)) {
		assert(e.code && e.text[0]);
		return 0;
	}
	assert(q.signed_part.at == data && q.signed_part.left < len);
	assert(q.tee_tcb_svn > data && q.report_data + 64 <= data + q.signed_part.left);
	assert(q.td15 == (q.tee_tcb_svn2 != NULL) && q.td15 == (q.mr_servicetd != NULL));
	assert(q.signature > q.report_data && q.qe_report + 384 <= end);
	assert(q.qe_auth.at + q.qe_auth.left <= end && q.cert_data.at + q.cert_data.left <= end);
	return 0;
}
