/* SPDX-License-Identifier: Apache-2.0 */
/* Intel's chains; see attestation/intel_chain.h. */
#include "attestation/intel_chain.h"

#include <errno.h>
#include <openssl/x509.h>
#include <string.h>

#define CHAIN_LONGEST 3

/* Intel SGX PCK Certificate and CRL Profile Specification, section 1: common names */
static const char root_name[] = "Intel SGX Root CA";
static const char signer_name[] = "Intel SGX TCB Signing";
static const char pck_name[] = "Intel SGX PCK Certificate";
static const char platform_name[] = "Intel SGX PCK Platform CA";
static const char processor_name[] = "Intel SGX PCK Processor CA";

static bool has_name(const X509 *cert, const char *phrase)
{
	char name[128];

	return strstr(cert_name(cert, name, sizeof(name)), phrase) != NULL;
}

static bool issued_by(const X509 *cert, const X509 *issuer)
{
	return !X509_NAME_cmp(X509_get_issuer_name(cert), X509_get_subject_name(issuer));
}

/* find_child() - Return: the one certificate below issuer; NULL if there is none or two. */
static X509 *find_child(const struct cert_list *chain, const X509 *issuer)
{
	X509 *found = NULL;

	for (unsigned int i = 0; i < chain->n; i++) {
		X509 *cert = chain->certs[i];

		if (cert == issuer || issued_by(cert, cert) || !issued_by(cert, issuer))
			continue;
		if (found)
			return NULL;
		found = cert;
	}
	return found;
}

static X509 *find_root(const struct cert_list *chain)
{
	X509 *found = NULL;

	for (unsigned int i = 0; i < chain->n; i++) {
		if (!issued_by(chain->certs[i], chain->certs[i]))
			continue;
		if (found)
			return NULL;
		found = chain->certs[i];
	}
	return found;
}

/* chain_order() - sort a chain of exactly n by names: out[0] is the root. */
static int chain_order(const struct cert_list *chain, unsigned int n, X509 **out, struct err *e)
{
	if (chain->n != n)
		return err_set(e, EKEYREJECTED, "a chain of %u certificates, not %u", chain->n, n);
	out[0] = find_root(chain);
	for (unsigned int i = 0; i < n; i++) {
		if (!out[i])
			return err_set(e, EKEYREJECTED, "the certificates do not make a chain");
		if (i + 1 < n)
			out[i + 1] = find_child(chain, out[i]);
	}
	return 0;
}

/* check_root() - trusted, self-signed and valid: RFC 5280 section 6.1.1 (d). */
static int check_root(const struct intel_trust *t, X509 *root, struct err *e)
{
	if (!cert_list_has(t->roots, root))
		return err_set(e, EKEYREJECTED, "the chain's root is not the trusted root");
	if (!has_name(root, root_name))
		return err_set(e, EKEYREJECTED, "the root is not named '%s'", root_name);
	return cert_check(root, t->now, true, e)
		?: cert_check_issued(root, root, CERT_ECDSA_SHA256, 1, e);
}

int intel_chain_check_root(const struct intel_trust *t, struct err *e)
{
	for (unsigned int i = 0; i < t->roots->n; i++) {
		X509 *root = t->roots->certs[i];

		if (X509_NAME_cmp(X509_get_subject_name(root),
			    X509_CRL_get_issuer(t->root_crl->list)) != 0)
			continue;
		if (!check_root(t, root, e) &&
			!crl_check(t->root_crl, root, CERT_ECDSA_SHA256, t->now, e))
			return crl_check_cert(t->root_crl, root, e);
		return err_context(e, "root CA");
	}
	return err_set(e, EKEYREJECTED, "the root CA's revocation list is not the trusted root's");
}

/* check_below_root() - RFC 5280 sections 6.1.3 and 6.3.3: the chain's root is the one whose list is
 * at hand, and signed cert. */
static int check_below_root(const struct intel_trust *t, X509 **order, bool ca, struct err *e)
{
	X509 *root = order[0], *cert = order[1];

	if (!cert_list_has(t->roots, root))
		return err_set(e, EKEYREJECTED, "the chain's root is not the trusted root");
	if (X509_NAME_cmp(X509_get_subject_name(root), X509_CRL_get_issuer(t->root_crl->list)) != 0)
		return err_set(e, EKEYREJECTED, "the root CA's revocation list is not this root's");
	return cert_check(cert, t->now, ca, e)
		?: cert_check_issued(cert, root, CERT_ECDSA_SHA256, ca ? 1 : 0, e)
		?: crl_check_cert(t->root_crl, cert, e);
}

int intel_chain_check_signer(
	const struct intel_trust *t, const struct cert_list *chain, X509 **signer, struct err *e)
{
	X509 *order[CHAIN_LONGEST];
	int ret = chain_order(chain, 2, order, e);

	if (ret)
		return ret;
	*signer = order[1];
	if (!has_name(*signer, signer_name))
		return err_set(e, EKEYREJECTED, "the signer is not named '%s'", signer_name);
	return check_below_root(t, order, false, e);
}

int intel_chain_check_pck(const struct intel_trust *t, const struct cert_list *chain,
	const struct crl *pck_crl, X509 **pck, struct err *e)
{
	X509 *order[CHAIN_LONGEST], *ca;
	int ret = chain_order(chain, 3, order, e);

	if (ret)
		return ret;
	ca = order[1];
	*pck = order[2];
	if (!has_name(*pck, pck_name))
		return err_set(e, EKEYREJECTED, "the leaf is not named '%s'", pck_name);
	if (!has_name(ca, platform_name) && !has_name(ca, processor_name))
		return err_set(e, EKEYREJECTED, "the intermediate is no PCK CA");
	return check_below_root(t, order, true, e)
		?: cert_check(*pck, t->now, false, e)
		?: cert_check_issued(*pck, ca, CERT_ECDSA_SHA256, 0, e)
		?: crl_check(pck_crl, ca, CERT_ECDSA_SHA256, t->now, e)
		?: crl_check_cert(pck_crl, *pck, e);
}
