// SPDX-License-Identifier: GPL-2.0
/* LAB ONLY: digests and signatures for the software firmware, by the kernel's own crypto. */
#include "swpsp_int.h"
#ifdef SWPSP_SIG
#include <crypto/sha2.h>
#include <crypto/sig.h>
#else
#include <crypto/hash.h>
#include <crypto/akcipher.h>
#include <linux/scatterlist.h>

static struct crypto_shash *sha;
#endif

int swpsp_crypto_init(void)
{
#ifndef SWPSP_SIG
	sha = crypto_alloc_shash("sha384", 0, 0);
	if (IS_ERR(sha))
		return PTR_ERR(sha);
#endif
	return 0;
}

void swpsp_crypto_exit(void)
{
#ifndef SWPSP_SIG
	crypto_free_shash(sha);
#endif
}

int swpsp_digest(const void *p, unsigned int n, u8 *out)
{
#ifdef SWPSP_SIG
	sha384(p, n, out);
	return 0;
#else
	return crypto_shash_tfm_digest(sha, p, n, out);
#endif
}

/* ---- ECDSA P-384 of the ID block: our little-endian r, s to DER, verified by the kernel's ecdsa ---- */
static u8 *der_int(u8 *o, const u8 *le)
{
	int n = 48;

	while (n > 1 && !le[n - 1])
		n--;
	*o++ = 2;
	*o++ = n + (le[n - 1] >> 7);
	if (le[n - 1] >> 7)
		*o++ = 0;
	while (n)
		*o++ = le[--n];
	return o;
}

int swpsp_ecdsa(const u8 *sig, const u8 *key, const void *msg, unsigned int len)
{
	u8 *b = kzalloc(512, GFP_KERNEL), *pub = b + 256, *e;
	int r = -ENOMEM, i, n;
	u8 dg[48];

	if (!b)
		return r;
	pub[0] = 4;
	for (i = 0; i < 48; i++) {
		pub[1 + i] = key[4 + 47 - i];
		pub[49 + i] = key[4 + 72 + 47 - i];
	}
	e = der_int(der_int(b + 2, sig), sig + 72);
	b[0] = 0x30;
	b[1] = e - b - 2;
	n = e - b;
	r = swpsp_digest(msg, len, dg);
#ifndef SWPSP_SIG	/* before 6.13 */
	if (!r) {
		struct crypto_akcipher *t = crypto_alloc_akcipher("ecdsa-nist-p384", 0, 0);
		struct akcipher_request *q;
		struct scatterlist sg;
		DECLARE_CRYPTO_WAIT(w);

		if (IS_ERR(t)) {
			pr_warn_once("swpsp: no ecdsa-nist-p384: ID block signatures not checked\n");
			kfree(b);
			return 0;
		}
		memcpy(b + n, dg, 48);
		r = crypto_akcipher_set_pub_key(t, pub, 97);
		q = akcipher_request_alloc(t, GFP_KERNEL);
		if (!r && q) {
			sg_init_one(&sg, b, n + 48);
			akcipher_request_set_crypt(q, &sg, NULL, n, 48);
			akcipher_request_set_callback(q, CRYPTO_TFM_REQ_MAY_SLEEP, crypto_req_done, &w);
			r = crypto_wait_req(crypto_akcipher_verify(q), &w);
		}
		akcipher_request_free(q);
		crypto_free_akcipher(t);
	}
#else
	if (!r) {
		struct crypto_sig *t = crypto_alloc_sig("x962(ecdsa-nist-p384)", 0, 0);

		if (IS_ERR(t)) {
			pr_warn_once("swpsp: no x962(ecdsa-nist-p384): ID block signatures not checked\n");
			kfree(b);
			return 0;
		}
		r = crypto_sig_set_pubkey(t, pub, 97);
		if (!r)
			r = crypto_sig_verify(t, b, n, dg, 48);
		crypto_free_sig(t);
	}
#endif
	kfree(b);
	return r;
}
