/* SPDX-License-Identifier: Apache-2.0 */
/*
 * struct crl: a certificate revocation list (RFC 5280 section 5), PEM or DER.
 *
 * A list that does not verify, is not valid at the given time, or covers less than it should
 * (delta, indirect, some reasons only) is refused, never ignored.
 */
#ifndef ATTESTATION_CRL_H
#define ATTESTATION_CRL_H

#include "attestation/cert.h"

#define CRL_BYTES (4u * 1024u * 1024u) /* larger inputs are refused unread */

struct crl {
	X509_CRL *list; /* NULL: none */
};

#define CRL_INIT                                                                                   \
	{                                                                                          \
		.list = NULL                                                                       \
	}

/* crl_parse() - read one list. Return: 0 or -EINVAL. */
int crl_parse(struct crl *c, struct bytes text, struct err *e) MUST_CHECK;

/* crl_fini() - free it; allowed on CRL_INIT and twice. */
void crl_fini(struct crl *c);
#define cleanup_crl CLEANUP(crl_fini)

/*
 * crl_check() - the list is issuer's, signed with alg, and `now` lies in its period, both ends
 * included. The issuer itself must have been checked as a CA.
 * Return: 0 or -EKEYREJECTED.
 */
int crl_check(const struct crl *c, X509 *issuer, enum cert_alg alg, int64_t now,
	struct err *e) MUST_CHECK;

/* crl_check_cert() - a checked list does not list cert. Return: 0 or -EKEYREVOKED. */
int crl_check_cert(const struct crl *c, X509 *cert, struct err *e) MUST_CHECK;

#endif
