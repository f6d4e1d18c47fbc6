/* SPDX-License-Identifier: Apache-2.0 */
/*
 * struct digest: SHA-256 or SHA-384 over OpenSSL's EVP, made for many small messages: the
 * algorithm is fetched and the context allocated once, each message after that costs neither.
 *
 * Invariants: after digest_init() and after each digest_final() a new message begins. A failure
 * inside libcrypto is sticky and comes out of digest_final(); the digest is never half valid.
 */
#ifndef ATTESTATION_DIGEST_H
#define ATTESTATION_DIGEST_H

#include "base/attr.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

#define DIGEST_SHA256_LEN 32
#define DIGEST_SHA384_LEN 48
#define DIGEST_MAX_LEN    48

enum digest_kind { DIGEST_SHA256, DIGEST_SHA384 };

struct evp_md_ctx_st; /* libcrypto's EVP_MD_CTX */

struct digest {
	struct evp_md_ctx_st *ctx;
	bool failed;
};

#define DIGEST_INIT                                                                                \
	{                                                                                          \
		.ctx = NULL                                                                        \
	}

/*
 * digest_setup() - prepare libcrypto for this process without reading its configuration file,
 * which costs milliseconds and could load foreign engines, and with memory that is wiped when it is
 * freed. Safe to call again. digest_init() calls it; whoever uses other parts of libcrypto before
 * calls it first.
 */
void digest_setup(void);

/* digest_init() - make a hash of the given kind. Return: 0 or -ENOMEM. */
int digest_init(struct digest *d, enum digest_kind kind, struct err *e) MUST_CHECK;

/* digest_fini() - free it; allowed on DIGEST_INIT and twice. */
void digest_fini(struct digest *d);
#define cleanup_digest CLEANUP(digest_fini)

/* digest_update() - hash len more bytes of the message. */
void digest_update(struct digest *d, const void *data, size_t len);

/*
 * digest_final() - end the message and begin the next one.
 * @out: 32 or 48 bytes, as the kind has; zeros on failure
 * Return: 0, or -EIO if libcrypto failed at any step of the message.
 */
int digest_final(struct digest *d, void *out, struct err *e) MUST_CHECK;

/*
 * digest_peek() - what digest_final() would give now; the message goes on. Costs an allocation.
 * Return: 0, -ENOMEM or -EIO.
 */
int digest_peek(const struct digest *d, void *out, struct err *e) MUST_CHECK;

/* digest_of() - hash one message: init, update, final, fini. Return: 0, -ENOMEM or -EIO. */
int digest_of(
	enum digest_kind kind, const void *data, size_t len, void *out, struct err *e) MUST_CHECK;

#endif
