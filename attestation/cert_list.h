/* SPDX-License-Identifier: Apache-2.0 */
/*
 * struct cert_list: certificates read from a file or from a quote, in the order they stand in:
 * one in DER, or one or more in PEM.
 *
 * Reading is strict: a PEM block of another kind, an encrypted or cut one, bytes after a DER
 * certificate and more certificates than there is room for are errors. Nothing in a list is
 * trusted for being there.
 */
#ifndef ATTESTATION_CERT_LIST_H
#define ATTESTATION_CERT_LIST_H

#include "base/bytes.h"
#include "base/err.h"

#include <openssl/types.h>
#include <stdbool.h>

#define CERT_LIST_MAX   8             /* certificates in one list */
#define CERT_LIST_BYTES (64u * 1024u) /* larger inputs are refused unread */

struct cert_list {
	X509 *certs[CERT_LIST_MAX];
	unsigned int n; /* at least 1 after cert_list_parse() */
};

#define CERT_LIST_INIT                                                                             \
	{                                                                                          \
		.n = 0                                                                             \
	}

/*
 * cert_list_parse() - read PEM or DER certificates; zero bytes after PEM text are allowed.
 * Return: 0, or -EINVAL; the list is then empty.
 */
int cert_list_parse(struct cert_list *l, struct bytes text, struct err *e) MUST_CHECK;

/* cert_list_fini() - free the certificates; allowed on CERT_LIST_INIT and twice. */
void cert_list_fini(struct cert_list *l);
#define cleanup_cert_list CLEANUP(cert_list_fini)

/* cert_list_has() - Return: true if this very certificate is in the list. */
bool cert_list_has(const struct cert_list *l, const X509 *cert);

/*
 * cert_list_pem_block() - read the next PEM block of text, which must be of the given kind.
 * @der: the block's bytes, to be freed with OPENSSL_free()
 * Return: 0; -ENOENT if there is no further block; -EINVAL if what follows is damaged or foreign.
 */
int cert_list_pem_block(BIO *text, const char *kind, uint8_t **der, long *len) MUST_CHECK;

#endif
