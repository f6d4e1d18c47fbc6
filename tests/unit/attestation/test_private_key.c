/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/private_key.h"
#include "tests/unit/unit.h"

#include "tests/unit/attestation/make_key.h"

#include <errno.h>
#include <openssl/bn.h>
#include <openssl/ec.h>

static char pem[MAKE_KEY_MAX];

static int load(struct private_key *key, struct err *e)
{
	return private_key_load(key, bytes_of(pem, strlen(pem)), "a key", e);
}

/* signed_by() - check a signature with libcrypto's own verification. */
static bool signed_by(
	const struct private_key *key, const char *digest, const uint8_t *rs, const char *text)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	ECDSA_SIG *sig = ECDSA_SIG_new();
	uint8_t *der = NULL;
	int len;
	bool ok;

	ECDSA_SIG_set0(sig, BN_bin2bn(rs, (int)key->scalar_len, NULL),
		BN_bin2bn(rs + key->scalar_len, (int)key->scalar_len, NULL));
	len = i2d_ECDSA_SIG(sig, &der);
	ok = EVP_DigestVerifyInit_ex(ctx, NULL, digest, NULL, NULL, key->pkey, NULL) > 0 &&
		EVP_DigestVerify(ctx, der, (size_t)len, (const uint8_t *)text, strlen(text)) == 1;
	OPENSSL_free(der);
	ECDSA_SIG_free(sig);
	EVP_MD_CTX_free(ctx);
	return ok;
}

static void private_key_signs_on_both_curves(void **state)
{
	static const struct {
		const char *curve, *digest;
		size_t len;
	} rows[] = {{"P-256", "SHA256", 32}, {"P-384", "SHA384", 48}};
	uint8_t rs[2 * PRIVATE_KEY_MAX];
	struct private_key key;
	struct err e;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		make_key(pem, rows[i].curve, NULL);
		assert_int_equal(load(&key, &e), 0);
		assert_int_equal(key.scalar_len, rows[i].len);
		assert_int_equal(private_key_sign(&key, bytes_of("text", 4), rs, &e), 0);
		assert_true(signed_by(&key, rows[i].digest, rs, "text"));
		assert_false(signed_by(&key, rows[i].digest, rs, "test"));
		private_key_drop(&key);
		private_key_drop(&key);
	}
}

static void private_key_exports_its_point(void **state)
{
	uint8_t xy[2 * PRIVATE_KEY_MAX], point[1 + 2 * PRIVATE_KEY_MAX];
	struct private_key key;
	size_t len;
	struct err e;

	(void)state;
	make_key(pem, "P-384", NULL);
	assert_int_equal(load(&key, &e), 0);
	assert_int_equal(private_key_public(&key, xy, &e), 0);
	assert_int_equal(EVP_PKEY_get_octet_string_param(
				 key.pkey, "encoded-pub-key", point, sizeof(point), &len),
		1);
	assert_int_equal(len, sizeof(point));
	assert_memory_equal(xy, point + 1, sizeof(xy));
	private_key_drop(&key);
}

static void private_key_has_one_id(void **state)
{
	uint8_t a[PRIVATE_KEY_ID], b[PRIVATE_KEY_ID];
	struct private_key key;
	struct err e;

	(void)state;
	make_key(pem, "P-256", NULL);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(load(&key, &e), 0);
		assert_int_equal(private_key_id(&key, i ? b : a, &e), 0);
		private_key_drop(&key);
	}
	assert_memory_equal(a, b, sizeof(a));
	make_key(pem, "P-256", NULL);
	assert_int_equal(load(&key, &e), 0);
	assert_int_equal(private_key_id(&key, b, &e), 0);
	assert_memory_not_equal(a, b, sizeof(a));
	private_key_drop(&key);
}

static void private_key_refuses_what_it_cannot_use(void **state)
{
	struct private_key key;
	struct err e;

	(void)state;
	make_key(pem, "P-521", NULL);
	assert_int_equal(load(&key, &e), -EINVAL);
	make_key(pem, "P-384", "secret");
	assert_int_equal(load(&key, &e), -EINVAL);
	assert_string_equal(e.text, "a key: not an unencrypted private key in PEM");
	strcpy(pem, "no key");
	assert_int_equal(load(&key, &e), -EINVAL);
	assert_null(key.pkey);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(private_key_signs_on_both_curves),
	cmocka_unit_test(private_key_exports_its_point),
	cmocka_unit_test(private_key_has_one_id),
	cmocka_unit_test(private_key_refuses_what_it_cannot_use),
};
UNIT_MAIN(tests)
