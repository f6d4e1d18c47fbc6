/* SPDX-License-Identifier: Apache-2.0 */
/* Revocation lists; see attestation/crl.h. */
#include "attestation/crl.h"

#include "attestation/cert_list.h"
#include "attestation/digest.h"

#include <errno.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <string.h>

static int crl_parse_der(struct crl *c, const uint8_t *der, long len)
{
	const uint8_t *at = der;

	c->list = d2i_X509_CRL(NULL, &at, len);
	ERR_clear_error();
	return c->list && at == der + len ? 0 : -EINVAL;
}

/* crl_parse_pem() - exactly one block. */
static int crl_parse_pem(struct crl *c, struct bytes text)
{
	uint8_t *der = NULL, *more = NULL;
	BIO *bio;
	long len;
	int ret = -EINVAL;

	if (memchr(text.at, 0, text.left))
		return -EINVAL;
	bio = BIO_new_mem_buf(text.at, (int)text.left);
	if (!bio)
		return -ENOMEM;
	if (!cert_list_pem_block(bio, PEM_STRING_X509_CRL, &der, &len)) {
		ret = crl_parse_der(c, der, len);
		OPENSSL_free(der);
	}
	if (!ret) {
		ret = cert_list_pem_block(bio, PEM_STRING_X509_CRL, &more, &len);
		if (!ret)
			OPENSSL_free(more);
		ret = ret == -ENOENT ? 0 : -EINVAL;
	}
	BIO_free(bio);
	return ret;
}

int crl_parse(struct crl *c, struct bytes text, struct err *e)
{
	int ret = -EINVAL;

	*c = (struct crl)CRL_INIT;
	digest_setup();
	if (text.left > CRL_BYTES)
		return err_set(e, EINVAL, "more than %u bytes of revocation list", CRL_BYTES);
	if (text.left && text.at[0] == 0x30) /* a SEQUENCE: DER */
		ret = crl_parse_der(c, text.at, (long)text.left);
	else if (text.left)
		ret = crl_parse_pem(c, text);
	if (!ret)
		return 0;
	crl_fini(c);
	return err_set(e, EINVAL, "not a certificate revocation list");
}

void crl_fini(struct crl *c)
{
	X509_CRL_free(c->list);
	c->list = NULL;
}

/* crl_check_time() - RFC 5280 section 5.1.2.4 and .5; a list without an end has no end: refused. */
static int crl_check_time(const X509_CRL *list, int64_t now, struct err *e)
{
	int64_t from, to;

	if (cert_epoch(X509_CRL_get0_lastUpdate(list), &from) ||
		cert_epoch(X509_CRL_get0_nextUpdate(list), &to))
		return err_set(e, EKEYREJECTED, "revocation list without a period of validity");
	if (now < from)
		return err_set(e, EKEYREJECTED, "revocation list not valid yet at the given time");
	if (now > to)
		return err_set(e, EKEYREJECTED, "revocation list expired at the given time");
	return 0;
}

/*
 * crl_is_whole() - RFC 5280 section 5.2: all certificates of its issuer and all reasons; no
 * critical extension that changes what an entry means.
 */
static bool crl_is_whole(X509_CRL *list)
{
	STACK_OF(X509_REVOKED) *entries = X509_CRL_get_REVOKED(list);
	ISSUING_DIST_POINT *idp;
	int critical = -1;
	bool whole;

	idp = X509_CRL_get_ext_d2i(list, NID_issuing_distribution_point, &critical, NULL);
	/* -1: there is none; -2: two, or (>= 0 and no object) damaged */
	whole = idp || critical == -1;
	if (idp)
		whole = idp->onlyuser <= 0 && idp->indirectCRL <= 0 && idp->onlyattr <= 0 &&
			!idp->onlysomereasons;
	ISSUING_DIST_POINT_free(idp);
	whole &= X509_CRL_get_ext_by_NID(list, NID_delta_crl, -1) < 0;
	for (int at = -1; (at = X509_CRL_get_ext_by_critical(list, 1, at)) >= 0;)
		whole &= OBJ_obj2nid(X509_EXTENSION_get_object(X509_CRL_get_ext(list, at))) ==
			NID_issuing_distribution_point;
	for (int i = 0; i < sk_X509_REVOKED_num(entries); i++)
		whole &= X509_REVOKED_get_ext_by_critical(
				 sk_X509_REVOKED_value(entries, i), 1, -1) < 0;
	ERR_clear_error();
	return whole;
}

int crl_check(const struct crl *c, X509 *issuer, enum cert_alg alg, int64_t now, struct err *e)
{
	const X509_ALGOR *found;
	EVP_PKEY *key = X509_get0_pubkey(issuer);
	int ok;

	X509_CRL_get0_signature(c->list, NULL, &found);
	if (cert_alg_check(found, alg, e))
		return err_context(e, "revocation list");
	if (X509_NAME_cmp(X509_CRL_get_issuer(c->list), X509_get_subject_name(issuer)) != 0)
		return err_set(e, EKEYREJECTED, "revocation list of another issuer");
	if (!(X509_get_key_usage(issuer) & KU_CRL_SIGN))
		return err_set(e, EKEYREJECTED, "revocation list: its issuer may not sign lists");
	if (!crl_is_whole(c->list))
		return err_set(e, EKEYREJECTED, "revocation list covers only a part");
	ok = key && X509_CRL_verify(c->list, key) == 1;
	ERR_clear_error();
	if (!ok)
		return err_set(e, EKEYREJECTED, "revocation list: wrong signature");
	return crl_check_time(c->list, now, e);
}

int crl_check_cert(const struct crl *c, X509 *cert, struct err *e)
{
	STACK_OF(X509_REVOKED) *entries = X509_CRL_get_REVOKED(c->list);
	char name[128];

	/* any entry counts, also one that a later list would take back (removeFromCRL) */
	for (int i = 0; i < sk_X509_REVOKED_num(entries); i++)
		if (!ASN1_INTEGER_cmp(
			    X509_REVOKED_get0_serialNumber(sk_X509_REVOKED_value(entries, i)),
			    X509_get0_serialNumber(cert)))
			return err_set(e, EKEYREVOKED, "certificate '%s' is revoked",
				cert_name(cert, name, sizeof(name)));
	return 0;
}
