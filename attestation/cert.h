/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules for one certificate and for one step of a chain, stricter than libcrypto's own path
 * building: the chain's shape and its signature algorithm are given, nothing is searched for.
 *
 * No clock is read. Times are seconds since 1970.
 */
#ifndef ATTESTATION_CERT_H
#define ATTESTATION_CERT_H

#include "base/bytes.h"
#include "base/err.h"

#include <openssl/types.h>
#include <stdbool.h>

/* The one signature algorithm that a vendor's certificates and CRLs use. */
enum cert_alg {
	CERT_PSS_SHA384,   /* AMD: RSASSA-PSS, SHA-384, MGF1 of SHA-384, salt 48; keys RSA-4096 */
	CERT_ECDSA_SHA256, /* Intel: ECDSA with SHA-256; keys P-256 */
};

/* cert_name() - Return: the first common name of a certificate's subject, "" if there is none. */
const char *cert_name(const X509 *cert, char *out, size_t size);

/* cert_epoch() - Return: 0 and the time in *out, or -EINVAL if it is not a time. */
int cert_epoch(const ASN1_TIME *t, int64_t *out) MUST_CHECK;

/*
 * cert_alg_check() - the algorithm and all of its parameters are alg's.
 * Return: 0 or -EKEYREJECTED.
 */
int cert_alg_check(const X509_ALGOR *found, enum cert_alg alg, struct err *e) MUST_CHECK;

/*
 * cert_check() - what every certificate of a chain must fulfil on its own: X.509 version 3, valid
 * at `now` (both ends included), no critical extension that nobody here understands, and it is a
 * CA with the right to sign certificates, or not a CA, as asked.
 * Return: 0 or -EKEYREJECTED.
 */
int cert_check(X509 *cert, int64_t now, bool ca, struct err *e) MUST_CHECK;

/*
 * cert_check_issued() - cert is signed with alg by issuer, whose name it gives and whose path
 * length allows `below` CAs under it.
 * Return: 0 or -EKEYREJECTED.
 */
int cert_check_issued(
	X509 *cert, X509 *issuer, enum cert_alg alg, long below, struct err *e) MUST_CHECK;

/*
 * cert_extension() - find the one extension with this object identifier.
 * @oid: its content octets in DER, oid_len of them
 * @value: the bytes inside its OCTET STRING; they belong to cert
 * Return: 0; -ENOENT if there is none; -EINVAL if there are two.
 */
int cert_extension(
	const X509 *cert, const uint8_t *oid, size_t oid_len, struct bytes *value) MUST_CHECK;

#endif
