/* SPDX-License-Identifier: Apache-2.0 */
/* crl_parse(), and crl_check() in so far as it needs no right key. */
#include "attestation/crl.h"

#include "tests/fuzz/fuzz.h"

#include <assert.h>
#include <openssl/x509.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	cleanup_crl struct crl c = CRL_INIT;
	struct err e = ERR_INIT;
	X509 *issuer;

	if (crl_parse(&c, bytes_of(data, len), &e)) {
		assert(e.code && e.text[0] && !c.list);
		return 0;
	}
	issuer = X509_new();
	X509_set_subject_name(issuer, X509_CRL_get_issuer(c.list));
	assert(crl_check(&c, issuer, CERT_ECDSA_SHA256, 1800000000, &e));
	assert(crl_check(&c, issuer, CERT_PSS_SHA384, 1800000000, &e));
	(void)!crl_check_cert(&c, issuer, &e);
	X509_free(issuer);
	return 0;
}
