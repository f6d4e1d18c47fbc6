/* SPDX-License-Identifier: Apache-2.0 */
/* `cloister verify snp-report` and `cloister verify snp-certs`. */
#include "attestation/policy_snp.h"
#include "attestation/snp_verify.h"
#include "base/file_map.h"
#include "vmm/cli/cli.h"
#include "vmm/cli/verify.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char report_usage[] =
	"Usage: cloister verify snp-report --report FILE --vek FILE --chain FILE\n"
	"         --trusted-root FILE --at-time EPOCH [FLAGS]\n"
	"\n"
	"Checks that an attestation report was signed by the VCEK or VLEK of an AMD chip, and what\n"
	"it claims. Without --policy and --no-debug a genuine report is accepted whatever its guest\n"
	"policy allows the host.\n"
	"\n"
	"  cloister verify snp-report --report r.bin --vek vcek.der --chain cert_chain.pem \\\n"
	"    --trusted-root ark.pem --at-time 1788220800 --policy policy.json\n"
	"  # the digest of `cloister measure`, and a nonce in the report data\n"
	"  cloister verify snp-report ... --measurement HEX --report-data HEX --min-tcb snp=22\n";

static const char certs_usage[] =
	"Usage: cloister verify snp-certs --vek FILE --chain FILE --trusted-root FILE\n"
	"         --at-time EPOCH [--crl FILE]\n"
	"\n"
	"Checks the certificates of a chip without a report, and prints what they say.\n"
	"\n"
	"  cloister verify snp-certs --vek vcek.der --chain cert_chain.pem \\\n"
	"    --trusted-root ark.pem --at-time 1788220800 | jq .fields.spl\n";

static const char notes[] =
	"Exit status: 0 accepted; 1 refused, the reasons are in the JSON object; 2 malformed.\n"
	"The policy file is described in docs/verify-policy.md; flags and policy must both be met.\n";

/* What the flags say. */
struct snp_args {
	const char *report, *vek, *chain, *root, *crl, *policy;
	const char *report_data, *measurement, *host_data, *id_key, *author_key, *family, *image;
	const char *min_tcb;
	uint64_t at_time;
	uint32_t min_guest_svn, max_vmpl;
	bool has_time, has_svn, has_vmpl, no_debug;
};

/* Everything that was read; the lists own what vek points at. */
struct snp_inputs {
	struct cert_list vek_file, chain, roots;
	struct crl crl;
	struct policy policy;
	struct file_map report_map;
	struct snp_report report;
	struct vek vek;
	struct vek_chain links;
};

static void snp_inputs_fini(struct snp_inputs *in)
{
	cert_list_fini(&in->vek_file);
	cert_list_fini(&in->chain);
	cert_list_fini(&in->roots);
	crl_fini(&in->crl);
	policy_fini(&in->policy);
	file_map_close(&in->report_map);
}

/* snp_read_certs() - the part that snp-report and snp-certs share. */
static int snp_read_certs(const struct snp_args *a, struct snp_inputs *in, struct err *e)
{
	const struct verify_flag needed[] = {
		{"--vek", &a->vek}, {"--chain", &a->chain}, {"--trusted-root", &a->root}};
	int ret = verify_needed(needed, ARRAY_SIZE(needed), e)
		?: verify_time(a->at_time, a->has_time, &in->links.now, e);

	ret = ret ?: verify_certs(&in->vek_file, a->vek, e);
	ret = ret ?: verify_certs(&in->chain, a->chain, e);
	ret = ret ?: verify_certs(&in->roots, a->root, e);
	if (!ret && a->crl)
		ret = verify_crl(&in->crl, a->crl, e);
	if (!ret && in->vek_file.n != 1)
		ret = err_set(e, EINVAL, "'%s' holds more than one certificate", a->vek);
	if (!ret && vek_parse(&in->vek, in->vek_file.certs[0], e))
		ret = err_context(e, "'%s'", a->vek);
	in->links.chain = &in->chain;
	in->links.roots = &in->roots;
	in->links.crl = a->crl ? &in->crl : NULL;
	return ret;
}

static int snp_read_report(const struct snp_args *a, struct snp_inputs *in, struct err *e)
{
	const struct verify_flag needed[] = {{"--report", &a->report}};
	int ret = verify_needed(needed, ARRAY_SIZE(needed), e)
		?: file_map_open(&in->report_map, a->report, e);

	if (!ret && snp_report_parse(&in->report, file_map_bytes(&in->report_map), e))
		ret = err_context(e, "'%s'", a->report);
	return ret ?: verify_policy(&in->policy, a->policy, VERIFY_SNP, e);
}

/* snp_flags_section() - the flags as a policy section; a new reference in *out. */
static int snp_flags_section(
	const struct snp_args *a, const struct vek *vek, json_t **out, struct err *e)
{
	const struct verify_flag values[] = {
		{"report_data", &a->report_data},
		{"measurement", &a->measurement},
		{"host_data", &a->host_data},
		{"id_key_digest", &a->id_key},
		{"author_key_digest", &a->author_key},
		{"family_id", &a->family},
		{"image_id", &a->image},
	};
	json_t *section = json_object(), *parts;
	int ret = verify_values(section, values, ARRAY_SIZE(values), e);

	json_object_set_new(section, "allow_debug", json_boolean(!a->no_debug));
	json_object_set_new(section, "allow_migration", json_true());
	if (a->has_svn)
		json_object_set_new(section, "min_guest_svn", json_integer(a->min_guest_svn));
	if (a->has_vmpl)
		json_object_set_new(section, "max_vmpl", json_integer(a->max_vmpl));
	ret = ret ?: policy_snp_check_section(section, e);
	if (!ret && a->min_tcb) {
		ret = policy_snp_parse_tcb(a->min_tcb, &parts, e);
		if (ret)
			err_context(e, "--min-tcb");
		else
			json_object_set_new(
				section, "min_tcb", json_pack("{s:o}", vek->line->name, parts));
	}
	if (ret)
		json_decref(section);
	else
		*out = section;
	return ret;
}

static json_t *snp_report_fields(const struct snp_report *r)
{
	json_t *o = json_object();
	char policy[20];

	snprintf(policy, sizeof(policy), "0x%llx", (unsigned long long)r->policy);
	json_object_set_new(o, "version", json_integer(r->version));
	json_object_set_new(o, "guest_svn", json_integer(r->guest_svn));
	json_object_set_new(o, "vmpl", json_integer(r->vmpl));
	json_object_set_new(o, "policy", json_string(policy));
	verify_hex(o, "family_id", r->family_id, sizeof(r->family_id));
	verify_hex(o, "image_id", r->image_id, sizeof(r->image_id));
	verify_hex(o, "report_data", r->report_data, sizeof(r->report_data));
	verify_hex(o, "measurement", r->measurement, sizeof(r->measurement));
	verify_hex(o, "host_data", r->host_data, sizeof(r->host_data));
	verify_hex(o, "id_key_digest", r->id_key_digest, sizeof(r->id_key_digest));
	verify_hex(o, "author_key_digest", r->author_key_digest, sizeof(r->author_key_digest));
	verify_hex(o, "report_id", r->report_id, sizeof(r->report_id));
	verify_hex(o, "report_id_ma", r->report_id_ma, sizeof(r->report_id_ma));
	verify_hex(o, "current_tcb", r->current_tcb, sizeof(r->current_tcb));
	verify_hex(o, "reported_tcb", r->reported_tcb, sizeof(r->reported_tcb));
	verify_hex(o, "committed_tcb", r->committed_tcb, sizeof(r->committed_tcb));
	verify_hex(o, "launch_tcb", r->launch_tcb, sizeof(r->launch_tcb));
	verify_hex(o, "chip_id", r->chip_id, sizeof(r->chip_id));
	return o;
}

static json_t *snp_certs_fields(const struct vek *v)
{
	json_t *o = json_object(), *spl = json_object();

	json_object_set_new(o, "product", json_string(v->product));
	json_object_set_new(o, "key", json_string(v->vlek ? "VLEK" : "VCEK"));
	if (!v->vlek)
		verify_hex(o, "hwid", v->hwid, v->line->hwid_len);
	json_object_set_new(o, "spl", spl);
	for (int i = 0; i < SNP_SPL_NUM; i++)
		if (v->line->spl_byte[i] >= 0)
			json_object_set_new(spl, snp_spl_name((enum snp_spl)i),
				json_integer(v->tcb[v->line->spl_byte[i]]));
	return o;
}

/* snp_print() - fields of something that is not genuine are not shown; fields is freed. */
static int snp_print(const struct options *o, json_t *fields, const struct err *e,
	const struct policy_reasons *reasons)
{
	bool valid = !e->code && !reasons->n;
	json_t *result = json_object();

	json_object_set_new(result, "valid", json_boolean(valid));
	json_object_set(result, "fields", fields);
	if (e->code)
		json_object_set_new(result, "fields", json_object());
	json_decref(fields);
	return verify_print(o, &(struct verify_result){result, "reason", e, reasons});
}

/* snp_verify_report() - inputs are read; judge. Return: the exit status. */
static int snp_verify_report(
	const struct options *o, const struct snp_args *a, const struct snp_inputs *in)
{
	struct policy_reasons reasons = {.n = 0};
	struct err e = ERR_INIT;
	json_t *flags;

	if (snp_flags_section(a, &in->vek, &flags, &e))
		return verify_fail(o, &e);
	if (!vek_check_chain(&in->vek, &in->links, &e) && !snp_verify(&in->report, &in->vek, &e)) {
		policy_snp_check(flags, &in->report, &in->vek, &reasons);
		if (in->policy.snp)
			policy_snp_check(in->policy.snp, &in->report, &in->vek, &reasons);
	}
	json_decref(flags);
	return snp_print(o, snp_report_fields(&in->report), &e, &reasons);
}

#define ROWS_CERTS(a)                                                                              \
	VERIFY_FILE("--vek", &(a).vek, "certificate of the VCEK or VLEK"),                         \
		VERIFY_FILE("--chain", &(a).chain, "ASK or ASVK, and ARK"),                        \
		VERIFY_FILE("--trusted-root", &(a).root, "the ARK to trust"),                      \
		VERIFY_FILE("--crl", &(a).crl, "the ARK's revocation list"),                       \
	{                                                                                          \
		"--at-time", OPTION_U64, &(a).at_time, &(a).has_time,                              \
			.value = "EPOCH", .help = "when all must be valid, in seconds since 1970"  \
	}

int cli_verify_snp_report(int argc, char **argv)
{
	struct snp_args a = {.report = NULL};
	struct snp_inputs in = {.report_map = FILE_MAP_INIT};
	const struct option_row rows[] = {
		VERIFY_FILE("--report", &a.report, "attestation report, 1184 bytes"),
		ROWS_CERTS(a),
		VERIFY_HEX("--measurement", &a.measurement, "expected launch digest, 48 bytes"),
		VERIFY_HEX("--host-data", &a.host_data, "expected host data, 32 bytes"),
		VERIFY_HEX("--report-data", &a.report_data, "expected report data, 64 bytes"),
		VERIFY_HEX("--id-key-digest", &a.id_key, "expected digest of the ID key"),
		VERIFY_HEX(
			"--author-key-digest", &a.author_key, "expected digest of the author key"),
		VERIFY_HEX("--family-id", &a.family, "expected family id, 16 bytes"),
		VERIFY_HEX("--image-id", &a.image, "expected image id, 16 bytes"),
		{"--min-tcb", OPTION_TEXT, &a.min_tcb, .value = "SPLS",
			.help = "least reported TCB: bl=3,tee=0,snp=8,ucode=115 or a part"},
		{"--min-guest-svn", OPTION_U32, &a.min_guest_svn, &a.has_svn, .value = "N",
			.help = "least guest SVN"},
		{"--max-vmpl", OPTION_U32, &a.max_vmpl, &a.has_vmpl, .value = "N",
			.help = "VMPL that asked for the report, at most this"},
		{"--no-debug", OPTION_SWITCH, &a.no_debug,
			.help = "refuse a guest that the host may debug"},
		VERIFY_FILE("--policy", &a.policy, "JSON of what to expect"),
	};
	const struct options o = {"verify snp-report", report_usage, notes, rows, ARRAY_SIZE(rows)};
	struct err e = ERR_INIT;
	int ret = options_parse(&o, argc, argv, &e);

	if (ret > 0)
		return CLI_OK;
	ret = ret ?: snp_read_report(&a, &in, &e) ?: snp_read_certs(&a, &in, &e);
	ret = ret ? verify_fail(&o, &e) : snp_verify_report(&o, &a, &in);
	snp_inputs_fini(&in);
	return ret;
}

int cli_verify_snp_certs(int argc, char **argv)
{
	struct snp_args a = {.report = NULL};
	struct snp_inputs in = {.report_map = FILE_MAP_INIT};
	const struct policy_reasons none = {.n = 0};
	const struct option_row rows[] = {ROWS_CERTS(a)};
	const struct options o = {"verify snp-certs", certs_usage, NULL, rows, ARRAY_SIZE(rows)};
	struct err e = ERR_INIT;
	int ret = options_parse(&o, argc, argv, &e);

	if (ret > 0)
		return CLI_OK;
	ret = ret ?: snp_read_certs(&a, &in, &e);
	if (ret) {
		ret = verify_fail(&o, &e);
	} else {
		if (vek_check_chain(&in.vek, &in.links, &e))
			err_context(&e, "certificates");
		ret = snp_print(&o, snp_certs_fields(&in.vek), &e, &none);
	}
	snp_inputs_fini(&in);
	return ret;
}
