/* SPDX-License-Identifier: Apache-2.0 */
/* Policy for TDX; see attestation/policy_tdx.h and docs/verify-policy.md. */
#include "attestation/policy_tdx.h"

#include "attestation/tdx_verify.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

static int check_status_name(const json_t *v, struct err *e)
{
	enum tcb_status status;

	if (!tcb_status_parse(json_string_value(v), &status))
		return err_set(e, EINVAL, "unknown status '%.40s'", json_string_value(v));
	if (status == TCB_REVOKED)
		return err_set(e, EINVAL, "'Revoked' is never accepted");
	return 0;
}

static const struct policy_key keys[] = {
	{"mrtd", POLICY_HEX, 48, NULL},
	{"rtmr0", POLICY_HEX, 48, NULL},
	{"rtmr1", POLICY_HEX, 48, NULL},
	{"rtmr2", POLICY_HEX, 48, NULL},
	{"rtmr3", POLICY_HEX, 48, NULL},
	{"mr_seam", POLICY_HEX, 48, NULL},
	{"mr_config_id", POLICY_HEX, 48, NULL},
	{"mr_owner", POLICY_HEX, 48, NULL},
	{"mr_owner_config", POLICY_HEX, 48, NULL},
	{"mr_servicetd", POLICY_HEX, 48, NULL},
	{"report_data", POLICY_HEX, 64, NULL},
	{"td_attributes", POLICY_HEX, 8, NULL},
	{"xfam", POLICY_HEX, 8, NULL},
	{"accept_status", POLICY_TEXTS, 0, check_status_name},
	{"refuse_advisories", POLICY_TEXTS, 0, NULL},
	{"min_evaluation_number", POLICY_UINT, UINT32_MAX, NULL},
	{"allow_debug", POLICY_BOOL, 0, NULL},
	{"require_sept_ve_disable", POLICY_BOOL, 0, NULL},
};

/* Where the POLICY_HEX members stand in a quote, in the order of keys[]. */
static const size_t offsets[] = {
	offsetof(struct tdx_quote, mrtd),
	offsetof(struct tdx_quote, rtmr[0]),
	offsetof(struct tdx_quote, rtmr[1]),
	offsetof(struct tdx_quote, rtmr[2]),
	offsetof(struct tdx_quote, rtmr[3]),
	offsetof(struct tdx_quote, mr_seam),
	offsetof(struct tdx_quote, mr_config_id),
	offsetof(struct tdx_quote, mr_owner),
	offsetof(struct tdx_quote, mr_owner_config),
	offsetof(struct tdx_quote, mr_servicetd),
	offsetof(struct tdx_quote, report_data),
	offsetof(struct tdx_quote, td_attributes),
	offsetof(struct tdx_quote, xfam),
};

int policy_tdx_check_section(const json_t *section, struct err *e)
{
	return policy_check_keys(section, keys, ARRAY_SIZE(keys), e);
}

static void check_status(
	const json_t *section, enum tcb_status status, struct policy_reasons *reasons)
{
	const char *name = tcb_status_name(status);
	bool accepted = json_object_get(section, "accept_status")
		? policy_has_text(section, "accept_status", name)
		: status == TCB_UP_TO_DATE;

	if (!accepted || status == TCB_REVOKED)
		policy_refuse(reasons, "accept_status: the TCB is %s", name);
}

static void check_advisories(
	const json_t *section, const struct tcb_verdict *tcb, struct policy_reasons *reasons)
{
	for (int i = 0; i < TCB_ADVISORY_LISTS; i++)
		for (size_t k = 0; k < json_array_size(tcb->advisories[i]); k++) {
			const char *id = json_string_value(json_array_get(tcb->advisories[i], k));

			if (policy_has_text(section, "refuse_advisories", id))
				policy_refuse(reasons, "refuse_advisories: %.40s applies", id);
		}
}

static void check_attributes(
	const json_t *section, const struct tdx_quote *quote, struct policy_reasons *reasons)
{
	uint64_t attributes = tdx_quote_attributes(quote);

	/* any bit of the group TUD: the TD is not confidential */
	if (attributes & TDX_ATTR_UNDER_DEBUG && !policy_flag(section, "allow_debug", false))
		policy_refuse(reasons, "td_attributes: the host may debug the TD");
	if (!(attributes & TDX_ATTR_SEPT_VE_DISABLE) &&
		policy_flag(section, "require_sept_ve_disable", false))
		policy_refuse(reasons, "td_attributes: SEPT_VE_DISABLE is off");
}

void policy_tdx_check(const json_t *section, const struct tdx_quote *quote,
	const struct tdx_verdict *verdict, struct policy_reasons *reasons)
{
	const json_t *number = json_object_get(section, "min_evaluation_number");

	check_status(section, verdict->tcb.status, reasons);
	check_attributes(section, quote, reasons);
	for (size_t i = 0; i < ARRAY_SIZE(offsets); i++) {
		const uint8_t *value;

		memcpy(&value, (const uint8_t *)quote + offsets[i], sizeof(value));
		policy_match(section, keys[i].name, value, keys[i].size, reasons);
	}
	check_advisories(section, &verdict->tcb, reasons);
	if (number && verdict->evaluation_number < json_integer_value(number))
		policy_refuse(
			reasons, "min_evaluation_number: it is %u", verdict->evaluation_number);
}
