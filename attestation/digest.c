/* SPDX-License-Identifier: Apache-2.0 */
/* Hashing; see attestation/digest.h. */
#include "attestation/digest.h"

#include "attestation/wiped_memory.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <string.h>

void digest_setup(void)
{
	wiped_memory_install(); /* counts the first time only: afterwards libcrypto has memory */
	OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_ADD_ALL_CIPHERS, NULL);
}

int digest_init(struct digest *d, enum digest_kind kind, struct err *e)
{
	EVP_MD *md;

	*d = (struct digest)DIGEST_INIT;
	digest_setup();
	md = EVP_MD_fetch(NULL, kind == DIGEST_SHA256 ? "SHA256" : "SHA384", NULL);
	d->ctx = EVP_MD_CTX_new();
	if (!md || !d->ctx || !EVP_DigestInit_ex2(d->ctx, md, NULL)) {
		digest_fini(d);
		EVP_MD_free(md);
		return err_set(e, ENOMEM, "libcrypto cannot make a hash");
	}
	EVP_MD_free(md); /* the context keeps its own reference */
	return 0;
}

void digest_fini(struct digest *d)
{
	EVP_MD_CTX_free(d->ctx);
	*d = (struct digest)DIGEST_INIT;
}

void digest_update(struct digest *d, const void *data, size_t len)
{
	if (len && !EVP_DigestUpdate(d->ctx, data, len))
		d->failed = true;
}

int digest_final(struct digest *d, void *out, struct err *e)
{
	size_t len = (size_t)EVP_MD_CTX_get_size(d->ctx);
	bool failed = d->failed;

	failed |= !EVP_DigestFinal_ex(d->ctx, out, NULL);
	d->failed = !EVP_DigestInit_ex2(d->ctx, NULL, NULL);
	if (!failed)
		return 0;
	memset(out, 0, len);
	return err_set(e, EIO, "libcrypto failed to hash");
}

int digest_peek(const struct digest *d, void *out, struct err *e)
{
	cleanup_digest struct digest copy = {.ctx = EVP_MD_CTX_new(), .failed = d->failed};

	if (!copy.ctx || !EVP_MD_CTX_copy_ex(copy.ctx, d->ctx))
		return err_set(e, ENOMEM, "libcrypto cannot copy a hash");
	return digest_final(&copy, out, e);
}

int digest_of(enum digest_kind kind, const void *data, size_t len, void *out, struct err *e)
{
	cleanup_digest struct digest d = DIGEST_INIT;
	int ret = digest_init(&d, kind, e);

	if (ret)
		return ret;
	digest_update(&d, data, len);
	return digest_final(&d, out, e);
}
