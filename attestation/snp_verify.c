/* SPDX-License-Identifier: Apache-2.0 */
/* Report against certificate; see attestation/snp_verify.h. */
#include "attestation/snp_verify.h"

#include "attestation/ecdsa.h"

#include <errno.h>
#include <openssl/x509.h>
#include <string.h>

/* check_product() - 56860, "ATTESTATION_REPORT" CPUID_FAM_ID, CPUID_MOD_ID; from version 3 on;
 * before, the certificate alone tells the product */
static int check_product(const struct snp_report *r, const struct vek *v, struct err *e)
{
	const struct snp_product *line = snp_report_product(r);

	if (r->version < 3)
		return 0;
	if (!line)
		return err_set(e, EBADMSG, "CPU family 0x%x model 0x%x is of no known product",
			r->cpuid[0], r->cpuid[1]);
	if (line != v->line)
		return err_set(e, EBADMSG, "the report is of %s, the certificate of %s", line->name,
			v->line->name);
	return 0;
}

/* check_chip() - 57230, hwID: a chip id of zeros is masked (MASK_CHIP_ID), a VLEK has no chip. */
static int check_chip(const struct snp_report *r, const struct vek *v, struct err *e)
{
	static const uint8_t masked[sizeof(r->chip_id)];

	if (v->vlek || !memcmp(r->chip_id, masked, sizeof(masked)))
		return 0;
	if (memcmp(r->chip_id, v->hwid, v->line->hwid_len) != 0)
		return err_set(e, EBADMSG, "the certificate is of another chip");
	return 0;
}

int snp_verify(const struct snp_report *r, const struct vek *v, struct err *e)
{
	int ret = snp_report_check(r, e);

	if (ret)
		return ret;
	if (v->vlek != (r->signing_key == SNP_KEY_VLEK))
		return err_set(e, EBADMSG, "signed with a %s, the certificate is a %s's",
			v->vlek ? "VCEK" : "VLEK", v->vlek ? "VLEK" : "VCEK");
	if (check_product(r, v, e))
		return -e->code;
	/* 57230, section 1: the key is derived from REPORTED_TCB, not from the current one */
	if (memcmp(r->reported_tcb, v->tcb, sizeof(v->tcb)) != 0)
		return err_set(e, EBADMSG, "the certificate is of another TCB than reported");
	if (check_chip(r, v, e))
		return -e->code;
	ret = ecdsa_verify(ECDSA_P384_SHA384, X509_get0_pubkey(v->cert),
		bytes_of(r->raw, SNP_REPORT_SIGNED), r->sig, e);
	return ret ? err_context(e, "report") : 0;
}
