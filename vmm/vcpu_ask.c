/* SPDX-License-Identifier: Apache-2.0 */
/* What a guest asks for its attestation; see vmm/vcpu_ask.h. What is not answered is not there. */
#include "vmm/vcpu_ask.h"

#include "vmm/certs.h"
#include "vmm/hv/snp.h"
#include "vmm/hv/tdx.h"
#include "vmm/hv/tdx_abi.h"
#include "vmm/quotes.h"
#include "vmm/vcpu.h"

static void ask_certs(struct vcpu *v, const struct hv_exit *exit)
{
	const struct certs *c = v->env->certs;

	if (c)
		hv_snp_answer_certs(
			v->hv, certs_give(c, exit->certs.gpa, exit->certs.pages), certs_pages(c));
}

static void ask_quote(struct vcpu *v, const struct hv_exit *exit)
{
	struct quotes *q = v->env->quotes;

	if (q)
		hv_tdx_answer(v->hv, quotes_ask(q, exit->quote.gpa, exit->quote.len));
}

static void ask_notify(struct vcpu *v, const struct hv_exit *exit)
{
	if (!v->env->quotes)
		return;
	quotes_notify(v->env->quotes, v->index, exit->vector);
	hv_tdx_answer(v->hv, HV_TDVMCALL_SUCCESS);
}

void vcpu_ask(struct vcpu *v, const struct hv_exit *exit)
{
	if (exit->kind == HV_EXIT_CERTS)
		ask_certs(v, exit);
	else if (exit->kind == HV_EXIT_QUOTE)
		ask_quote(v, exit);
	else
		ask_notify(v, exit);
}
