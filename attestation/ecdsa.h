/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ECDSA with signatures and keys as plain big-endian numbers, as attestation formats have them.
 * r and s must lie in [1, n-1] and a public key must be a point of its curve; libcrypto checks
 * both, and a failure is a refusal like a wrong signature.
 */
#ifndef ATTESTATION_ECDSA_H
#define ATTESTATION_ECDSA_H

#include "base/bytes.h"
#include "base/err.h"

#include <openssl/types.h>

enum ecdsa_kind {
	ECDSA_P256_SHA256, /* numbers of 32 bytes */
	ECDSA_P384_SHA384, /* numbers of 48 bytes */
};

#define ECDSA_P256_LEN 64 /* r and s, or x and y */
#define ECDSA_P384_LEN 96

/*
 * ecdsa_verify() - sig is the signature of message under a key of exactly this kind's curve.
 * @sig: r and s
 * Return: 0, -EKEYREJECTED for a key of another kind, -EBADMSG for a wrong signature, -ENOMEM.
 */
int ecdsa_verify(enum ecdsa_kind kind, EVP_PKEY *key, struct bytes message, const uint8_t *sig,
	struct err *e) MUST_CHECK;

/* ecdsa_verify_point() - as ecdsa_verify(), with a public key of x and y. Return: as there. */
int ecdsa_verify_point(enum ecdsa_kind kind, const uint8_t *xy, struct bytes message,
	const uint8_t *sig, struct err *e) MUST_CHECK;

#endif
