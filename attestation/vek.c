/* SPDX-License-Identifier: Apache-2.0 */
/* VCEK and VLEK certificates; see attestation/vek.h. */
#include "attestation/vek.h"

#include "attestation/der.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>

/* 1.3.6.1.4.1.3704.1, to be followed by one or two numbers below 128 (57230, section 3.1) */
#define AMD_ARC 0x2b, 0x06, 0x01, 0x04, 0x01, 0x9c, 0x78, 0x01

enum { EXT_STRUCT_VERSION = 1, EXT_PRODUCT = 2, EXT_SPL = 3, EXT_HWID = 4, EXT_CSP_ID = 5 };

/* vek_ext() - the extension AMD_ARC.n, or AMD_ARC.n.sub. Return: as cert_extension(). */
static int vek_ext(const struct vek *v, uint8_t n, uint8_t sub, struct bytes *value)
{
	const uint8_t oid[] = {AMD_ARC, n, sub};

	return cert_extension(v->cert, oid, sub ? sizeof(oid) : sizeof(oid) - 1, value);
}

/* vek_text() - an IA5String extension of 1 to size-1 printable characters. Return: 0, -EINVAL. */
static int vek_text(const struct vek *v, uint8_t n, char *out, size_t size)
{
	struct bytes value, text;

	if (vek_ext(v, n, 0, &value) || der_take(&value, DER_IA5STRING, &text) || value.left)
		return -EINVAL;
	if (!text.left || text.left >= size)
		return -EINVAL;
	for (size_t i = 0; i < text.left; i++)
		if (text.at[i] < ' ' || text.at[i] > '~')
			return -EINVAL;
	memcpy(out, text.at, text.left);
	out[text.left] = 0;
	return 0;
}

/* vek_tcb() - the extensions 3.N: one SPL per byte; those of reserved bytes may be absent. */
static int vek_tcb(struct vek *v)
{
	for (int i = 0; i < SNP_TCB_LEN; i++) {
		bool needed = false;
		struct bytes value;
		uint32_t spl = 0;
		int ret = vek_ext(v, EXT_SPL, v->line->tcb_ext[i], &value);

		for (int s = 0; s < SNP_SPL_NUM; s++)
			needed |= v->line->spl_byte[s] == i;
		if (ret == -ENOENT && !needed)
			continue;
		if (ret || der_uint(&value, UINT8_MAX, &spl) || value.left)
			return -EINVAL;
		v->tcb[i] = (uint8_t)spl;
	}
	return 0;
}

/* vek_identity() - a VCEK names its chip, a VLEK its provider (57230, "VLEK certificate"). */
static int vek_identity(struct vek *v, struct err *e)
{
	char csp[256];
	struct bytes hwid;
	int has_hwid = vek_ext(v, EXT_HWID, 0, &hwid);
	int has_csp = vek_ext(v, EXT_CSP_ID, 0, &(struct bytes){0});

	v->vlek = has_csp == 0;
	if (v->vlek && has_hwid == -ENOENT)
		return vek_text(v, EXT_CSP_ID, csp, sizeof(csp))
			? err_set(e, EINVAL, "the provider of the VLEK is not text")
			: 0;
	if (has_csp != -ENOENT || has_hwid)
		return err_set(e, EINVAL, "the certificate is neither a VCEK's nor a VLEK's");
	if (hwid.left != v->line->hwid_len)
		return err_set(e, EINVAL, "the hardware id has %zu bytes, %s has %u", hwid.left,
			v->line->name, v->line->hwid_len);
	memcpy(v->hwid, hwid.at, hwid.left);
	return 0;
}

/* vek_check_name() - the subject is what KDS writes: SEV-VCEK or SEV-VLEK. */
static int vek_check_name(const struct vek *v, struct err *e)
{
	char name[64];

	cert_name(v->cert, name, sizeof(name));
	if (strcmp(name, v->vlek ? "SEV-VLEK" : "SEV-VCEK") != 0)
		return err_set(e, EINVAL, "the certificate is named '%s', not SEV-%s", name,
			v->vlek ? "VLEK" : "VCEK");
	return 0;
}

int vek_parse(struct vek *v, X509 *cert, struct err *e)
{
	struct bytes value;
	uint32_t layout;

	*v = (struct vek){.cert = cert};
	if (vek_ext(v, EXT_STRUCT_VERSION, 0, &value) || der_uint(&value, 1, &layout) || value.left)
		return err_set(e, EINVAL, "the certificate is no VCEK or VLEK of a known layout");
	if (vek_text(v, EXT_PRODUCT, v->product, sizeof(v->product)))
		return err_set(e, EINVAL, "the certificate names no product");
	v->line = snp_product_by_name(v->product);
	if (!v->line)
		return err_set(e, EINVAL, "product '%s' is unknown", v->product);
	if (vek_tcb(v))
		return err_set(
			e, EINVAL, "the certificate's TCB extensions are not %s's", v->line->name);
	return vek_identity(v, e) ?: vek_check_name(v, e);
}

/*
 * chain_split() - tell ARK (self-issued) and ASK apart. Two equal names would let the order of the
 * file decide, so exactly one of them must be self-issued.
 */
static int chain_split(const struct cert_list *chain, X509 **ask, X509 **ark, struct err *e)
{
	bool first, second;

	if (chain->n != 2)
		return err_set(e, EKEYREJECTED, "the chain has %u certificates, not ASK and ARK",
			chain->n);
	first = !X509_NAME_cmp(
		X509_get_subject_name(chain->certs[0]), X509_get_issuer_name(chain->certs[0]));
	second = !X509_NAME_cmp(
		X509_get_subject_name(chain->certs[1]), X509_get_issuer_name(chain->certs[1]));
	if (first == second)
		return err_set(e, EKEYREJECTED, "the chain is not one ASK or ASVK and one ARK");
	*ark = chain->certs[first ? 0 : 1];
	*ask = chain->certs[first ? 1 : 0];
	return 0;
}

/* chain_check_names() - ARK-Milan -> SEV-Milan or SEV-VLEK-Milan -> product Milan (57230, 2). */
static int chain_check_names(const struct vek *v, X509 *ask, X509 *ark, struct err *e)
{
	char name[64], want[64];

	cert_name(ark, name, sizeof(name));
	snprintf(want, sizeof(want), "ARK-%s", v->line->name);
	if (strcmp(name, want) != 0)
		return err_set(e, EKEYREJECTED, "product %s under root '%s'", v->product, name);
	cert_name(ask, name, sizeof(name));
	snprintf(want, sizeof(want), "SEV-%s", v->line->name);
	if (!strcmp(name, want))
		return 0;
	snprintf(want, sizeof(want), "SEV-VLEK-%s", v->line->name);
	if (v->vlek && !strcmp(name, want))
		return 0;
	return err_set(e, EKEYREJECTED, "product %s under intermediate '%s'", v->product, name);
}

static int chain_check_crl(const struct crl *crl, X509 *ask, X509 *ark, int64_t now, struct err *e)
{
	return crl_check(crl, ark, CERT_PSS_SHA384, now, e) ?: crl_check_cert(crl, ask, e)
		?: crl_check_cert(crl, ark, e);
}

int vek_check_chain(const struct vek *v, const struct vek_chain *c, struct err *e)
{
	X509 *ask = NULL, *ark = NULL;
	int ret = chain_split(c->chain, &ask, &ark, e);

	if (ret)
		return ret;
	if (!cert_list_has(c->roots, ark))
		return err_set(e, EKEYREJECTED, "the chain's ARK is not the trusted root");
	ret = cert_check(ark, c->now, true, e)
		?: cert_check_issued(ark, ark, CERT_PSS_SHA384, 1, e);
	ret = ret ?: cert_check(ask, c->now, true, e);
	ret = ret ?: cert_check_issued(ask, ark, CERT_PSS_SHA384, 1, e);
	ret = ret ?: cert_check(v->cert, c->now, false, e);
	ret = ret ?: cert_check_issued(v->cert, ask, CERT_PSS_SHA384, 0, e);
	ret = ret ?: chain_check_names(v, ask, ark, e);
	if (!ret && c->crl)
		ret = chain_check_crl(c->crl, ask, ark, c->now, e);
	return ret;
}
