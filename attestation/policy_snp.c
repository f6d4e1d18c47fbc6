/* SPDX-License-Identifier: Apache-2.0 */
/* Policy for SEV-SNP; see attestation/policy_snp.h and docs/verify-policy.md. */
#include "attestation/policy_snp.h"

#include "attestation/snp_report.h"
#include "attestation/vek.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static int check_product_name(const json_t *v, struct err *e)
{
	if (!snp_product_by_name(json_string_value(v)))
		return err_set(e, EINVAL, "unknown product '%.40s'", json_string_value(v));
	return 0;
}

/* check_parts() - {"bl":N,...}: names of SPLs, numbers up to 255, at least one. */
static int check_parts(const json_t *parts, struct err *e)
{
	struct policy_key keys[SNP_SPL_NUM];

	for (int i = 0; i < SNP_SPL_NUM; i++)
		keys[i] = (struct policy_key){
			snp_spl_name((enum snp_spl)i), POLICY_UINT, UINT8_MAX, NULL};
	if (!json_is_object(parts) || !json_object_size(parts))
		return err_set(e, EINVAL, "not an object of SPLs");
	return policy_check_keys(parts, keys, SNP_SPL_NUM, e);
}

/* check_min_tcb() - {"Milan":{"bl":N,...},...} */
static int check_min_tcb(const json_t *v, struct err *e)
{
	const char *name;
	json_t *parts;

	if (!json_is_object(v) || !json_object_size(v))
		return err_set(e, EINVAL, "not an object of products");
	json_object_foreach((json_t *)v, name, parts)
	{
		const struct snp_product *line = snp_product_by_name(name);

		if (!line || strcmp(line->name, name) != 0)
			return err_set(e, EINVAL, "'%.40s' is not Milan, Genoa or Turin", name);
		if (check_parts(parts, e))
			return err_context(e, "'%s'", name);
		if (json_object_get(parts, "fmc") && line->spl_byte[SNP_SPL_FMC] < 0)
			return err_set(e, EINVAL, "'%s' has no FMC", name);
	}
	return 0;
}

static const struct policy_key keys[] = {
	{"report_data", POLICY_HEX, 64, NULL},
	{"measurement", POLICY_HEX, 48, NULL},
	{"host_data", POLICY_HEX, 32, NULL},
	{"id_key_digest", POLICY_HEX, 48, NULL},
	{"author_key_digest", POLICY_HEX, 48, NULL},
	{"family_id", POLICY_HEX, 16, NULL},
	{"image_id", POLICY_HEX, 16, NULL},
	{"report_id", POLICY_HEX, 32, NULL},
	{"chip_id", POLICY_HEX, 64, NULL},
	{"products", POLICY_TEXTS, 0, check_product_name},
	{"min_tcb", POLICY_OTHER, 0, check_min_tcb},
	{"min_guest_svn", POLICY_UINT, UINT32_MAX, NULL},
	{"max_vmpl", POLICY_UINT, 3, NULL},
	{"allow_debug", POLICY_BOOL, 0, NULL},
	{"allow_migration", POLICY_BOOL, 0, NULL},
	{"allow_smt", POLICY_BOOL, 0, NULL},
	{"require_single_socket", POLICY_BOOL, 0, NULL},
	{"require_author_key", POLICY_BOOL, 0, NULL},
};

/* Where the POLICY_HEX members stand in a report, in the order of keys[]. */
static const size_t offsets[] = {
	offsetof(struct snp_report, report_data),
	offsetof(struct snp_report, measurement),
	offsetof(struct snp_report, host_data),
	offsetof(struct snp_report, id_key_digest),
	offsetof(struct snp_report, author_key_digest),
	offsetof(struct snp_report, family_id),
	offsetof(struct snp_report, image_id),
	offsetof(struct snp_report, report_id),
	offsetof(struct snp_report, chip_id),
};

int policy_snp_check_section(const json_t *section, struct err *e)
{
	return policy_check_keys(section, keys, ARRAY_SIZE(keys), e);
}

/* check_policy_bits() - 56860, "Guest Policy Structure". */
static void check_policy_bits(
	const json_t *section, const struct snp_report *r, struct policy_reasons *reasons)
{
	if (r->policy & SNP_POLICY_DEBUG && !policy_flag(section, "allow_debug", false))
		policy_refuse(reasons, "policy: the host may debug the guest");
	if (r->policy & SNP_POLICY_MIGRATE_MA && !policy_flag(section, "allow_migration", false))
		policy_refuse(reasons, "policy: the guest may be migrated");
	if (r->policy & SNP_POLICY_SMT && !policy_flag(section, "allow_smt", true))
		policy_refuse(reasons, "policy: the guest may run with SMT");
	if (!(r->policy & SNP_POLICY_SINGLE_SOCKET) &&
		policy_flag(section, "require_single_socket", false))
		policy_refuse(reasons, "policy: the guest may run on several sockets");
	if (!r->author_key_en && policy_flag(section, "require_author_key", false))
		policy_refuse(reasons, "author_key_digest: no author key is in use");
}

/* check_tcb() - every part that has a minimum; a product without one is refused. */
static void check_tcb(const json_t *section, const struct snp_report *r,
	const struct snp_product *line, struct policy_reasons *reasons)
{
	const json_t *min = json_object_get(section, "min_tcb");
	const json_t *parts = json_object_get(min, line->name);

	if (min && !parts)
		policy_refuse(reasons, "min_tcb: none is given for %s", line->name);
	for (int i = 0; parts && i < SNP_SPL_NUM; i++) {
		const char *name = snp_spl_name((enum snp_spl)i);
		const json_t *want = json_object_get(parts, name);
		int8_t byte = line->spl_byte[i];

		if (want && byte < 0)
			policy_refuse(reasons, "min_tcb: %s has no %s", line->name, name);
		else if (want && r->reported_tcb[byte] < json_integer_value(want))
			policy_refuse(reasons, "min_tcb: %s is %u, below %lld", name,
				r->reported_tcb[byte], (long long)json_integer_value(want));
	}
}

static bool product_listed(const json_t *section, const struct vek *vek)
{
	return policy_has_text(section, "products", vek->product) ||
		policy_has_text(section, "products", vek->line->name);
}

void policy_snp_check(const json_t *section, const struct snp_report *report, const struct vek *vek,
	struct policy_reasons *reasons)
{
	const json_t *svn = json_object_get(section, "min_guest_svn");
	const json_t *vmpl = json_object_get(section, "max_vmpl");

	for (size_t i = 0; i < ARRAY_SIZE(offsets); i++)
		policy_match(section, keys[i].name, (const uint8_t *)report + offsets[i],
			keys[i].size, reasons);
	if (json_object_get(section, "products") && !product_listed(section, vek))
		policy_refuse(reasons, "products: %s is not listed", vek->product);
	if (svn && report->guest_svn < json_integer_value(svn))
		policy_refuse(reasons, "min_guest_svn: it is %u", report->guest_svn);
	if (vmpl && report->vmpl > json_integer_value(vmpl))
		policy_refuse(reasons, "max_vmpl: it is %u", report->vmpl);
	check_policy_bits(section, report, reasons);
	check_tcb(section, report, vek->line, reasons);
}

int policy_snp_parse_tcb(const char *text, json_t **out, struct err *e)
{
	json_t *parts = json_object();
	const char *at = text;

	if (!parts)
		return err_set(e, ENOMEM, "out of memory");
	while (*at) {
		size_t name_len = strcspn(at, "="), len = 0;
		unsigned int v = 0;

		for (len = name_len + 1; at[name_len] && at[len] >= '0' && at[len] <= '9'; len++)
			if ((v = 10 * v + (unsigned int)(at[len] - '0')) > UINT8_MAX)
				break;
		if (!at[name_len] || len == name_len + 1 || (at[len] && at[len] != ',') ||
			(at[len] == ',' && !at[len + 1]) || name_len > 5)
			goto fail;
		char name[8] = {0};

		memcpy(name, at, name_len);
		if (json_object_get(parts, name) ||
			json_object_set_new(parts, name, json_integer(v)))
			goto fail;
		at += len + (at[len] == ',');
	}
	if (check_parts(parts, e))
		goto fail;
	*out = parts;
	return 0;
fail:
	json_decref(parts);
	return err_set(e, EINVAL, "'%.60s' is not like bl=3,tee=0,snp=8,ucode=115", text);
}
