/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/policy_tdx.h"
#include "attestation/tdx_verify.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <string.h>

#define ZEROS24 "000000000000000000000000000000000000000000000000"

static uint8_t zeros[64], attributes[8];
static struct tdx_quote quote;
static struct tdx_verdict verdict;

/* reasons() - Return: how many rules of a section are not met. */
static unsigned int reasons(const char *json, struct policy_reasons *r)
{
	json_t *section = json_loads(json, 0, NULL);
	struct err e = ERR_INIT;

	*r = (struct policy_reasons){.n = 0};
	if (policy_tdx_check_section(section, &e))
		fail_msg("%s: %s", json, e.text);
	policy_tdx_check(section, &quote, &verdict, r);
	json_decref(section);
	return r->n;
}

/* start() - a TD 1.0 of zeros with SEPT_VE_DISABLE, on a platform that is up to date */
static void start(void)
{
	memset(attributes, 0, sizeof(attributes));
	attributes[3] = 0x10;
	quote = (struct tdx_quote){.version = 4,
		.mr_seam = zeros,
		.td_attributes = attributes,
		.xfam = zeros,
		.mrtd = zeros,
		.mr_config_id = zeros,
		.mr_owner = zeros,
		.mr_owner_config = zeros,
		.rtmr = {zeros, zeros, zeros, zeros},
		.report_data = zeros};
	verdict = (struct tdx_verdict){.tcb = {.status = TCB_UP_TO_DATE}, .evaluation_number = 17};
}

static void policy_tdx_gives_a_reason_for_each_rule(void **state)
{
	static const struct {
		const char *json;
		unsigned int reasons;
	} rows[] = {
		{"{}", 0},
		{"{\"min_evaluation_number\":17,\"require_sept_ve_disable\":true}", 0},
		{"{\"min_evaluation_number\":18}", 1},
		{"{\"xfam\":\"0000000000000000\"}", 0},
		{"{\"xfam\":\"0100000000000000\"}", 1},
		{"{\"td_attributes\":\"0000001000000000\"}", 0},
		{"{\"mrtd\":\"" ZEROS24 ZEROS24 "\",\"rtmr3\":\"" ZEROS24 ZEROS24 "\"}", 0},
		{"{\"mr_servicetd\":\"" ZEROS24 ZEROS24 "\"}", 1}, /* TD 1.0 has none */
		{"{\"accept_status\":[\"OutOfDate\"]}", 1},
		{"{\"accept_status\":[\"OutOfDate\",\"UpToDate\"]}", 0},
	};
	struct policy_reasons r;

	(void)state;
	start();
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (reasons(rows[i].json, &r) != rows[i].reasons)
			fail_msg("%s: %u reasons", rows[i].json, r.n);
}

static void policy_tdx_judges_the_status(void **state)
{
	char json[128];
	struct policy_reasons r;

	(void)state;
	start();
	for (int s = 0; s < TCB_STATUS_NUM; s++) {
		verdict.tcb.status = (enum tcb_status)s;
		assert_int_equal(reasons("{}", &r), s == TCB_UP_TO_DATE ? 0 : 1);
		if (s == TCB_REVOKED)
			continue;
		snprintf(json, sizeof(json), "{\"accept_status\":[\"%s\"]}",
			tcb_status_name((enum tcb_status)s));
		assert_int_equal(reasons(json, &r), 0);
	}
	assert_int_equal(reasons("{\"accept_status\":[\"UpToDate\",\"OutOfDate\"]}", &r), 1);
}

static void policy_tdx_judges_attributes(void **state)
{
	struct policy_reasons r;

	(void)state;
	start();
	attributes[3] = 0;
	assert_int_equal(reasons("{}", &r), 0);
	assert_int_equal(reasons("{\"require_sept_ve_disable\":true}", &r), 1);
	for (int bit = 0; bit < 8; bit++) { /* the whole group "TD under debug" */
		attributes[0] = (uint8_t)(1u << bit);
		assert_int_equal(reasons("{}", &r), 1);
		assert_int_equal(reasons("{\"allow_debug\":true}", &r), 0);
	}
}

static void policy_tdx_refuses_advisories(void **state)
{
	json_t *lists[TCB_ADVISORY_LISTS] = {NULL};
	struct policy_reasons r;

	(void)state;
	start();
	for (int i = 0; i < TCB_ADVISORY_LISTS; i++) {
		lists[i] = json_pack("[s,s]", "INTEL-SA-1", i ? "INTEL-SA-2" : "INTEL-SA-3");
		verdict.tcb.advisories[i] = lists[i];
	}
	assert_int_equal(reasons("{}", &r), 0);
	assert_int_equal(reasons("{\"refuse_advisories\":[\"INTEL-SA-4\"]}", &r), 0);
	assert_int_equal(reasons("{\"refuse_advisories\":[\"INTEL-SA-4\",\"INTEL-SA-3\"]}", &r), 1);
	assert_non_null(strstr(r.text[0], "INTEL-SA-3"));
	assert_int_equal(reasons("{\"refuse_advisories\":[\"INTEL-SA-1\"]}", &r), 3);
	for (int i = 0; i < TCB_ADVISORY_LISTS; i++)
		json_decref(lists[i]);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(policy_tdx_gives_a_reason_for_each_rule),
	cmocka_unit_test(policy_tdx_judges_the_status),
	cmocka_unit_test(policy_tdx_judges_attributes),
	cmocka_unit_test(policy_tdx_refuses_advisories),
};
UNIT_MAIN(tests)
