/* SPDX-License-Identifier: Apache-2.0 */
/*
 * struct private_key: an elliptic-curve private key that signs.
 *
 * The secret stays inside libcrypto, whose signing runs in constant time and whose memory is wiped
 * when it is freed (attestation/wiped_memory.h); no part of it gets into an error message.
 * Encrypted keys are refused, so that nobody is ever asked for a password.
 */
#ifndef ATTESTATION_PRIVATE_KEY_H
#define ATTESTATION_PRIVATE_KEY_H

#include "base/bytes.h"
#include "base/err.h"

#define PRIVATE_KEY_MAX 48 /* bytes of one number */
#define PRIVATE_KEY_ID  32

enum private_key_curve { PRIVATE_KEY_P256, PRIVATE_KEY_P384 };

struct evp_pkey_st; /* libcrypto's EVP_PKEY */

struct private_key {
	struct evp_pkey_st *pkey;
	enum private_key_curve curve;
	size_t scalar_len; /* bytes of a number on the curve */
};

#define PRIVATE_KEY_INIT                                                                           \
	{                                                                                          \
		.pkey = NULL                                                                       \
	}

/*
 * private_key_load() - read a key from PEM.
 * @which: what an error calls it
 * Return: 0; -EINVAL if it is encrypted, no private key, or on neither curve.
 */
int private_key_load(
	struct private_key *key, struct bytes pem, const char *which, struct err *e) MUST_CHECK;

/* private_key_drop() - wipe and free; allowed on PRIVATE_KEY_INIT and twice. */
void private_key_drop(struct private_key *key);
#define cleanup_private_key CLEANUP(private_key_drop)

/*
 * private_key_sign() - ECDSA, with SHA-256 on P-256 and SHA-384 on P-384.
 * @rs: r and s, scalar_len bytes each, big endian
 * Return: 0 or -EIO.
 */
int private_key_sign(
	const struct private_key *key, struct bytes data, uint8_t *rs, struct err *e) MUST_CHECK;

/* private_key_public() - the public point, x and y as in private_key_sign(). Return: 0 or -EIO. */
int private_key_public(const struct private_key *key, uint8_t *xy, struct err *e) MUST_CHECK;

/* private_key_id() - SHA-256 of the public key's SubjectPublicKeyInfo. Return: 0 or -EIO. */
int private_key_id(
	const struct private_key *key, uint8_t id[PRIVATE_KEY_ID], struct err *e) MUST_CHECK;

#endif
