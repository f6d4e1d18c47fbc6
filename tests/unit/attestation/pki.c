/* SPDX-License-Identifier: Apache-2.0 */
/* The tests' certification authority; see pki.h. */
#include "tests/unit/attestation/pki.h"

#include "tests/unit/attestation/pki_rsa_key.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

static void must(bool ok)
{
	if (!ok)
		abort();
}

EVP_PKEY *pki_ec_key(const char *curve)
{
	EVP_PKEY *key = EVP_EC_gen(curve);

	must(key);
	return key;
}

EVP_PKEY *pki_rsa(void)
{
	BIO *bio = BIO_new_mem_buf(pki_rsa_key, -1);
	EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);

	must(key);
	BIO_free(bio);
	return key;
}

static EVP_MD_CTX *signer(EVP_PKEY *key, bool pss, const char *hash, int salt)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *pctx;
	const EVP_MD *md = EVP_get_digestbyname(hash ? hash : pss ? "SHA384" : "SHA256");

	must(EVP_DigestSignInit(ctx, &pctx, md, NULL, key));
	if (pss) {
		must(EVP_PKEY_CTX_set_rsa_padding(pctx, RSA_PKCS1_PSS_PADDING) > 0);
		must(EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx, salt ? salt : 48) > 0);
	}
	return ctx;
}

static void add_ext(X509 *cert, const struct pki_ext *x)
{
	ASN1_OBJECT *oid = OBJ_txt2obj(x->oid, 1);
	ASN1_OCTET_STRING *data = ASN1_OCTET_STRING_new();
	X509_EXTENSION *ext;

	must(ASN1_OCTET_STRING_set(data, x->data, (int)x->len));
	ext = X509_EXTENSION_create_by_OBJ(NULL, oid, x->critical, data);
	must(ext && X509_add_ext(cert, ext, -1));
	X509_EXTENSION_free(ext);
	ASN1_OCTET_STRING_free(data);
	ASN1_OBJECT_free(oid);
}

static void add_conf(X509 *cert, int nid, const char *value)
{
	X509_EXTENSION *ext;

	if (!*value)
		return;
	ext = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
	must(ext && X509_add_ext(cert, ext, -1));
	X509_EXTENSION_free(ext);
}

static void set_name(X509_NAME *name, const char *cn)
{
	must(X509_NAME_add_entry_by_txt(
		name, "O", MBSTRING_ASC, (const uint8_t *)"TEST ONLY", -1, -1, 0));
	must(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const uint8_t *)cn, -1, -1, 0));
}

X509 *pki_cert(const struct pki_spec *s)
{
	X509 *cert = X509_new();
	EVP_MD_CTX *ctx = signer(s->issuer_key ? s->issuer_key : s->key, s->pss, s->hash, s->salt);
	const char *bc = s->ca ? "critical,CA:TRUE" : "critical,CA:FALSE";
	const char *ku = s->ca ? "critical,keyCertSign,cRLSign" : "critical,digitalSignature";

	must(X509_set_version(cert, X509_VERSION_3));
	must(ASN1_INTEGER_set(X509_get_serialNumber(cert), s->serial));
	must(ASN1_TIME_set(X509_getm_notBefore(cert), s->from ? s->from : PKI_NOW - PKI_YEAR) &&
		ASN1_TIME_set(X509_getm_notAfter(cert), s->to ? s->to : PKI_NOW + PKI_YEAR));
	set_name(X509_get_subject_name(cert), s->cn);
	must(X509_set_issuer_name(cert, X509_get_subject_name(s->issuer ? s->issuer : cert)));
	must(X509_set_pubkey(cert, s->key));
	add_conf(cert, NID_basic_constraints, s->constraints ? s->constraints : bc);
	add_conf(cert, NID_key_usage, s->usage ? s->usage : ku);
	for (int i = 0; i < PKI_EXTS && s->exts[i].oid; i++)
		add_ext(cert, &s->exts[i]);
	must(X509_sign_ctx(cert, ctx));
	EVP_MD_CTX_free(ctx);
	return cert;
}

static void crl_revoke(X509_CRL *crl, long serial)
{
	X509_REVOKED *r = X509_REVOKED_new();
	ASN1_INTEGER *n = ASN1_INTEGER_new();
	ASN1_TIME *t = ASN1_TIME_set(NULL, PKI_NOW - PKI_YEAR);

	must(ASN1_INTEGER_set(n, serial) && X509_REVOKED_set_serialNumber(r, n) &&
		X509_REVOKED_set_revocationDate(r, t) && X509_CRL_add0_revoked(crl, r));
	ASN1_TIME_free(t);
	ASN1_INTEGER_free(n);
}

X509_CRL *pki_crl(const struct pki_crl_spec *s)
{
	X509_CRL *crl = X509_CRL_new();
	EVP_MD_CTX *ctx = signer(s->key, s->pss, NULL, 0);
	ASN1_TIME *from = ASN1_TIME_set(NULL, s->from ? s->from : PKI_NOW - PKI_YEAR);
	ASN1_TIME *to = ASN1_TIME_set(NULL, s->to ? s->to : PKI_NOW + PKI_YEAR);

	must(X509_CRL_set_version(crl, X509_CRL_VERSION_2));
	must(X509_CRL_set_issuer_name(crl, X509_get_subject_name(s->issuer)));
	must(X509_CRL_set1_lastUpdate(crl, from));
	must(s->no_end || X509_CRL_set1_nextUpdate(crl, to));
	if (s->revoked)
		crl_revoke(crl, s->revoked);
	if (s->critical_oid) {
		ASN1_OBJECT *oid = OBJ_txt2obj(s->critical_oid, 1);
		ASN1_OCTET_STRING *data = ASN1_OCTET_STRING_new();
		X509_EXTENSION *ext;

		must(ASN1_OCTET_STRING_set(data, (const uint8_t *)"\x05\0", 2));
		ext = X509_EXTENSION_create_by_OBJ(NULL, oid, 1, data);
		must(ext && X509_CRL_add_ext(crl, ext, -1));
		X509_EXTENSION_free(ext);
		ASN1_OCTET_STRING_free(data);
		ASN1_OBJECT_free(oid);
	}
	if (s->part) {
		X509_EXTENSION *ext =
			X509V3_EXT_conf_nid(NULL, NULL, NID_issuing_distribution_point, s->part);

		must(ext && X509_CRL_add_ext(crl, ext, -1));
		X509_EXTENSION_free(ext);
	}
	must(X509_CRL_sort(crl) && X509_CRL_sign_ctx(crl, ctx));
	EVP_MD_CTX_free(ctx);
	ASN1_TIME_free(from);
	ASN1_TIME_free(to);
	return crl;
}

void pki_sign_raw(EVP_PKEY *key, const char *hash, struct bytes data, uint8_t *out, size_t len)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t der[160];
	const uint8_t *at = der;
	size_t der_len = sizeof(der);
	ECDSA_SIG *sig;

	must(EVP_DigestSignInit_ex(ctx, NULL, hash, NULL, NULL, key, NULL) &&
		EVP_DigestSign(ctx, der, &der_len, data.at, data.left));
	sig = d2i_ECDSA_SIG(NULL, &at, (long)der_len);
	must(sig && BN_bn2binpad(ECDSA_SIG_get0_r(sig), out, (int)len) > 0 &&
		BN_bn2binpad(ECDSA_SIG_get0_s(sig), out + len, (int)len) > 0);
	ECDSA_SIG_free(sig);
	EVP_MD_CTX_free(ctx);
}

void pki_point(EVP_PKEY *key, uint8_t *out, size_t len)
{
	BIGNUM *x = NULL, *y = NULL;

	must(EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_EC_PUB_X, &x) &&
		EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_EC_PUB_Y, &y));
	must(BN_bn2binpad(x, out, (int)len) > 0 && BN_bn2binpad(y, out + len, (int)len) > 0);
	BN_free(x);
	BN_free(y);
}

void pki_pem(char *buf, size_t size, size_t *len, X509 *const *certs, int n)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *text;
	long text_len;

	for (int i = 0; i < n; i++)
		must(PEM_write_bio_X509(bio, certs[i]));
	text_len = BIO_get_mem_data(bio, &text);
	must(*len + (size_t)text_len <= size);
	memcpy(buf + *len, text, (size_t)text_len);
	*len += (size_t)text_len;
	BIO_free(bio);
}
