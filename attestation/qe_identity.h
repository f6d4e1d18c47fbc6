/* SPDX-License-Identifier: Apache-2.0 */
/*
 * struct qe_identity: what Intel's TD quoting enclave is (PCS API v4, "Get TD QE Identity",
 * version 2, id "TD_QE"), and the SGX report of the enclave that made a quote.
 */
#ifndef ATTESTATION_QE_IDENTITY_H
#define ATTESTATION_QE_IDENTITY_H

#include "attestation/tcb_info.h"
#include "base/bytes.h"

#define QE_REPORT_LEN 384

struct qe_identity {
	uint8_t miscselect[4], miscselect_mask[4]; /* little endian, as in the report */
	uint8_t attributes[16], attributes_mask[16];
	uint8_t mrsigner[32];
	uint32_t isvprodid;
	uint32_t evaluation_number;
	struct tcb_svn_levels levels;
};

/* qe_identity_parse() - read an enclaveIdentity object, which must outlive id. Return: 0, -EINVAL.
 */
int qe_identity_parse(struct qe_identity *id, const json_t *body, struct err *e) MUST_CHECK;

/*
 * qe_identity_check() - the report is of this enclave, and which level it has.
 * @report: QE_REPORT_LEN bytes, its signature verified already
 * @level: belongs to id
 * Return: 0, or -EBADMSG if it is another enclave or below every level.
 */
int qe_identity_check(const struct qe_identity *id, const uint8_t *report,
	const struct tcb_svn_level **level, struct err *e) MUST_CHECK;

#endif
