/* SPDX-License-Identifier: Apache-2.0 */
/* SNP ID blocks; see attestation/id_block.h. Tables are those of the SNP firmware ABI. */
#include "attestation/id_block.h"

#include "attestation/ecdsa.h"
#include "attestation/private_key.h"

#include <errno.h>
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

/* id_block_number() - a number of the format as P-384 has it. Return: true if it is that short. */
static bool id_block_number(uint8_t out[P384_LEN], const uint8_t in[SCALAR_LEN])
{
	for (size_t i = 0; i < P384_LEN; i++)
		out[i] = in[P384_LEN - 1 - i];
	return id_block_zeros(in + P384_LEN, SCALAR_LEN - P384_LEN);
}

/* id_block_signed() - Return: true if the key signed the bytes. */
static bool id_block_signed(
	const struct public_key *by, const struct signature *s, const void *data, size_t len)
{
	uint8_t xy[ECDSA_P384_LEN], rs[ECDSA_P384_LEN];
	bool sound = by->curve == CURVE_P384 &&
		id_block_zeros(by->reserved, sizeof(by->reserved)) &&
		id_block_zeros(s->reserved, sizeof(s->reserved));
	struct err e;

	sound &= id_block_number(xy, by->x);
	sound &= id_block_number(xy + P384_LEN, by->y);
	sound &= id_block_number(rs, s->r);
	sound &= id_block_number(rs + P384_LEN, s->s);
	return sound && !ecdsa_verify_point(ECDSA_P384_SHA384, xy, bytes_of(data, len), rs, &e);
}

int id_block_verify(struct bytes block, struct bytes auth, struct err *e)
{
	struct block b;
	struct auth a;

	if (block.left != sizeof(b) || auth.left != sizeof(a))
		return err_set(e, EINVAL, "an ID block has %d bytes, its authentication %d",
			ID_BLOCK_LEN, ID_BLOCK_AUTH_LEN);
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
