/* SPDX-License-Identifier: Apache-2.0 */
/* Reading certificates; see attestation/cert_list.h. */
#include "attestation/cert_list.h"

#include "attestation/digest.h"

#include <errno.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <string.h>

int cert_list_pem_block(BIO *text, const char *kind, uint8_t **der, long *len)
{
	char *name = NULL, *header = NULL;
	int ret = 0;

	if (!PEM_read_bio(text, &name, &header, der, len)) {
		unsigned long why = ERR_peek_last_error();

		ERR_clear_error();
		return ERR_GET_REASON(why) == PEM_R_NO_START_LINE ? -ENOENT : -EINVAL;
	}
	/* RFC 1421 headers belong to encrypted blocks, RFC 7468 certificates have none */
	if (strcmp(name, kind) != 0 || header[0]) {
		OPENSSL_free(*der);
		ret = -EINVAL;
	}
	OPENSSL_free(name);
	OPENSSL_free(header);
	return ret;
}

/* cert_list_add() - append the certificate that der holds and nothing else. Return: 0, -EINVAL. */
static int cert_list_add(struct cert_list *l, const uint8_t *der, long len)
{
	const uint8_t *at = der;
	X509 *cert;

	if (l->n == CERT_LIST_MAX)
		return -EINVAL;
	cert = d2i_X509(NULL, &at, len);
	ERR_clear_error();
	if (!cert)
		return -EINVAL;
	l->certs[l->n++] = cert;
	return at == der + len ? 0 : -EINVAL;
}

static int cert_list_add_pem(struct cert_list *l, struct bytes text)
{
	BIO *bio;
	uint8_t *der;
	long len;
	int ret;

	while (text.left && !text.at[text.left - 1])
		text.left--;
	if (memchr(text.at, 0, text.left))
		return -EINVAL;
	bio = BIO_new_mem_buf(text.at, (int)text.left);
	if (!bio)
		return -ENOMEM;
	while (!(ret = cert_list_pem_block(bio, PEM_STRING_X509, &der, &len))) {
		ret = cert_list_add(l, der, len);
		OPENSSL_free(der);
		if (ret)
			break;
	}
	BIO_free(bio);
	return ret == -ENOENT && l->n ? 0 : -EINVAL;
}

int cert_list_parse(struct cert_list *l, struct bytes text, struct err *e)
{
	int ret = -EINVAL;

	*l = (struct cert_list)CERT_LIST_INIT;
	digest_setup();
	if (text.left > CERT_LIST_BYTES)
		return err_set(e, EINVAL, "more than %u bytes of certificates", CERT_LIST_BYTES);
	if (text.left && text.at[0] == 0x30) /* a SEQUENCE: DER */
		ret = cert_list_add(l, text.at, (long)text.left);
	else if (text.left)
		ret = cert_list_add_pem(l, text);
	if (!ret)
		return 0;
	cert_list_fini(l);
	return err_set(e, EINVAL, "not a certificate in DER nor 1 to %u in PEM", CERT_LIST_MAX);
}

void cert_list_fini(struct cert_list *l)
{
	for (unsigned int i = 0; i < l->n; i++)
		X509_free(l->certs[i]);
	l->n = 0;
}

bool cert_list_has(const struct cert_list *l, const X509 *cert)
{
	for (unsigned int i = 0; i < l->n; i++)
		if (!X509_cmp(l->certs[i], cert))
			return true;
	return false;
}
