/* SPDX-License-Identifier: Apache-2.0 */
/* `cloister verify tdx-quote`. */
#include "attestation/policy_tdx.h"
#include "attestation/tdx_verify.h"
#include "base/file_map.h"
#include "vmm/cli/cli.h"
#include "vmm/cli/verify.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char usage[] =
	"Usage: cloister verify tdx-quote --quote FILE --tcb-info FILE\n"
	"         --tcb-info-issuer-chain FILE --qe-identity FILE --qe-identity-issuer-chain FILE\n"
	"         --root-ca-crl FILE --pck-crl FILE --trusted-root FILE --at-time EPOCH [FLAGS]\n"
	"\n"
	"Checks a TD quote with collateral from files, as Intel's PCS hands it out, finds the status\n"
	"of the platform's TCB, and checks what the quote claims.\n"
	"\n"
	"  cloister verify tdx-quote --quote q.bin --tcb-info tcb.json \\\n"
	"    --tcb-info-issuer-chain tcb.pem --qe-identity qe.json \\\n"
	"    --qe-identity-issuer-chain tcb.pem --root-ca-crl root.crl --pck-crl platform.crl \\\n"
	"    --trusted-root intel.pem --at-time 1750809600 --policy policy.json\n"
	"  # a digest of `cloister measure --mode tdx`, and statuses to put up with\n"
	"  cloister verify tdx-quote ... --mrtd HEX --accept-status UpToDate,SWHardeningNeeded\n";

static const char notes[] =
	"Exit status: 0 accepted; 1 refused, the reasons are in the JSON object; 2 malformed.\n"
	"Statuses: UpToDate (the default) SWHardeningNeeded ConfigurationNeeded\n"
	"ConfigurationAndSWHardeningNeeded OutOfDate OutOfDateConfigurationNeeded\n"
	"TDRelaunchAdvised TDRelaunchAdvisedConfigurationNeeded; Revoked is never accepted.\n"
	"The policy file is described in docs/verify-policy.md; with one, it decides on statuses and\n"
	"debugging unless flags do too; flags and policy must both be met.\n";

/* What the flags say. */
struct tdx_args {
	const char *quote, *tcb_info, *tcb_chain, *qe_identity, *qe_chain, *pck_chain;
	const char *root_crl, *pck_crl, *root, *policy, *accept;
	const char *mrtd, *rtmr[TDX_QUOTE_RTMRS], *mr_seam, *mr_config_id, *mr_owner;
	const char *mr_owner_config, *mr_servicetd, *report_data, *td_attributes, *xfam;
	uint64_t at_time;
	uint32_t min_number;
	bool has_time, has_number, allow_debug;
};

/* Everything that was read; quote and documents point into the maps. */
struct tdx_inputs {
	struct file_map quote_map, tcb_map, qe_map;
	struct tdx_quote quote;
	struct pcs_doc tcb_info, qe_identity;
	struct cert_list roots, tcb_chain, qe_chain, pck_chain;
	struct crl root_crl, pck_crl;
	struct policy policy;
	int64_t now;
};

static void tdx_inputs_fini(struct tdx_inputs *in)
{
	pcs_doc_fini(&in->tcb_info);
	pcs_doc_fini(&in->qe_identity);
	cert_list_fini(&in->roots);
	cert_list_fini(&in->tcb_chain);
	cert_list_fini(&in->qe_chain);
	cert_list_fini(&in->pck_chain);
	crl_fini(&in->root_crl);
	crl_fini(&in->pck_crl);
	policy_fini(&in->policy);
	file_map_close(&in->quote_map);
	file_map_close(&in->tcb_map);
	file_map_close(&in->qe_map);
}

static int tdx_read_quote(const struct tdx_args *a, struct tdx_inputs *in, struct err *e)
{
	int ret = file_map_open(&in->quote_map, a->quote, e);

	if (!ret && tdx_quote_parse(&in->quote, file_map_bytes(&in->quote_map), e))
		ret = err_context(e, "'%s'", a->quote);
	return ret ?: verify_policy(&in->policy, a->policy, VERIFY_TDX, e);
}

/* tdx_read_document() - a PCS response; the map stays open. */
static int tdx_read_document(struct file_map *map, struct pcs_doc *d, const char *path,
	const char *member, struct err *e)
{
	int ret = file_map_open(map, path, e);

	if (!ret && pcs_doc_parse(d, file_map_bytes(map), member, e))
		ret = err_context(e, "'%s'", path);
	return ret;
}

static int tdx_read(const struct tdx_args *a, struct tdx_inputs *in, struct err *e)
{
	const struct verify_flag needed[] = {
		{"--quote", &a->quote},
		{"--tcb-info", &a->tcb_info},
		{"--tcb-info-issuer-chain", &a->tcb_chain},
		{"--qe-identity", &a->qe_identity},
		{"--qe-identity-issuer-chain", &a->qe_chain},
		{"--root-ca-crl", &a->root_crl},
		{"--pck-crl", &a->pck_crl},
		{"--trusted-root", &a->root},
	};
	int ret = verify_needed(needed, ARRAY_SIZE(needed), e)
		?: verify_time(a->at_time, a->has_time, &in->now, e);

	ret = ret ?: tdx_read_quote(a, in, e);
	ret = ret ?: tdx_read_document(&in->tcb_map, &in->tcb_info, a->tcb_info, "tcbInfo", e);
	ret = ret
		?: tdx_read_document(
			   &in->qe_map, &in->qe_identity, a->qe_identity, "enclaveIdentity", e);
	ret = ret ?: verify_certs(&in->tcb_chain, a->tcb_chain, e);
	ret = ret ?: verify_certs(&in->qe_chain, a->qe_chain, e);
	ret = ret ?: verify_certs(&in->roots, a->root, e);
	ret = ret ?: verify_crl(&in->root_crl, a->root_crl, e);
	ret = ret ?: verify_crl(&in->pck_crl, a->pck_crl, e);
	if (!ret && a->pck_chain)
		ret = verify_certs(&in->pck_chain, a->pck_chain, e);
	return ret;
}

/* tdx_accept_all() - every status but the one that is never accepted. */
static void tdx_accept_all(json_t *list)
{
	for (int s = 0; s < TCB_STATUS_NUM; s++)
		if (s != TCB_REVOKED)
			json_array_append_new(
				list, json_string(tcb_status_name((enum tcb_status)s)));
}

/* tdx_accept() - the names in text between commas. Return: 0 or -EINVAL. */
static int tdx_accept(const char *text, json_t *list, struct err *e)
{
	char name[64];

	if (!strcmp(text, "all")) {
		tdx_accept_all(list);
		return 0;
	}
	for (;;) {
		size_t len = strcspn(text, ",");
		enum tcb_status status;

		snprintf(name, sizeof(name), "%.*s", (int)(len < 63 ? len : 63), text);
		if (!tcb_status_parse(name, &status))
			return err_set(e, EINVAL, "--accept-status: unknown status '%s'", name);
		if (status != TCB_REVOKED)
			json_array_append_new(list, json_string(name));
		if (!text[len])
			return 0;
		text += len + 1;
	}
}

/*
 * tdx_flags_section() - the flags as a policy section; a new reference in *out. Where a policy file
 * decides, the flags that are not given allow everything.
 */
static int tdx_flags_section(const struct tdx_args *a, json_t **out, struct err *e)
{
	const struct verify_flag values[] = {
		{"mrtd", &a->mrtd},
		{"rtmr0", &a->rtmr[0]},
		{"rtmr1", &a->rtmr[1]},
		{"rtmr2", &a->rtmr[2]},
		{"rtmr3", &a->rtmr[3]},
		{"mr_seam", &a->mr_seam},
		{"mr_config_id", &a->mr_config_id},
		{"mr_owner", &a->mr_owner},
		{"mr_owner_config", &a->mr_owner_config},
		{"mr_servicetd", &a->mr_servicetd},
		{"report_data", &a->report_data},
		{"td_attributes", &a->td_attributes},
		{"xfam", &a->xfam},
	};
	json_t *section = json_object(), *accept = json_array();
	int ret = verify_values(section, values, ARRAY_SIZE(values), e)
		?: policy_tdx_check_section(section, e);

	if (a->has_number)
		json_object_set_new(section, "min_evaluation_number", json_integer(a->min_number));
	json_object_set_new(section, "allow_debug", json_boolean(a->allow_debug || a->policy));
	json_object_set_new(section, "accept_status", accept);
	if (a->accept)
		ret = ret ?: tdx_accept(a->accept, accept, e);
	else if (a->policy)
		tdx_accept_all(accept);
	else
		json_array_append_new(accept, json_string(tcb_status_name(TCB_UP_TO_DATE)));
	if (ret)
		json_decref(section);
	else
		*out = section;
	return ret;
}

static json_t *tdx_fields(const struct tdx_quote *q)
{
	json_t *o = json_object(), *rtmr = json_array(), *one;

	json_object_set_new(o, "version", json_integer(q->version));
	verify_hex(o, "tee_tcb_svn", q->tee_tcb_svn, 16);
	verify_hex(o, "mr_seam", q->mr_seam, 48);
	verify_hex(o, "td_attributes", q->td_attributes, 8);
	verify_hex(o, "xfam", q->xfam, 8);
	verify_hex(o, "mrtd", q->mrtd, 48);
	verify_hex(o, "mr_config_id", q->mr_config_id, 48);
	verify_hex(o, "mr_owner", q->mr_owner, 48);
	verify_hex(o, "mr_owner_config", q->mr_owner_config, 48);
	json_object_set_new(o, "rtmr", rtmr);
	for (int i = 0; i < TDX_QUOTE_RTMRS; i++) {
		one = json_object();
		verify_hex(one, "v", q->rtmr[i], 48);
		json_array_append(rtmr, json_object_get(one, "v"));
		json_decref(one);
	}
	verify_hex(o, "report_data", q->report_data, 64);
	verify_hex(o, "tee_tcb_svn2", q->tee_tcb_svn2, 16);
	verify_hex(o, "mr_servicetd", q->mr_servicetd, 48);
	return o;
}

/* tdx_advisories() - those of all levels that were found, each once. */
static json_t *tdx_advisories(const struct tcb_verdict *v)
{
	json_t *list = json_array(), *seen = json_object();

	for (int i = 0; i < TCB_ADVISORY_LISTS; i++)
		for (size_t k = 0; k < json_array_size(v->advisories[i]); k++) {
			json_t *id = json_array_get(v->advisories[i], k);

			if (json_object_get(seen, json_string_value(id)))
				continue;
			json_object_set_new(seen, json_string_value(id), json_true());
			json_array_append(list, id);
		}
	json_decref(seen);
	return list;
}

/* tdx_verify_quote() - inputs are read; judge. Return: the exit status. */
static int tdx_verify_quote(
	const struct options *o, const struct tdx_args *a, const struct tdx_inputs *in)
{
	const struct tdx_collateral collateral = {
		.trust = {&in->roots, &in->root_crl, in->now},
		.pck_crl = &in->pck_crl,
		.pck_chain = a->pck_chain ? &in->pck_chain : NULL,
		.tcb_chain = &in->tcb_chain,
		.qe_chain = &in->qe_chain,
		.tcb_info = &in->tcb_info,
		.qe_identity = &in->qe_identity,
	};
	struct policy_reasons reasons = {.n = 0};
	struct tdx_verdict verdict;
	struct err e = ERR_INIT;
	json_t *flags, *result;

	if (tdx_flags_section(a, &flags, &e))
		return verify_fail(o, &e);
	result = json_object();
	if (tdx_verify(&in->quote, &collateral, &verdict, &e)) {
		json_object_set_new(result, "status", json_null());
		json_object_set_new(result, "advisories", json_array());
		json_object_set_new(result, "fields", json_object());
	} else {
		json_object_set_new(
			result, "status", json_string(tcb_status_name(verdict.tcb.status)));
		json_object_set_new(result, "tcb_evaluation_data_number",
			json_integer(verdict.evaluation_number));
		json_object_set_new(result, "advisories", tdx_advisories(&verdict.tcb));
		json_object_set_new(result, "fields", tdx_fields(&in->quote));
		policy_tdx_check(flags, &in->quote, &verdict, &reasons);
		if (in->policy.tdx)
			policy_tdx_check(in->policy.tdx, &in->quote, &verdict, &reasons);
	}
	json_decref(flags);
	return verify_print(o, &(struct verify_result){result, "error", &e, &reasons});
}

int cli_verify_tdx_quote(int argc, char **argv)
{
	struct tdx_args a = {.quote = NULL};
	struct tdx_inputs in = {.now = 0};
	const struct option_row rows[] = {
		VERIFY_FILE("--quote", &a.quote, "TD quote, version 4 or 5"),
		VERIFY_FILE("--tcb-info", &a.tcb_info, "TCB info as the PCS sent it"),
		VERIFY_FILE("--tcb-info-issuer-chain", &a.tcb_chain, "its signing chain"),
		VERIFY_FILE("--qe-identity", &a.qe_identity, "QE identity as the PCS sent it"),
		VERIFY_FILE("--qe-identity-issuer-chain", &a.qe_chain, "its signing chain"),
		VERIFY_FILE("--root-ca-crl", &a.root_crl, "the root CA's revocation list"),
		VERIFY_FILE("--pck-crl", &a.pck_crl, "the PCK CA's revocation list"),
		VERIFY_FILE("--trusted-root", &a.root, "the Intel SGX Root CA to trust"),
		{"--at-time", OPTION_U64, &a.at_time, &a.has_time, .value = "EPOCH",
			.help = "when all must be valid, in seconds since 1970"},
		VERIFY_FILE("--pck-chain", &a.pck_chain, "PCK chain for a quote without one"),
		{"--accept-status", OPTION_TEXT, &a.accept, .value = "LIST",
			.help = "statuses to accept, between commas, or all"},
		{"--allow-debug", OPTION_SWITCH, &a.allow_debug,
			.help = "accept a TD that the host may debug"},
		VERIFY_HEX("--mrtd", &a.mrtd, "expected MRTD, 48 bytes"),
		VERIFY_HEX("--rtmr0", &a.rtmr[0], "expected RTMR0, 48 bytes; also 1 to 3"),
		VERIFY_HEX("--rtmr1", &a.rtmr[1], "expected RTMR1"),
		VERIFY_HEX("--rtmr2", &a.rtmr[2], "expected RTMR2"),
		VERIFY_HEX("--rtmr3", &a.rtmr[3], "expected RTMR3"),
		VERIFY_HEX("--report-data", &a.report_data, "expected report data, 64 bytes"),
		VERIFY_HEX("--mr-config-id", &a.mr_config_id, "expected MRCONFIGID"),
		VERIFY_HEX("--mr-owner", &a.mr_owner, "expected MROWNER"),
		VERIFY_HEX("--mr-owner-config", &a.mr_owner_config, "expected MROWNERCONFIG"),
		VERIFY_HEX("--mr-seam", &a.mr_seam, "expected measurement of the TDX module"),
		VERIFY_HEX("--mr-servicetd", &a.mr_servicetd, "expected MRSERVICETD (TDX 1.5)"),
		VERIFY_HEX("--td-attributes", &a.td_attributes, "expected attributes, 8 bytes"),
		VERIFY_HEX("--xfam", &a.xfam, "expected XFAM, 8 bytes"),
		{"--min-evaluation-number", OPTION_U32, &a.min_number, &a.has_number, .value = "N",
			.help = "least tcbEvaluationDataNumber of the collateral"},
		VERIFY_FILE("--policy", &a.policy, "JSON of what to expect"),
	};
	const struct options o = {"verify tdx-quote", usage, notes, rows, ARRAY_SIZE(rows)};
	struct err e = ERR_INIT;
	int ret = options_parse(&o, argc, argv, &e);

	if (ret > 0)
		return CLI_OK;
	ret = ret ?: tdx_read(&a, &in, &e);
	ret = ret ? verify_fail(&o, &e) : tdx_verify_quote(&o, &a, &in);
	tdx_inputs_fini(&in);
	return ret;
}
