/* SPDX-License-Identifier: Apache-2.0 */
/*
 * struct pcs_doc: a signed document of Intel's Provisioning Certification Service (PCS API v4,
 * "Get TCB Info", "Get Enclave Identity"): {"<member>":{...},"signature":"<r and s in hex>"}.
 *
 * Invariant: `body` is parsed from exactly the bytes `raw` that the signature covers, as they
 * stand in the response. Nothing is written out again, so what is read is what was signed.
 */
#ifndef ATTESTATION_PCS_DOC_H
#define ATTESTATION_PCS_DOC_H

#include "base/bytes.h"
#include "base/err.h"

#include <jansson.h>
#include <openssl/types.h>

struct pcs_doc {
	json_t *body;     /* the member's object */
	struct bytes raw; /* its text, inside the caller's */
	uint8_t sig[64];
	int64_t issued, next_update; /* seconds since 1970 */
};

#define PCS_DOC_INIT                                                                               \
	{                                                                                          \
		.body = NULL                                                                       \
	}

/* pcs_doc_parse() - read a response. text must outlive d. Return: 0 or -EINVAL. */
int pcs_doc_parse(
	struct pcs_doc *d, struct bytes text, const char *member, struct err *e) MUST_CHECK;

/* pcs_doc_fini() - free it; allowed on PCS_DOC_INIT and twice. */
void pcs_doc_fini(struct pcs_doc *d);
#define cleanup_pcs_doc CLEANUP(pcs_doc_fini)

/*
 * pcs_doc_check() - signed with signer's key and valid at `now`, both ends included.
 * Return: 0, -EBADMSG, -EKEYREJECTED.
 */
int pcs_doc_check(const struct pcs_doc *d, X509 *signer, int64_t now, struct err *e) MUST_CHECK;

/*
 * pcs_doc_span() - find the text of a member of the outermost object.
 * @text: a document that a JSON parser has accepted and that has no member twice
 * Return: its value's text; failed if no member is spelt exactly like name.
 */
struct bytes pcs_doc_span(struct bytes text, const char *name);

#endif
