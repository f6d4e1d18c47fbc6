/* SPDX-License-Identifier: Apache-2.0 */
/* Raw ECDSA signatures; see attestation/ecdsa.h. */
#include "attestation/ecdsa.h"

#include "attestation/digest.h"

#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <string.h>

static const struct ecdsa_curve {
	const char *group;
	const char *hash;
	size_t len; /* of one number */
} curves[] = {
	[ECDSA_P256_SHA256] = {SN_X9_62_prime256v1, "SHA256", ECDSA_P256_LEN / 2},
	[ECDSA_P384_SHA384] = {SN_secp384r1, "SHA384", ECDSA_P384_LEN / 2},
};

/* ecdsa_to_der() - SEC 1 section C.8. Return: the length of *der, or -1. */
static int ecdsa_to_der(const struct ecdsa_curve *c, const uint8_t *raw, uint8_t **der)
{
	BIGNUM *r = BN_bin2bn(raw, (int)c->len, NULL);
	BIGNUM *s = BN_bin2bn(raw + c->len, (int)c->len, NULL);
	ECDSA_SIG *sig = ECDSA_SIG_new();
	int len = -1;

	if (r && s && sig && ECDSA_SIG_set0(sig, r, s)) {
		r = s = NULL; /* sig has them now */
		len = i2d_ECDSA_SIG(sig, der);
	}
	BN_free(r);
	BN_free(s);
	ECDSA_SIG_free(sig);
	return len;
}

/* ecdsa_key_fits() - a named curve, the right one; parameters spelt out are not accepted. */
static bool ecdsa_key_fits(const struct ecdsa_curve *c, const EVP_PKEY *key)
{
	char group[64];
	int explicit = 0;
	size_t len;

	if (!key || !EVP_PKEY_is_a(key, "EC") ||
		!EVP_PKEY_get_group_name(key, group, sizeof(group), &len))
		return false;
	EVP_PKEY_get_int_param(key, OSSL_PKEY_PARAM_EC_DECODED_FROM_EXPLICIT_PARAMS, &explicit);
	return !explicit && !strcmp(group, c->group);
}

int ecdsa_verify(enum ecdsa_kind kind, EVP_PKEY *key, struct bytes message, const uint8_t *sig,
	struct err *e)
{
	const struct ecdsa_curve *c = &curves[kind];
	EVP_MD_CTX *ctx;
	uint8_t *der = NULL;
	int len, ok;

	if (!ecdsa_key_fits(c, key)) {
		ERR_clear_error();
		return err_set(e, EKEYREJECTED, "the key is not on curve %s", c->group);
	}
	len = ecdsa_to_der(c, sig, &der);
	ctx = EVP_MD_CTX_new();
	ok = len > 0 && ctx &&
		EVP_DigestVerifyInit_ex(ctx, NULL, c->hash, NULL, NULL, key, NULL) == 1 &&
		EVP_DigestVerify(ctx, der, (size_t)len, message.at, message.left) == 1;
	EVP_MD_CTX_free(ctx);
	OPENSSL_free(der);
	ERR_clear_error();
	return ok ? 0 : err_set(e, EBADMSG, "wrong signature");
}

int ecdsa_verify_point(enum ecdsa_kind kind, const uint8_t *xy, struct bytes message,
	const uint8_t *sig, struct err *e)
{
	const struct ecdsa_curve *c = &curves[kind];
	uint8_t point[1 + ECDSA_P384_LEN] = {POINT_CONVERSION_UNCOMPRESSED};
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, (char *)c->group, 0),
		OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, 1 + 2 * c->len),
		OSSL_PARAM_construct_end(),
	};
	EVP_PKEY_CTX *ctx;
	EVP_PKEY *key = NULL;
	int ret;

	digest_setup();
	memcpy(point + 1, xy, 2 * c->len);
	ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	if (!ctx || EVP_PKEY_fromdata_init(ctx) != 1 ||
		EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
		ret = err_set(e, EKEYREJECTED, "the key is not a point of curve %s", c->group);
	else
		ret = ecdsa_verify(kind, key, message, sig, e);
	EVP_PKEY_free(key);
	EVP_PKEY_CTX_free(ctx);
	ERR_clear_error();
	return ret;
}
