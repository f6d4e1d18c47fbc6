/* SPDX-License-Identifier: Apache-2.0 */
/* cert_list_parse() and Intel's SGX extension; also the rules of a chain of three. */
#include "attestation/intel_chain.h"
#include "attestation/pck.h"

#include "tests/fuzz/fuzz.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	cleanup_cert_list struct cert_list l = CERT_LIST_INIT;
	struct err e = ERR_INIT;
	struct pck p;

	if (cert_list_parse(&l, bytes_of(data, len), &e)) {
		assert(e.code && e.text[0] && !l.n);
		return 0;
	}
	for (unsigned int i = 0; i < l.n; i++) {
		if (!pck_parse(&p, l.certs[i], &e))
			assert(p.pcesvn <= UINT16_MAX);
		(void)!cert_check(l.certs[i], 1800000000, i & 1, &e);
		(void)!cert_check_issued(
			l.certs[i], l.certs[(i + 1) % l.n], CERT_ECDSA_SHA256, 0, &e);
	}
	return 0;
}
