/* SPDX-License-Identifier: Apache-2.0 */
/* pcs_doc_parse() and qe_identity_parse(), and a report against what was read. */
#include "attestation/pcs_doc.h"
#include "attestation/qe_identity.h"

#include "tests/fuzz/fuzz.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const uint8_t report[QE_REPORT_LEN];
	cleanup_pcs_doc struct pcs_doc d = PCS_DOC_INIT;
	const struct tcb_svn_level *level;
	struct err e = ERR_INIT;
	struct qe_identity id;

	if (pcs_doc_parse(&d, bytes_of(data, len), "enclaveIdentity", &e)) {
		assert(e.code && e.text[0] && !d.body);
		return 0;
	}
	if (qe_identity_parse(&id, d.body, &e))
		return 0;
	assert(id.levels.n && id.levels.n <= TCB_SVN_LEVELS_MAX);
	if (!qe_identity_check(&id, report, &level, &e))
		assert(level->isvsvn == 0);
	return 0;
}
