/* SPDX-License-Identifier: Apache-2.0 */
/* From SVNs to a TCB status; see attestation/tcb_eval.h. */
#include "attestation/tcb_eval.h"

#include "attestation/pck.h"

#include <errno.h>
#include <string.h>

static bool svns_meet(const uint8_t *have, const uint8_t *need, int first)
{
	for (int i = first; i < TCB_COMPONENTS; i++)
		if (have[i] < need[i])
			return false;
	return true;
}

int tcb_eval_module(const struct tcb_platform *p, const struct tcb_module **module, struct err *e)
{
	static const uint8_t zero[8];

	/* byte 1 is the module's version; 0 is the first generation, described by tdxModule */
	*module = tcb_info_module(p->info, p->svn[1]);
	if (!*module)
		return err_set(
			e, EBADMSG, "TDX module: the TCB info does not know TDX_%02X", p->svn[1]);
	if (memcmp(p->mrsigner_seam, (*module)->mrsigner, sizeof((*module)->mrsigner)) != 0)
		return err_set(e, EBADMSG, "TDX module: MRSIGNERSEAM differs from its identity");
	/* attributes of a production module are all zero, whatever the mask says */
	if (memcmp(p->seam_attributes, zero, sizeof(zero)) != 0 ||
		memcmp(p->seam_attributes, (*module)->attributes, sizeof(zero)) != 0)
		return err_set(e, EBADMSG, "TDX module: SEAMATTRIBUTES differ or are not zero");
	return 0;
}

/*
 * find_levels() - PCS API v4, "Get TCB Info", how to find the status of a TDX platform: compare SGX
 * components, then PCESVN, then TDX components, level by level. The first level whose SGX
 * components and PCESVN are met is the SGX level; the first of those whose TDX components are met
 * too is the TDX level. Components 0 and 1 of a module with a version have levels of their own and
 * do not count here.
 */
static void find_levels(
	const struct tcb_platform *p, const struct tcb_level **sgx, const struct tcb_level **tdx)
{
	*sgx = *tdx = NULL;
	for (unsigned int i = 0; i < p->info->n_levels && !*tdx; i++) {
		const struct tcb_level *l = &p->info->levels[i];

		if (!svns_meet(p->pck->sgx_svn, l->sgx, 0) || p->pck->pcesvn < l->pcesvn)
			continue;
		if (!*sgx)
			*sgx = l;
		if (svns_meet(p->svn, l->tdx, p->svn[1] ? 2 : 0))
			*tdx = l;
	}
}

/* converge() - PCS API v4, "Get TCB Info" and "Get TD QE Identity", last step: what a module's or
 * an enclave's level does to the platform's status. */
static enum tcb_status converge(enum tcb_status status, enum tcb_status part)
{
	if (part == TCB_REVOKED)
		return TCB_REVOKED;
	if (part == TCB_UP_TO_DATE)
		return status;
	switch (status) {
	case TCB_UP_TO_DATE:
	case TCB_SW_HARDENING_NEEDED:
		return TCB_OUT_OF_DATE;
	case TCB_CONFIGURATION_NEEDED:
	case TCB_CONFIGURATION_AND_SW_HARDENING_NEEDED:
		return TCB_OUT_OF_DATE_CONFIGURATION_NEEDED;
	default:
		return status;
	}
}

/* newest_met() - the module that runs now (tee_tcb_svn2) is as new as the newest there is. */
static int newest_met(const struct tcb_platform *p, bool *met, struct err *e)
{
	const struct tcb_level *newest = &p->info->levels[0];
	const struct tcb_module *module = tcb_info_module(p->info, p->svn2[1]);
	uint32_t need = newest->tdx[0];

	if (!module)
		return err_set(
			e, EBADMSG, "TDX module: the TCB info does not know TDX_%02X", p->svn2[1]);
	if (module->version)
		need = module->levels.at[0].isvsvn;
	*met = p->svn2[0] >= need && p->svn2[2] >= newest->tdx[2];
	return 0;
}

/*
 * check_relaunch() - only TDX 1.5: everything is current but the module that launched the TD, which
 * was updated under it. TDX DCAP Quoting Library API, 4.3, "TD relaunch advised".
 */
static int check_relaunch(const struct tcb_platform *p, enum tcb_status sgx, enum tcb_status module,
	enum tcb_status *status, struct err *e)
{
	bool met = false;
	int ret;

	if (!p->svn2 || p->qe->status != TCB_UP_TO_DATE || module != TCB_OUT_OF_DATE)
		return 0;
	if (sgx != TCB_UP_TO_DATE && sgx != TCB_SW_HARDENING_NEEDED &&
		sgx != TCB_CONFIGURATION_NEEDED && sgx != TCB_CONFIGURATION_AND_SW_HARDENING_NEEDED)
		return 0;
	if (*status != TCB_OUT_OF_DATE && *status != TCB_OUT_OF_DATE_CONFIGURATION_NEEDED)
		return 0;
	ret = newest_met(p, &met, e);
	if (ret || !met)
		return ret;
	*status = tcb_status_needs_configuration(sgx) || tcb_status_needs_configuration(*status)
		? TCB_TD_RELAUNCH_ADVISED_CONFIGURATION_NEEDED
		: TCB_TD_RELAUNCH_ADVISED;
	return 0;
}

int tcb_eval(const struct tcb_platform *p, struct tcb_verdict *out, struct err *e)
{
	const struct tcb_level *sgx, *tdx;
	const struct tcb_module *module;
	const struct tcb_svn_level *level = NULL;
	enum tcb_status module_status = TCB_UP_TO_DATE;
	int ret = tcb_eval_module(p, &module, e);

	if (ret)
		return ret;
	find_levels(p, &sgx, &tdx);
	if (!tdx)
		return err_set(e, EBADMSG, "the platform is below every %s TCB level",
			sgx ? "TDX" : "SGX");
	if (module->version) {
		level = tcb_svn_levels_find(&module->levels, p->svn[0]);
		if (!level)
			return err_set(e, EBADMSG, "TDX module: SVN %u is below every TCB level",
				p->svn[0]);
		module_status = level->status;
	}
	*out = (struct tcb_verdict){
		.status = converge(tdx->status, module_status),
		.advisories = {tdx->advisories, level ? level->advisories : NULL,
			p->qe->advisories},
	};
	ret = check_relaunch(p, sgx->status, module_status, &out->status, e);
	out->status = converge(out->status, p->qe->status);
	return ret;
}
