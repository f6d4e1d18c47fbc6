/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A certification authority for tests: keys, certificates, revocation lists and raw signatures,
 * made at run time. Everything aborts on failure; what is returned is the caller's to free.
 */
#ifndef TESTS_UNIT_ATTESTATION_PKI_H
#define TESTS_UNIT_ATTESTATION_PKI_H

#include "base/bytes.h"

#include <openssl/types.h>
#include <stdbool.h>

#define PKI_NOW  INT64_C(1800000000) /* what certificates made here are valid at */
#define PKI_YEAR INT64_C(31536000)
#define PKI_EXTS 16

struct pki_ext {
	const char *oid; /* dotted */
	const void *data;
	size_t len;
	bool critical;
};

/* How a certificate differs from a sound one of its place. */
struct pki_spec {
	const char *cn;
	EVP_PKEY *key;
	X509 *issuer; /* NULL: self-signed */
	EVP_PKEY *issuer_key;
	long serial;
	bool ca;
	const char *constraints, *usage; /* NULL: as `ca` says; "": no such extension */
	int64_t from, to;                /* 0: a year to each side of PKI_NOW */
	bool pss;                        /* AMD's algorithm, else Intel's */
	int salt;                        /* 0: 48 */
	const char *hash;                /* NULL: the vendor's */
	struct pki_ext exts[PKI_EXTS];   /* up to the first without oid */
};

struct pki_crl_spec {
	X509 *issuer;
	EVP_PKEY *key;
	long revoked; /* serial, 0: none */
	int64_t from, to;
	bool pss, no_end;
	const char *critical_oid; /* a critical extension, or NULL */
	const char *part;         /* issuing distribution point: "onlyuser:TRUE", or NULL */
};

EVP_PKEY *pki_ec_key(const char *curve);
EVP_PKEY *pki_rsa(void);
X509 *pki_cert(const struct pki_spec *s);
X509_CRL *pki_crl(const struct pki_crl_spec *s);

/* pki_sign_raw() - ECDSA over data: r and s, len bytes each, big endian. */
void pki_sign_raw(EVP_PKEY *key, const char *hash, struct bytes data, uint8_t *out, size_t len);

/* pki_point() - x and y of an EC key, len bytes each. */
void pki_point(EVP_PKEY *key, uint8_t *out, size_t len);

/* pki_pem() - append certificates to buf, which has *len of size bytes in use. */
void pki_pem(char *buf, size_t size, size_t *len, X509 *const *certs, int n);

#endif
