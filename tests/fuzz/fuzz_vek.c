/* SPDX-License-Identifier: Apache-2.0 */
/* cert_list_parse() and AMD's extensions: an accepted certificate is of a known product. */
#include "attestation/vek.h"

#include "tests/fuzz/fuzz.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	cleanup_cert_list struct cert_list l = CERT_LIST_INIT;
	struct err e = ERR_INIT;
	struct vek v;

	if (cert_list_parse(&l, bytes_of(data, len), &e)) {
		assert(e.code && e.text[0] && !l.n);
		return 0;
	}
	assert(l.n && l.n <= CERT_LIST_MAX);
	for (unsigned int i = 0; i < l.n; i++) {
		const struct cert_list roots = {{l.certs[l.n - 1]}, 1};
		const struct vek_chain links = {&l, &roots, NULL, 1800000000};

		if (!vek_parse(&v, l.certs[i], &e)) {
			assert(v.line && v.product[0] && strlen(v.product) < VEK_PRODUCT_MAX);
			(void)!vek_check_chain(&v, &links, &e);
		}
	}
	return 0;
}
