/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/policy_snp.h"
#include "attestation/snp_report.h"
#include "attestation/vek.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <string.h>

#define ZEROS16 "00000000000000000000000000000000"

static struct snp_report report;
static struct vek vek;

/* reasons() - Return: how many rules of a section are not met. */
static unsigned int reasons(const char *json, struct policy_reasons *r)
{
	json_t *section = json_loads(json, 0, NULL);
	struct err e = ERR_INIT;

	*r = (struct policy_reasons){.n = 0};
	if (policy_snp_check_section(section, &e))
		fail_msg("%s: %s", json, e.text);
	policy_snp_check(section, &report, &vek, r);
	json_decref(section);
	return r->n;
}

static void milan(void)
{
	memset(&report, 0, sizeof(report));
	report.policy = 0x30000;
	memcpy(report.reported_tcb, (uint8_t[]){3, 0, 0, 0, 0, 0, 8, 210}, 8);
	vek = (struct vek){.line = snp_product_by_name("Milan"), .product = "Milan-B0"};
}

static void policy_snp_gives_a_reason_for_each_rule(void **state)
{
	static const struct {
		const char *json;
		unsigned int reasons;
	} rows[] = {
		{"{}", 0},
		{"{\"max_vmpl\":0,\"min_guest_svn\":0}", 0},
		{"{\"min_guest_svn\":1}", 1},
		{"{\"min_tcb\":{\"Milan\":{\"bl\":3,\"snp\":8,\"ucode\":210}}}", 0},
		{"{\"min_tcb\":{\"Milan\":{\"bl\":4,\"snp\":9,\"ucode\":211}}}", 3},
		{"{\"min_tcb\":{\"Genoa\":{\"bl\":1}}}", 1},
		{"{\"products\":[\"Milan\"]}", 0},
		{"{\"products\":[\"Milan-B0\",\"Genoa\"]}", 0},
		{"{\"products\":[\"Genoa\"]}", 1},
		{"{\"allow_smt\":false}", 1},
		{"{\"require_single_socket\":true}", 1},
		{"{\"require_author_key\":true}", 1},
		{"{\"family_id\":\"" ZEROS16 "\"}", 0},
		{"{\"family_id\":[\"00000000000000000000000000000001\",\"" ZEROS16 "\"]}", 0},
		{"{\"family_id\":[\"00000000000000000000000000000001\"]}", 1},
		{"{\"report_id\":\"" ZEROS16 ZEROS16 "\",\"host_data\":\"" ZEROS16 ZEROS16 "\"}",
			0},
		{"{\"host_data\":\"" ZEROS16 "00000000000000000000000000000001\"}", 1},
	};
	struct policy_reasons r;

	(void)state;
	milan();
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (reasons(rows[i].json, &r) != rows[i].reasons)
			fail_msg("%s: %u reasons", rows[i].json, r.n);
}

static void policy_snp_checks_what_the_host_may_do(void **state)
{
	struct policy_reasons r;

	(void)state;
	milan();
	report.policy |= SNP_POLICY_DEBUG;
	assert_int_equal(reasons("{}", &r), 1);
	assert_non_null(strstr(r.text[0], "debug"));
	assert_int_equal(reasons("{\"allow_debug\":true}", &r), 0);
	report.policy |= SNP_POLICY_MIGRATE_MA;
	assert_int_equal(reasons("{\"allow_debug\":true}", &r), 1);
	assert_non_null(strstr(r.text[0], "migrated"));
	assert_int_equal(reasons("{\"allow_debug\":true,\"allow_migration\":true}", &r), 0);
	milan();
	report.vmpl = 2;
	assert_int_equal(reasons("{\"max_vmpl\":1}", &r), 1);
	assert_int_equal(reasons("{\"max_vmpl\":2}", &r), 0);
	report.policy = 0x120000; /* one socket, no SMT */
	report.author_key_en = true;
	assert_int_equal(reasons("{\"allow_smt\":false,\"require_single_socket\":true,"
				 "\"require_author_key\":true}",
				 &r),
		0);
}

/* On Turin byte 0 is the FMC, and the others stand elsewhere. */
static void policy_snp_reads_the_tcb_of_each_line(void **state)
{
	struct policy_reasons r;
	json_t *parts;
	struct err e;

	(void)state;
	milan();
	vek = (struct vek){.line = snp_product_by_name("Turin"), .product = "Turin"};
	memcpy(report.reported_tcb, (uint8_t[]){1, 2, 3, 4, 0, 0, 0, 5}, 8);
	assert_int_equal(reasons("{\"min_tcb\":{\"Turin\":{\"fmc\":1,\"bl\":2,\"tee\":3,\"snp\":4,"
				 "\"ucode\":5}}}",
				 &r),
		0);
	assert_int_equal(reasons("{\"min_tcb\":{\"Turin\":{\"fmc\":2,\"bl\":3,\"tee\":4,\"snp\":5,"
				 "\"ucode\":6}}}",
				 &r),
		5);
	/* --min-tcb names no line, so a part may be one that the line lacks */
	milan();
	assert_int_equal(policy_snp_parse_tcb("fmc=0,bl=3", &parts, &e), 0);
	r = (struct policy_reasons){.n = 0};
	parts = json_pack("{s:{s:o}}", "min_tcb", "Milan", parts);
	policy_snp_check(parts, &report, &vek, &r);
	assert_int_equal(r.n, 1);
	assert_non_null(strstr(r.text[0], "no fmc"));
	json_decref(parts);
}

static void policy_snp_reads_a_tcb_from_text(void **state)
{
	static const char *const bad[] = {"bl", "bl=", "=3", "bl=256", "bl=3,", ",bl=3", "bl=3 ",
		"bl=3,bl=3", "bl=-1", "bl=0x3", "what=3", "snpsnp=1", ""};
	json_t *parts;
	struct err e;

	(void)state;
	assert_int_equal(policy_snp_parse_tcb("bl=3,tee=0,snp=8,ucode=255", &parts, &e), 0);
	assert_int_equal(json_object_size(parts), 4);
	assert_int_equal(json_integer_value(json_object_get(parts, "ucode")), 255);
	json_decref(parts);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (policy_snp_parse_tcb(bad[i], &parts, &e) != -EINVAL)
			fail_msg("'%s' was accepted", bad[i]);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(policy_snp_gives_a_reason_for_each_rule),
	cmocka_unit_test(policy_snp_checks_what_the_host_may_do),
	cmocka_unit_test(policy_snp_reads_the_tcb_of_each_line),
	cmocka_unit_test(policy_snp_reads_a_tcb_from_text),
};
UNIT_MAIN(tests)
