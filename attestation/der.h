/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A strict reader of DER (X.690 section 10): definite, minimal lengths and one-byte tags only. It
 * reads the extensions that AMD and Intel put into their certificates; everything else of X.509 is
 * libcrypto's.
 */
#ifndef ATTESTATION_DER_H
#define ATTESTATION_DER_H

#include "base/attr.h"
#include "base/bytes.h"

#define DER_INTEGER    0x02
#define DER_OCTETS     0x04
#define DER_OID        0x06
#define DER_ENUMERATED 0x0a
#define DER_IA5STRING  0x16
#define DER_SEQUENCE   0x30

/*
 * der_take() - read one element of the given tag and step over it.
 * @content: its content octets, a part of b's bytes
 * Return: 0, or -EINVAL if something else stands there; b is not usable then.
 */
int der_take(struct bytes *b, uint8_t tag, struct bytes *content) MUST_CHECK;

/*
 * der_uint() - read an INTEGER that is not negative and at most max, and step over it.
 * Return: 0 or -EINVAL.
 */
int der_uint(struct bytes *b, uint32_t max, uint32_t *out) MUST_CHECK;

/* der_octets() - read an OCTET STRING of exactly len bytes into out. Return: 0 or -EINVAL. */
int der_octets(struct bytes *b, void *out, size_t len) MUST_CHECK;

#endif
