/* SPDX-License-Identifier: Apache-2.0 */
/* pcs_doc_parse() and tcb_info_parse(): spans lie in the text, levels are in order. */
#include "attestation/pcs_doc.h"
#include "attestation/tcb_info.h"

#include "tests/fuzz/fuzz.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	cleanup_pcs_doc struct pcs_doc d = PCS_DOC_INIT;
	static struct tcb_info info;
	struct err e = ERR_INIT;

	if (pcs_doc_parse(&d, bytes_of(data, len), "tcbInfo", &e)) {
		assert(e.code && e.text[0] && !d.body);
		return 0;
	}
	assert(d.raw.at > data && d.raw.at + d.raw.left < data + len);
	assert(d.raw.at[0] == '{' && d.raw.at[d.raw.left - 1] == '}');
	if (tcb_info_parse(&info, d.body, &e))
		return 0;
	assert(info.n_levels && info.n_levels <= TCB_LEVELS_MAX);
	for (unsigned int i = 1; i < info.n_levels; i++)
		assert(memcmp(info.levels[i - 1].sgx, info.levels[i].sgx, TCB_COMPONENTS) >= 0);
	for (int v = 0; v < 256; v++) {
		const struct tcb_module *m = tcb_info_module(&info, (uint8_t)v);

		assert(!m || m->version == v);
	}
	return 0;
}
