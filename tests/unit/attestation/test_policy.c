/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/policy.h"

#include "attestation/policy_snp.h"
#include "tests/unit/unit.h"

#include <string.h>

static int parse(struct policy *p, const char *text)
{
	struct err e = ERR_INIT;

	return policy_parse(p, bytes_of(text, strlen(text)), &e);
}

static void policy_reads_its_sections(void **state)
{
	cleanup_policy struct policy p = POLICY_INIT;

	(void)state;
	assert_int_equal(parse(&p, "{\"snp\":{\"max_vmpl\":0},\"tdx\":{}}"), 0);
	assert_non_null(p.snp);
	assert_non_null(p.tdx);
	policy_fini(&p);
	assert_int_equal(parse(&p, "{\"tdx\":{\"accept_status\":[\"UpToDate\"]}}"), 0);
	assert_null(p.snp);
}

static void policy_fails_closed(void **state)
{
	static const char *const texts[] = {
		"",
		"[]",
		"{\"sev\":{}}",
		"{\"snp\":[]}",
		"{\"snp\":{\"measurment\":\"00\"}}",
		"{\"snp\":{\"measurement\":\"00\"}}",
		"{\"snp\":{\"measurement\":[]}}",
		"{\"snp\":{\"image_id\":[\"00000000000000000000000000000000\",1]}}",
		"{\"snp\":{\"image_id\":\"0000000000000000000000000000000g\"}}",
		"{\"snp\":{\"image_id\":null}}",
		"{\"snp\":{\"allow_debug\":1}}",
		"{\"snp\":{\"allow_debug\":\"false\"}}",
		"{\"snp\":{\"max_vmpl\":4}}",
		"{\"snp\":{\"max_vmpl\":-1}}",
		"{\"snp\":{\"max_vmpl\":1.0}}",
		"{\"snp\":{\"max_vmpl\":1,\"max_vmpl\":2}}",
		"{\"snp\":{\"products\":[\"Rome\"]}}",
		"{\"snp\":{\"min_tcb\":{}}}",
		"{\"snp\":{\"min_tcb\":{\"Milan\":{}}}}",
		"{\"snp\":{\"min_tcb\":{\"Milan-B0\":{\"bl\":1}}}}",
		"{\"snp\":{\"min_tcb\":{\"Milan\":{\"fmc\":1}}}}",
		"{\"snp\":{\"min_tcb\":{\"Milan\":{\"microcode\":1}}}}",
		"{\"snp\":{\"min_tcb\":{\"Milan\":{\"bl\":256}}}}",
		"{\"tdx\":{\"accept_status\":[]}}",
		"{\"tdx\":{\"accept_status\":\"UpToDate\"}}",
		"{\"tdx\":{\"accept_status\":[\"Revoked\"]}}",
		"{\"tdx\":{\"accept_status\":[\"uptodate\"]}}",
		"{\"tdx\":{\"rtmr4\":\"00\"}}",
		"{\"tdx\":{\"measurement\":\"00\"}}",
	};
	struct policy p;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (!parse(&p, texts[i]))
			fail_msg("accepted: %s", texts[i]);
}

static void policy_snp_parses_tcb_flags(void **state)
{
	static const char *const bad[] = {"", "bl", "bl=", "=3", "bl=256", "bl=3,", ",bl=3",
		"bl=3,bl=4", "bl=3;snp=4", "microcode=3", "bl=-1", "bl=3 ", "bl=99999999999"};
	struct err e = ERR_INIT;
	json_t *parts;

	(void)state;
	assert_int_equal(policy_snp_parse_tcb("bl=3,tee=0,snp=8,ucode=115", &parts, &e), 0);
	assert_int_equal(json_object_size(parts), 4);
	assert_int_equal(json_integer_value(json_object_get(parts, "ucode")), 115);
	json_decref(parts);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (!policy_snp_parse_tcb(bad[i], &parts, &e))
			fail_msg("accepted: %s", bad[i]);
}

static void policy_counts_reasons_beyond_its_room(void **state)
{
	struct policy_reasons r = {.n = 0};

	(void)state;
	for (int i = 0; i < POLICY_REASONS_MAX + 5; i++)
		policy_refuse(&r, "reason %d", i);
	assert_int_equal(r.n, POLICY_REASONS_MAX + 5);
	assert_string_equal(r.text[POLICY_REASONS_MAX - 1], "reason 15");
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(policy_reads_its_sections),
	cmocka_unit_test(policy_fails_closed),
	cmocka_unit_test(policy_snp_parses_tcb_flags),
	cmocka_unit_test(policy_counts_reasons_beyond_its_room),
};

UNIT_MAIN(tests)
