/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signing JSON: a JSON Web Signature (RFC 7515) in its flattened JSON form, with ES256 or ES384
 * (RFC 7518 section 3.4), so that any JOSE library can verify it.
 */
#ifndef ATTESTATION_JWS_H
#define ATTESTATION_JWS_H

#include "base/bytes.h"
#include "base/err.h"

/*
 * jws_sign() - sign a payload. The protected header names the algorithm and, as "kid", the
 * SHA-256 of the public key (its SubjectPublicKeyInfo).
 * @key: PEM text of an unencrypted private key on P-256 or P-384
 * @out: the JSON text without a newline, the caller's to free
 * Return: 0; -EINVAL for another key, -ENOMEM, -EIO.
 */
int jws_sign(char **out, struct bytes payload, struct bytes key, struct err *e) MUST_CHECK;

#endif
