/* SPDX-License-Identifier: Apache-2.0 */
/* Verification of a TD quote; see attestation/tdx_verify.h. */
#include "attestation/tdx_verify.h"

#include "attestation/digest.h"
#include "attestation/ecdsa.h"
#include "attestation/pck.h"
#include "attestation/qe_identity.h"

#include <errno.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#define QE_REPORT_DATA 320 /* offset in an SGX report body */

/* verify_document() - a chain that ends in the TCB signing certificate, and what it signed. */
static int verify_document(const struct tdx_collateral *c, const struct cert_list *chain,
	const struct pcs_doc *doc, struct err *e)
{
	X509 *signer;

	return intel_chain_check_signer(&c->trust, chain, &signer, e)
		?: pcs_doc_check(doc, signer, c->trust.now, e);
}

/* verify_platform() - TDX DCAP Quoting Library API, 4.1: the TCB info is of this platform. */
static int verify_platform(const struct tcb_info *info, const struct pck *pck, struct err *e)
{
	if (memcmp(info->fmspc, pck->fmspc, sizeof(pck->fmspc)) != 0)
		return err_set(e, EBADMSG, "the TCB info is of another platform family (FMSPC)");
	if (memcmp(info->pceid, pck->pceid, sizeof(pck->pceid)) != 0)
		return err_set(e, EBADMSG, "the TCB info is of another PCE (PCEID)");
	return 0;
}

/* verify_qe_report() - signed by the PCK; vouches for the attestation key (A.3.11). */
static int verify_qe_report(const struct tdx_quote *q, const struct pck *pck, struct err *e)
{
	cleanup_digest struct digest d = DIGEST_INIT;
	uint8_t hash[DIGEST_SHA256_LEN];
	int ret = ecdsa_verify(ECDSA_P256_SHA256, X509_get0_pubkey(pck->cert),
		bytes_of(q->qe_report, QE_REPORT_LEN), q->qe_report_sig, e);

	if (ret)
		return ret;
	ret = digest_init(&d, DIGEST_SHA256, e);
	if (ret)
		return ret;
	digest_update(&d, q->attest_key, ECDSA_P256_LEN);
	digest_update(&d, q->qe_auth.at, q->qe_auth.left);
	ret = digest_final(&d, hash, e);
	if (ret)
		return ret;
	if (memcmp(hash, q->qe_report + QE_REPORT_DATA, sizeof(hash)) != 0)
		return err_set(e, EBADMSG, "it does not vouch for the attestation key");
	return 0;
}

/* verify_signatures() - PCK -> QE report -> attestation key -> quote, and the enclave itself. */
static int verify_signatures(const struct tdx_quote *q, const struct pck *pck,
	const struct qe_identity *qe, const struct tcb_svn_level **level, struct err *e)
{
	if (verify_qe_report(q, pck, e))
		return err_context(e, "report of the quoting enclave");
	if (qe_identity_check(qe, q->qe_report, level, e))
		return -e->code;
	if (ecdsa_verify_point(ECDSA_P256_SHA256, q->attest_key, q->signed_part, q->signature, e))
		return err_context(e, "quote");
	return 0;
}

/* verify_pck() - the chain in the quote or the one beside it. The certificate is chain's. */
static int verify_pck(const struct tdx_quote *q, const struct tdx_collateral *c,
	struct cert_list *chain, struct pck *pck, struct err *e)
{
	const struct cert_list *use = c->pck_chain;
	X509 *cert;

	if (q->cert_type == TDX_CERT_PEM) {
		if (cert_list_parse(chain, q->cert_data, e))
			return err_context(e, "PCK chain of the quote");
		use = chain;
	}
	if (!use)
		return err_set(e, EBADMSG, "the quote carries no PCK chain and none is given");
	if (intel_chain_check_pck(&c->trust, use, c->pck_crl, &cert, e) || pck_parse(pck, cert, e))
		return err_context(e, "PCK chain");
	return 0;
}

/* verify_documents() - signatures first: nothing of an unsigned document is read. */
static int verify_documents(const struct tdx_collateral *c, struct tcb_info *info,
	struct qe_identity *qe, struct err *e)
{
	if (verify_document(c, c->tcb_chain, c->tcb_info, e) ||
		tcb_info_parse(info, c->tcb_info->body, e))
		return err_context(e, "TCB info");
	if (verify_document(c, c->qe_chain, c->qe_identity, e) ||
		qe_identity_parse(qe, c->qe_identity->body, e))
		return err_context(e, "QE identity");
	return 0;
}

int tdx_verify(const struct tdx_quote *q, const struct tdx_collateral *c, struct tdx_verdict *out,
	struct err *e)
{
	cleanup_cert_list struct cert_list chain = CERT_LIST_INIT;
	cleanup_free struct tcb_info *info = malloc(sizeof(*info));
	cleanup_free struct qe_identity *qe = malloc(sizeof(*qe));
	struct tcb_platform platform = {.info = info};
	struct pck pck;
	int ret;

	if (!info || !qe)
		return err_set(e, ENOMEM, "out of memory");
	ret = intel_chain_check_root(&c->trust, e) ?: verify_pck(q, c, &chain, &pck, e);
	ret = ret ?: verify_documents(c, info, qe, e);
	ret = ret ?: verify_platform(info, &pck, e);
	ret = ret ?: verify_signatures(q, &pck, qe, &platform.qe, e);
	if (ret)
		return ret;
	platform.pck = &pck;
	platform.svn = q->tee_tcb_svn;
	platform.svn2 = q->tee_tcb_svn2;
	platform.mrsigner_seam = q->mrsigner_seam;
	platform.seam_attributes = q->seam_attributes;
	out->evaluation_number = info->evaluation_number < qe->evaluation_number
		? info->evaluation_number
		: qe->evaluation_number;
	return tcb_eval(&platform, &out->tcb, e);
}
