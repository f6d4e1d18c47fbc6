/* SPDX-License-Identifier: Apache-2.0 */
/* Keys that sign; see attestation/private_key.h. */
#include "attestation/private_key.h"

#include "attestation/digest.h"

#include <errno.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <string.h>

#define PEM_MAX 65536
#define DER_MAX 160 /* of a signature: two numbers and their heads */

static const struct {
	const char *group, *digest;
	size_t scalar_len;
} curves[] = {
	[PRIVATE_KEY_P256] = {"prime256v1", "SHA256", 32},
	[PRIVATE_KEY_P384] = {"secp384r1", "SHA384", 48},
};

/* private_key_password() - an encrypted key is refused, not asked for on somebody's terminal */
static int private_key_password(char *buf, int size, int writing, void *arg)
{
	(void)buf, (void)size, (void)writing, (void)arg;
	return -1;
}

/* private_key_find_curve() - Return: true if the key is on a curve that we know. */
static bool private_key_find_curve(struct private_key *key)
{
	char group[32] = "";

	if (!EVP_PKEY_is_a(key->pkey, "EC") ||
		!EVP_PKEY_get_utf8_string_param(
			key->pkey, OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof(group), NULL))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(curves); i++)
		if (!strcmp(group, curves[i].group)) {
			key->curve = (enum private_key_curve)i;
			key->scalar_len = curves[i].scalar_len;
			return true;
		}
	return false;
}

int private_key_load(struct private_key *key, struct bytes pem, const char *which, struct err *e)
{
	BIO *bio;

	digest_setup();
	bio = pem.left > PEM_MAX ? NULL : BIO_new_mem_buf(pem.at, (int)pem.left);
	*key = (struct private_key)PRIVATE_KEY_INIT;
	if (bio)
		key->pkey = PEM_read_bio_PrivateKey(bio, NULL, private_key_password, NULL);
	BIO_free(bio);
	if (!key->pkey)
		return err_set(e, EINVAL, "%s: not an unencrypted private key in PEM", which);
	if (private_key_find_curve(key))
		return 0;
	private_key_drop(key);
	return err_set(e, EINVAL, "%s: not on curve P-256 or P-384", which);
}

void private_key_drop(struct private_key *key)
{
	EVP_PKEY_free(key->pkey);
	*key = (struct private_key)PRIVATE_KEY_INIT;
}

/* private_key_numbers() - write r and s of a DER signature. Return: false if it is none. */
static bool private_key_numbers(const uint8_t *der, size_t len, size_t scalar_len, uint8_t *rs)
{
	ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &der, (long)len);
	bool ok = sig && BN_bn2binpad(ECDSA_SIG_get0_r(sig), rs, (int)scalar_len) >= 0 &&
		BN_bn2binpad(ECDSA_SIG_get0_s(sig), rs + scalar_len, (int)scalar_len) >= 0;

	ECDSA_SIG_free(sig);
	return ok;
}

int private_key_sign(const struct private_key *key, struct bytes data, uint8_t *rs, struct err *e)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	const char *digest = curves[key->curve].digest;
	uint8_t der[DER_MAX];
	size_t len = sizeof(der);
	bool ok = ctx &&
		EVP_DigestSignInit_ex(ctx, NULL, digest, NULL, NULL, key->pkey, NULL) > 0 &&
		EVP_DigestSign(ctx, der, &len, data.at, data.left) > 0 &&
		private_key_numbers(der, len, key->scalar_len, rs);

	EVP_MD_CTX_free(ctx);
	return ok ? 0 : err_set(e, EIO, "libcrypto failed to sign");
}

int private_key_public(const struct private_key *key, uint8_t *xy, struct err *e)
{
	BIGNUM *x = NULL, *y = NULL;
	int len = (int)key->scalar_len;
	bool ok = EVP_PKEY_get_bn_param(key->pkey, OSSL_PKEY_PARAM_EC_PUB_X, &x) &&
		EVP_PKEY_get_bn_param(key->pkey, OSSL_PKEY_PARAM_EC_PUB_Y, &y) &&
		BN_bn2binpad(x, xy, len) >= 0 && BN_bn2binpad(y, xy + len, len) >= 0;

	BN_free(x);
	BN_free(y);
	return ok ? 0 : err_set(e, EIO, "libcrypto failed to export a public key");
}

int private_key_id(const struct private_key *key, uint8_t id[PRIVATE_KEY_ID], struct err *e)
{
	uint8_t *der = NULL;
	int ret, len = i2d_PUBKEY(key->pkey, &der);

	if (len <= 0)
		return err_set(e, EIO, "libcrypto failed to export a public key");
	ret = digest_of(DIGEST_SHA256, der, (size_t)len, id, e);
	OPENSSL_free(der);
	return ret;
}
