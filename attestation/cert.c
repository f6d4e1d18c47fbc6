/* SPDX-License-Identifier: Apache-2.0 */
/* One certificate, one step of a chain; see attestation/cert.h. */
#include "attestation/cert.h"

#include "attestation/utc.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <time.h>

#define CERT_NAME_MAX 128

const char *cert_name(const X509 *cert, char *out, size_t size)
{
	out[0] = 0;
	if (X509_NAME_get_text_by_NID(X509_get_subject_name(cert), NID_commonName, out, (int)size) <
		0)
		out[0] = 0;
	for (char *c = out; *c; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
	return out;
}

int cert_epoch(const ASN1_TIME *t, int64_t *out)
{
	struct tm tm;

	if (!t || !ASN1_TIME_to_tm(t, &tm))
		return -EINVAL;
	return utc_epoch(&(struct utc){tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour,
				 tm.tm_min, tm.tm_sec},
		out);
}

/* cert_pss_check() - RFC 4055 section 3.1 with the values of AMD 57230 section 2. */
static bool cert_pss_check(const X509_ALGOR *found)
{
	const ASN1_OBJECT *oid;
	const void *value;
	RSA_PSS_PARAMS *p;
	X509_ALGOR *mgf_hash = NULL;
	int type;
	bool ok = false;

	X509_ALGOR_get0(&oid, &type, &value, found);
	if (OBJ_obj2nid(oid) != NID_rsassaPss || type != V_ASN1_SEQUENCE)
		return false;
	p = ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(RSA_PSS_PARAMS), found->parameter);
	if (p && p->hashAlgorithm && p->maskGenAlgorithm && p->saltLength) {
		X509_ALGOR_get0(&oid, NULL, NULL, p->hashAlgorithm);
		ok = OBJ_obj2nid(oid) == NID_sha384;
		X509_ALGOR_get0(&oid, NULL, NULL, p->maskGenAlgorithm);
		ok &= OBJ_obj2nid(oid) == NID_mgf1;
		mgf_hash = ASN1_TYPE_unpack_sequence(
			ASN1_ITEM_rptr(X509_ALGOR), p->maskGenAlgorithm->parameter);
		ok &= mgf_hash && OBJ_obj2nid(mgf_hash->algorithm) == NID_sha384;
		ok &= ASN1_INTEGER_get(p->saltLength) == 48;
		ok &= !p->trailerField || ASN1_INTEGER_get(p->trailerField) == 1;
	}
	X509_ALGOR_free(mgf_hash);
	RSA_PSS_PARAMS_free(p);
	ERR_clear_error();
	return ok;
}

int cert_alg_check(const X509_ALGOR *found, enum cert_alg alg, struct err *e)
{
	const ASN1_OBJECT *oid;

	if (alg == CERT_PSS_SHA384) {
		if (cert_pss_check(found))
			return 0;
		return err_set(e, EKEYREJECTED, "not signed with RSASSA-PSS, SHA-384, salt 48");
	}
	X509_ALGOR_get0(&oid, NULL, NULL, found);
	if (OBJ_obj2nid(oid) == NID_ecdsa_with_SHA256)
		return 0;
	return err_set(e, EKEYREJECTED, "not signed with ECDSA and SHA-256");
}

/* cert_check_time() - RFC 5280 section 4.1.2.5: both ends are part of the period. */
static int cert_check_time(const X509 *cert, int64_t now, struct err *e)
{
	int64_t from, to;

	if (cert_epoch(X509_get0_notBefore(cert), &from) ||
		cert_epoch(X509_get0_notAfter(cert), &to))
		return err_set(e, EKEYREJECTED, "its period of validity is no time");
	if (now < from)
		return err_set(e, EKEYREJECTED, "not valid yet at the given time");
	if (now > to)
		return err_set(e, EKEYREJECTED, "expired at the given time");
	return 0;
}

int cert_check(X509 *cert, int64_t now, bool ca, struct err *e)
{
	uint32_t flags = X509_get_extension_flags(cert); /* reads the extensions, once */
	char name[CERT_NAME_MAX];
	int is_ca = X509_check_ca(cert);

	ERR_clear_error();
	cert_name(cert, name, sizeof(name));
	if (X509_get_version(cert) != X509_VERSION_3 || flags & EXFLAG_INVALID)
		return err_set(
			e, EKEYREJECTED, "certificate '%s' is not a sound X.509v3 one", name);
	if (flags & EXFLAG_CRITICAL)
		return err_set(e, EKEYREJECTED,
			"certificate '%s' has an unknown critical extension", name);
	/* 1: basic constraints say CA, and the key usage, if there is one, allows to certify */
	if (ca && is_ca != 1)
		return err_set(e, EKEYREJECTED, "certificate '%s' is not a CA's", name);
	if (!ca && (is_ca || flags & EXFLAG_CA)) /* also one that may not use it */
		return err_set(e, EKEYREJECTED, "certificate '%s' is a CA's", name);
	if (!ca && !(X509_get_key_usage(cert) & KU_DIGITAL_SIGNATURE))
		return err_set(e, EKEYREJECTED, "certificate '%s' is not for signatures", name);
	if (cert_check_time(cert, now, e))
		return err_context(e, "certificate '%s'", name);
	return 0;
}

/* cert_key_fits() - an issuer's key is of the one kind and size that the vendor uses. */
static bool cert_key_fits(const EVP_PKEY *key, enum cert_alg alg)
{
	if (alg == CERT_PSS_SHA384)
		return EVP_PKEY_is_a(key, "RSA") && EVP_PKEY_get_bits(key) == 4096;
	return EVP_PKEY_is_a(key, "EC") && EVP_PKEY_get_bits(key) == 256;
}

int cert_check_issued(X509 *cert, X509 *issuer, enum cert_alg alg, long below, struct err *e)
{
	char name[CERT_NAME_MAX];
	const X509_ALGOR *found;
	EVP_PKEY *key = X509_get0_pubkey(issuer);
	long path = X509_get_pathlen(issuer);
	int ok;

	cert_name(cert, name, sizeof(name));
	X509_get0_signature(NULL, &found, cert);
	if (cert_alg_check(found, alg, e))
		return err_context(e, "certificate '%s'", name);
	if (X509_NAME_cmp(X509_get_issuer_name(cert), X509_get_subject_name(issuer)) != 0)
		return err_set(e, EKEYREJECTED, "certificate '%s' is of another issuer", name);
	if (path >= 0 && path < below)
		return err_set(e, EKEYREJECTED, "certificate '%s' is too far from its root", name);
	if (!key || !cert_key_fits(key, alg))
		return err_set(
			e, EKEYREJECTED, "the issuer of '%s' has a key of a wrong kind", name);
	ok = X509_verify(cert, key) == 1;
	ERR_clear_error();
	if (!ok)
		return err_set(e, EKEYREJECTED, "certificate '%s': wrong signature", name);
	return 0;
}

int cert_extension(const X509 *cert, const uint8_t *oid, size_t oid_len, struct bytes *value)
{
	int found = 0;

	for (int i = 0; i < X509_get_ext_count(cert); i++) {
		X509_EXTENSION *x = X509_get_ext(cert, i);
		const ASN1_OBJECT *obj = X509_EXTENSION_get_object(x);
		const ASN1_OCTET_STRING *data = X509_EXTENSION_get_data(x);

		if (OBJ_length(obj) != oid_len || memcmp(OBJ_get0_data(obj), oid, oid_len) != 0)
			continue;
		*value = bytes_of(ASN1_STRING_get0_data(data), (size_t)ASN1_STRING_length(data));
		found++;
	}
	if (found > 1)
		return -EINVAL;
	return found ? 0 : -ENOENT;
}
