/* SPDX-License-Identifier: Apache-2.0 */
/* SNP ID blocks; see attestation/id_block.h. Tables are those of the SNP firmware ABI. */
#include "attestation/id_block.h"

#include "attestation/private_key.h"

#include <errno.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <string.h>

#define SCALAR_LEN       72 /* a number of ECDSA, little endian */
#define P384_LEN         48
#define ALGO_P384_SHA384 1 /* table "Encoding for signature algorithms" */
#define CURVE_P384       2 /* table "Encoding for curves" */

/* table "ID Block" */
struct block {
	uint8_t launch_digest[DIGEST_SHA384_LEN];
	uint8_t family_id[ID_BLOCK_ID_LEN];
	uint8_t image_id[ID_BLOCK_ID_LEN];
	uint32_t version;
	uint32_t guest_svn;
	uint64_t policy;
} __attribute__((packed));
_Static_assert(sizeof(struct block) == ID_BLOCK_LEN, "ID block");

/* table "Format for an ECDSA P-384 with SHA-384 signature" */
struct signature {
	uint8_t r[SCALAR_LEN];
	uint8_t s[SCALAR_LEN];
	uint8_t reserved[368];
} __attribute__((packed));
_Static_assert(sizeof(struct signature) == 512, "signature");

/* table "Format for an ECDSA P-384 public key" */
struct public_key {
	uint32_t curve;
	uint8_t x[SCALAR_LEN];
	uint8_t y[SCALAR_LEN];
	uint8_t reserved[880];
} __attribute__((packed));
_Static_assert(sizeof(struct public_key) == 1028, "public key");

/* table "ID Authentication Information Structure" */
struct auth {
	uint32_t id_key_algo;
	uint32_t author_key_algo;
	uint8_t reserved1[56];
	struct signature block_signature;
	struct public_key id_key;
	uint8_t reserved2[60];
	struct signature id_key_signature;
	struct public_key author_key;
	uint8_t reserved3[892];
} __attribute__((packed));
_Static_assert(sizeof(struct auth) == ID_BLOCK_AUTH_LEN, "ID authentication information");
_Static_assert(offsetof(struct auth, id_key_signature) == 0x680, "ID authentication information");

static void pkey_drop(EVP_PKEY **p)
{
	EVP_PKEY_free(*p);
}

static void md_ctx_drop(EVP_MD_CTX **p)
{
	EVP_MD_CTX_free(*p);
}

static void ecdsa_drop(ECDSA_SIG **p)
{
	ECDSA_SIG_free(*p);
}

/* id_block_reverse() - a big-endian number of P-384 as the format has it; the rest stays */
static void id_block_reverse(uint8_t out[SCALAR_LEN], const uint8_t in[P384_LEN])
{
	for (size_t i = 0; i < P384_LEN; i++)
		out[i] = in[P384_LEN - 1 - i];
}

/* id_block_load_key() - read a private key that SNP can use. Return: 0 or -EINVAL. */
static int id_block_load_key(
	struct private_key *key, struct bytes pem, const char *which, struct err *e)
{
	int ret = private_key_load(key, pem, which, e);

	if (!ret && key->curve != PRIVATE_KEY_P384)
		ret = err_set(e, EINVAL, "%s: SNP takes keys on curve P-384 only", which);
	return ret;
}

/* id_block_export() - write the public half. Return: 0 or -EIO. */
static int id_block_export(struct public_key *out, const struct private_key *key, struct err *e)
{
	uint8_t xy[2 * PRIVATE_KEY_MAX] = {0};
	int ret = private_key_public(key, xy, e);

	out->curve = CURVE_P384;
	id_block_reverse(out->x, xy);
	id_block_reverse(out->y, xy + P384_LEN);
	return ret;
}

/* id_block_ecdsa() - sign bytes. Return: 0 or -EIO. */
static int id_block_ecdsa(struct signature *out, const struct private_key *key, const void *data,
	size_t len, struct err *e)
{
	uint8_t rs[2 * PRIVATE_KEY_MAX] = {0};
	int ret = private_key_sign(key, bytes_of(data, len), rs, e);

	id_block_reverse(out->r, rs);
	id_block_reverse(out->s, rs + P384_LEN);
	return ret;
}

/* id_block_fill() - fill the zeroed auth with loaded keys. Return: 0 or -EIO. */
static int id_block_fill(struct id_block *out, const struct private_key *id_key,
	const struct private_key *author_key, struct err *e)
{
	struct auth *auth = (struct auth *)out->auth;
	const struct {
		struct public_key *key;
		uint8_t *digest;
	} keys[] = {
		{&auth->id_key, out->id_key_digest},
		{&auth->author_key, out->author_key_digest},
	};
	int ret;

	auth->id_key_algo = ALGO_P384_SHA384;
	auth->author_key_algo = ALGO_P384_SHA384;
	ret = id_block_export(&auth->id_key, id_key, e);
	if (!ret)
		ret = id_block_export(&auth->author_key, author_key, e);
	if (!ret)
		ret = id_block_ecdsa(&auth->block_signature, id_key, out->block, ID_BLOCK_LEN, e);
	/* the author signs the ID key as it stands in the structure, all 1028 bytes */
	if (!ret)
		ret = id_block_ecdsa(&auth->id_key_signature, author_key, &auth->id_key,
			sizeof(auth->id_key), e);
	for (size_t i = 0; !ret && i < ARRAY_SIZE(keys); i++)
		ret = digest_of(
			DIGEST_SHA384, keys[i].key, sizeof(*keys[i].key), keys[i].digest, e);
	return ret;
}

int id_block_sign(struct id_block *out, const struct id_block_spec *spec, struct bytes id_key,
	struct bytes author_key, struct err *e)
{
	cleanup_private_key struct private_key id = PRIVATE_KEY_INIT;
	cleanup_private_key struct private_key author = PRIVATE_KEY_INIT;
	struct block block = {
		.version = 1,
		.guest_svn = spec->guest_svn,
		.policy = spec->policy,
	};
	int ret = id_block_load_key(&id, id_key, "ID key", e);

	if (!ret)
		ret = id_block_load_key(&author, author_key, "author key", e);
	if (ret)
		return ret;
	memset(out, 0, sizeof(*out));
	memcpy(block.launch_digest, spec->launch_digest, sizeof(block.launch_digest));
	memcpy(block.family_id, spec->family_id, sizeof(block.family_id));
	memcpy(block.image_id, spec->image_id, sizeof(block.image_id));
	memcpy(out->block, &block, sizeof(block));
	return id_block_fill(out, &id, &author, e);
}

/* id_block_zeros() - Return: true if all bytes are zeros. */
static bool id_block_zeros(const uint8_t *p, size_t len)
{
	uint8_t any = 0;

	for (size_t i = 0; i < len; i++)
		any |= p[i];
	return !any;
}

/* id_block_import() - make a public key. Return: it, or NULL if it is none on P-384. */
static EVP_PKEY *id_block_import(const struct public_key *k)
{
	uint8_t point[1 + 2 * P384_LEN] = {POINT_CONVERSION_UNCOMPRESSED};
	char group[] = "secp384r1";
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
		OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point)),
		OSSL_PARAM_construct_end(),
	};
	EVP_PKEY_CTX *ctx;
	EVP_PKEY *key = NULL;

	if (k->curve != CURVE_P384 || !id_block_zeros(k->reserved, sizeof(k->reserved)) ||
		!id_block_zeros(k->x + P384_LEN, SCALAR_LEN - P384_LEN) ||
		!id_block_zeros(k->y + P384_LEN, SCALAR_LEN - P384_LEN))
		return NULL;
	for (size_t i = 0; i < P384_LEN; i++) {
		point[1 + i] = k->x[P384_LEN - 1 - i];
		point[1 + P384_LEN + i] = k->y[P384_LEN - 1 - i];
	}
	ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	/* libcrypto refuses a point that is not on the curve */
	if (!ctx || EVP_PKEY_fromdata_init(ctx) <= 0 ||
		EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) <= 0)
		key = NULL;
	EVP_PKEY_CTX_free(ctx);
	return key;
}

/* id_block_der() - a signature as DER. Return: its length, or -1 if it is malformed. */
static int id_block_der(const struct signature *s, uint8_t **der)
{
	CLEANUP(ecdsa_drop) ECDSA_SIG *sig = ECDSA_SIG_new();
	BIGNUM *r = BN_lebin2bn(s->r, SCALAR_LEN, NULL), *v = BN_lebin2bn(s->s, SCALAR_LEN, NULL);

	if (!sig || !r || !v || !id_block_zeros(s->reserved, sizeof(s->reserved))) {
		BN_free(r);
		BN_free(v);
		return -1;
	}
	ECDSA_SIG_set0(sig, r, v);
	return i2d_ECDSA_SIG(sig, der);
}

/* id_block_signed() - Return: true if the key signed the bytes. */
static bool id_block_signed(
	const struct public_key *by, const struct signature *s, const void *data, size_t len)
{
	CLEANUP(pkey_drop) EVP_PKEY *key = id_block_import(by);
	CLEANUP(md_ctx_drop) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t *der = NULL;
	int der_len = id_block_der(s, &der);
	/* libcrypto refuses r and s outside of [1, n-1] */
	bool ok = key && ctx && der_len > 0 &&
		EVP_DigestVerifyInit_ex(ctx, NULL, "SHA384", NULL, NULL, key, NULL) > 0 &&
		EVP_DigestVerify(ctx, der, (size_t)der_len, data, len) == 1;

	OPENSSL_free(der);
	return ok;
}

int id_block_verify(struct bytes block, struct bytes auth, struct err *e)
{
	struct block b;
	struct auth a;

	if (block.left != sizeof(b) || auth.left != sizeof(a))
		return err_set(e, EINVAL, "an ID block has %d bytes, its authentication %d",
			ID_BLOCK_LEN, ID_BLOCK_AUTH_LEN);
	digest_setup();
	memcpy(&b, block.at, sizeof(b));
	memcpy(&a, auth.at, sizeof(a));
	if (b.version != 1)
		return err_set(e, EBADMSG, "unknown version %u of the ID block", b.version);
	if (a.id_key_algo != ALGO_P384_SHA384 || a.author_key_algo != ALGO_P384_SHA384)
		return err_set(e, EBADMSG, "unknown key algorithm: ID key %u, author key %u",
			a.id_key_algo, a.author_key_algo);
	if (!id_block_zeros(a.reserved1, sizeof(a.reserved1)) ||
		!id_block_zeros(a.reserved2, sizeof(a.reserved2)) ||
		!id_block_zeros(a.reserved3, sizeof(a.reserved3)))
		return err_set(e, EBADMSG, "reserved bytes are not zero");
	if (!id_block_signed(&a.id_key, &a.block_signature, &b, sizeof(b)))
		return err_set(e, EBADMSG, "the ID key did not sign the ID block");
	if (!id_block_signed(&a.author_key, &a.id_key_signature, &a.id_key, sizeof(a.id_key)))
		return err_set(e, EBADMSG, "the author key did not sign the ID key");
	return 0;
}
