/* SPDX-License-Identifier: Apache-2.0 */
/* TD quotes and their collateral: sound ones, every status, then one fault at a time. */
#include "attestation/policy_tdx.h"
#include "tests/unit/attestation/tdx_scene.h"
#include "tests/unit/unit.h"

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <string.h>

static struct tdx_scene s;

/* expect() - make, judge, end. want: a status, or a part of the refusal. */
static void expect(const char *want)
{
	struct tdx_verdict verdict = {.evaluation_number = 0};
	enum tcb_status status;
	struct err e = ERR_INIT;
	int ret;

	tdx_scene_make(&s);
	ret = tdx_scene_judge(&s, &verdict, &e);
	if (tcb_status_parse(want, &status) ? ret || verdict.tcb.status != status
					    : !ret || !strstr(e.text, want))
		fail_msg("expected '%s', got %d '%s' '%s'", want, ret, e.text,
			ret ? "" : tcb_status_name(verdict.tcb.status));
	if (!ret)
		assert_int_equal(verdict.evaluation_number, 17);
	tdx_scene_end(&s);
}

static void start(uint16_t version, bool td15)
{
	tdx_scene_start(&s);
	s.version = version;
	s.td15 = td15;
}

static void tdx_verify_accepts_sound_quotes(void **state)
{
	(void)state;
	start(4, false);
	expect("UpToDate");
	start(5, false);
	expect("UpToDate");
	start(5, true);
	expect("UpToDate");
	start(4, false);
	s.no_chain = true; /* given beside the quote, in another order */
	expect("UpToDate");
	start(4, false);
	s.certs[TDX_CA].cn = "Intel SGX PCK Processor CA";
	expect("UpToDate");
}

static void tcb_eval_finds_the_status(void **state)
{
	static const struct {
		uint8_t sgx, pcesvn, svn[3], qe;
		const char *status;
	} rows[] = {
		{5, 13, {4, 1, 6}, 4, "UpToDate"},
		{9, 99, {9, 1, 9}, 9, "UpToDate"},
		{5, 12, {4, 1, 6}, 4, "SWHardeningNeeded"},
		{5, 13, {3, 1, 6}, 4, "OutOfDate"}, /* module */
		{5, 13, {2, 1, 6}, 4, "OutOfDate"},
		{5, 13, {1, 1, 6}, 4, "Revoked"},
		{5, 13, {0, 1, 6}, 4, "TDX module: SVN 0"},
		{5, 13, {4, 1, 5}, 4, "OutOfDate"},
		{5, 10, {4, 1, 6}, 4, "OutOfDate"},
		{4, 13, {4, 1, 6}, 4, "OutOfDate"},
		{0, 13, {4, 1, 6}, 4, "below every SGX"},
		{5, 7, {4, 1, 6}, 4, "below every SGX"},
		{5, 13, {4, 1, 2}, 4, "below every TDX"},
		{5, 13, {4, 0, 6}, 4,
			"UpToDate"}, /* a module without a version: component 0 counts */
		{5, 13, {3, 0, 6}, 4, "OutOfDate"},
		{5, 13, {1, 0, 6}, 4, "below every TDX"},
		{5, 13, {4, 9, 6}, 4, "TDX_09"},
		{5, 13, {4, 1, 6}, 3, "OutOfDate"}, /* quoting enclave */
		{5, 12, {4, 1, 6}, 2, "OutOfDate"},
		{5, 13, {4, 1, 6}, 1, "Revoked"},
		{5, 13, {4, 1, 6}, 0, "quoting enclave: ISVSVN 0"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		start(4, false);
		memset(s.sgx_svn, rows[i].sgx, 3);
		s.pcesvn = rows[i].pcesvn;
		memcpy(s.td, rows[i].svn, 3);
		s.qe[258] = rows[i].qe;
		expect(rows[i].status);
	}
}

/* one_level() - TCB levels of one element that everything meets, with this status. */
static const char *one_level(const char *status)
{
	static char text[2048];
	char zeros[256] = "{\"svn\":0}";

	for (int i = 1; i < 16; i++)
		strcat(zeros, ",{\"svn\":0}");
	snprintf(text, sizeof(text),
		"[{\"tcb\":{\"sgxtcbcomponents\":[%s],\"pcesvn\":0,\"tdxtcbcomponents\":[%s]},"
		"\"tcbDate\":\"2024-01-01T00:00:00Z\",\"tcbStatus\":\"%s\"}]",
		zeros, zeros, status);
	return text;
}

static void tcb_eval_converges_module_and_enclave(void **state)
{
	static const char *const rows[][2] = {
		{"UpToDate", "OutOfDate"},
		{"SWHardeningNeeded", "OutOfDate"},
		{"ConfigurationNeeded", "OutOfDateConfigurationNeeded"},
		{"ConfigurationAndSWHardeningNeeded", "OutOfDateConfigurationNeeded"},
		{"OutOfDate", "OutOfDate"},
		{"OutOfDateConfigurationNeeded", "OutOfDateConfigurationNeeded"},
		{"Revoked", "Revoked"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		for (int old = 0; old < 3; old++) {
			start(4, false);
			s.tcb_levels = one_level(rows[i][0]);
			if (old == 1)
				s.td[0] = 2;
			if (old == 2)
				s.qe[258] = 2;
			expect(rows[i][old ? 1 : 0]);
		}
	start(4, false);
	s.tcb_levels = one_level("Fine");
	expect("status");
	start(4, false);
	s.tcb_levels = one_level("TDRelaunchAdvised");
	expect("status");
}

/* The newest level that is met counts, wherever it stands; of two alike the first. */
static void tcb_info_sorts_levels_of_an_enclave(void **state)
{
	static const struct {
		const char *first, *second;
		const char *want;
	} rows[] = {
		{"2},\"tcbStatus\":\"OutOfDate\"", "4},\"tcbStatus\":\"UpToDate\"", "UpToDate"},
		{"4},\"tcbStatus\":\"UpToDate\"", "2},\"tcbStatus\":\"OutOfDate\"", "UpToDate"},
		{"4},\"tcbStatus\":\"OutOfDate\"", "4},\"tcbStatus\":\"UpToDate\"", "OutOfDate"},
	};
	char text[512];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(text, sizeof(text),
			"[{\"tcbDate\":\"2024-01-01T00:00:00Z\",\"tcb\":{\"isvsvn\":%s},"
			"{\"tcbDate\":\"2024-01-01T00:00:00Z\",\"tcb\":{\"isvsvn\":%s}]",
			rows[i].first, rows[i].second);
		start(4, false);
		s.qe_levels = text;
		expect(rows[i].want);
	}
}

static void tcb_eval_advises_relaunch(void **state)
{
	static const struct {
		bool td15;
		uint8_t svn2[3], qe;
		const char *level, *status;
	} rows[] = {
		{true, {4, 1, 6}, 4, NULL, "TDRelaunchAdvised"},
		{false, {4, 1, 6}, 4, NULL, "OutOfDate"},
		{true, {3, 1, 6}, 4, NULL, "OutOfDate"},
		{true, {4, 1, 5}, 4, NULL, "OutOfDate"},
		{true, {4, 0, 6}, 4, NULL, "TDRelaunchAdvised"},
		{true, {3, 0, 6}, 4, NULL, "OutOfDate"},
		{true, {4, 7, 6}, 4, NULL, "TDX_07"},
		{true, {4, 1, 6}, 2, NULL, "OutOfDate"},
		{true, {4, 1, 6}, 1, NULL, "Revoked"},
		{true, {4, 1, 6}, 4, "ConfigurationNeeded", "TDRelaunchAdvisedConfigurationNeeded"},
		{true, {4, 1, 6}, 4, "SWHardeningNeeded", "TDRelaunchAdvised"},
		{true, {4, 1, 6}, 4, "OutOfDate", "OutOfDate"},
		{true, {4, 1, 6}, 4, "Revoked", "Revoked"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		start(5, rows[i].td15);
		s.td[0] = 2; /* the module that launched the TD is old */
		memcpy(s.td + 584, rows[i].svn2, 3);
		s.qe[258] = rows[i].qe;
		if (rows[i].level)
			s.tcb_levels = one_level(rows[i].level);
		expect(rows[i].status);
	}
}

static void tdx_verify_refuses_any_flipped_bit(void **state)
{
	struct tdx_verdict verdict;
	struct err e = ERR_INIT;

	(void)state;
	start(5, true);
	tdx_scene_make(&s);
	assert_int_equal(tdx_scene_judge(&s, &verdict, &e), 0);
	for (size_t at = 0; at < s.quote_len - 60; at += 11) {
		s.quote[at] ^= 0x10;
		assert_int_not_equal(tdx_scene_judge(&s, &verdict, &e), 0);
		s.quote[at] ^= 0x10;
	}
	for (size_t at = 0; at < strlen(s.tcb_info); at += 31) {
		s.tcb_info[at] ^= 1;
		assert_int_not_equal(tdx_scene_judge(&s, &verdict, &e), 0);
		s.tcb_info[at] ^= 1;
	}
	for (size_t at = 0; at < strlen(s.qe_identity); at += 17) {
		s.qe_identity[at] ^= 1;
		assert_int_not_equal(tdx_scene_judge(&s, &verdict, &e), 0);
		s.qe_identity[at] ^= 1;
	}
	assert_int_equal(tdx_scene_judge(&s, &verdict, &e), 0);
	tdx_scene_end(&s);
}

static void tdx_verify_refuses_other_modules_and_enclaves(void **state)
{
	static const struct {
		bool qe;
		uint16_t at;
		const char *reason;
	} rows[] = {
		{false, 64, "MRSIGNERSEAM"},
		{false, 112, "SEAMATTRIBUTES"},
		{true, 16, "MISCSELECT"},
		{true, 48, "ATTRIBUTES"},
		{true, 128, "MRSIGNER"},
		{true, 256, "ISVPRODID"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		start(4, false);
		(rows[i].qe ? s.qe : s.td)[rows[i].at] ^= 1;
		expect(rows[i].reason);
	}
	start(4, false);
	s.qe[48] ^= 4; /* outside of the mask */
	s.qe[60] ^= 4;
	expect("UpToDate");
}

static void tdx_verify_refuses_other_collateral(void **state)
{
	(void)state;
	start(4, false);
	s.tcb_head = "\"id\":\"SGX\",\"version\":3,\"fmspc\":\"AABBCC000001\",\"pceId\":\"0000\","
		     "\"tcbType\":0,\"tcbEvaluationDataNumber\":17";
	expect("than TDX");
	start(4, false);
	s.tcb_head = "\"id\":\"TDX\",\"version\":2,\"fmspc\":\"AABBCC000001\",\"pceId\":\"0000\","
		     "\"tcbType\":0,\"tcbEvaluationDataNumber\":17";
	expect("version 2");
	start(4, false);
	s.tcb_head = "\"id\":\"TDX\",\"version\":3,\"fmspc\":\"AABBCC000002\",\"pceId\":\"0000\","
		     "\"tcbType\":0,\"tcbEvaluationDataNumber\":17";
	expect("FMSPC");
	start(4, false);
	s.tcb_head = "\"id\":\"TDX\",\"version\":3,\"fmspc\":\"AABBCC000001\",\"pceId\":\"0100\","
		     "\"tcbType\":0,\"tcbEvaluationDataNumber\":17";
	expect("PCEID");
	start(4, false);
	s.tcb_head = "\"id\":\"TDX\",\"version\":3,\"fmspc\":\"AABBCC000001\",\"pceId\":\"0000\","
		     "\"tcbType\":1,\"tcbEvaluationDataNumber\":17";
	expect("tcbType");
	start(4, false);
	s.signs_tcb = TDX_PCK;
	expect("wrong signature");
	start(4, false);
	s.signs_qe = TDX_ROOT;
	expect("QE identity: wrong signature");
	start(4, false);
	s.dates = "\"issueDate\":\"2027-01-15T08:00:01Z\",\"nextUpdate\":\"2027-02-01T00:00:00Z\"";
	expect("issued after");
	start(4, false);
	s.dates = "\"issueDate\":\"2026-01-15T08:00:00Z\",\"nextUpdate\":\"2027-01-15T07:59:59Z\"";
	expect("expired");
	start(4, false);
	s.dates = "\"issueDate\":\"2027-01-15T08:00:00Z\",\"nextUpdate\":\"2027-01-15T08:00:00Z\"";
	expect("UpToDate");
	start(4, false);
	s.dates = "\"issueDate\":\"2027-02-30T08:00:00Z\",\"nextUpdate\":\"2027-03-15T08:00:00Z\"";
	expect("no date");
}

static void intel_chain_refuses_wrong_certificates(void **state)
{
	static const char *const names[TDX_AK] = {
		"not named", "no PCK CA", "leaf is not named", "signer is not named"};

	(void)state;
	for (int who = 0; who < TDX_AK; who++) {
		start(4, false);
		s.certs[who].cn = "Somebody";
		expect(names[who]);
		start(4, false);
		s.certs[who].to = PKI_NOW - 1;
		expect("expired");
		start(4, false);
		s.certs[who].to = PKI_NOW;
		expect("UpToDate");
		start(4, false);
		s.certs[who].from = PKI_NOW + 1;
		expect("not valid yet");
		start(4, false);
		s.certs[who].hash = "SHA384";
		expect("ECDSA and SHA-256");
		start(4, false);
		s.certs[who].constraints = who < TDX_PCK ? "CA:FALSE" : "CA:TRUE";
		expect("a CA");
		start(4, false);
		s.certs[who].exts[1] = (struct pki_ext){"1.2.3.4", "\x05\0", 2, true};
		if (who != TDX_PCK)
			s.certs[who].exts[0] = s.certs[who].exts[1];
		expect("unknown critical");
	}
	start(4, false);
	s.certs[TDX_PCK].issuer_key = s.keys[TDX_ROOT];
	expect("wrong signature");
	start(4, false);
	s.certs[TDX_ROOT].constraints = "CA:TRUE,pathlen:0";
	expect("too far");
}

static void crl_of_intel_is_enforced(void **state)
{
	(void)state;
	start(4, false);
	s.root_crl.revoked = 0x1000 + TDX_CA;
	expect("revoked");
	start(4, false);
	s.root_crl.revoked = 0x1000 + TDX_SIGNER;
	expect("revoked");
	start(4, false);
	s.root_crl.revoked = 0x1000 + TDX_PCK; /* not the root's to revoke */
	expect("UpToDate");
	start(4, false);
	s.pck_crl.revoked = 0x1000 + TDX_PCK;
	expect("revoked");
	start(4, false);
	s.pck_crl.to = PKI_NOW - 1;
	expect("expired");
	start(4, false);
	s.root_crl.from = PKI_NOW + 1;
	expect("not valid yet");
	start(4, false);
	s.pck_crl.key = s.keys[TDX_ROOT];
	expect("wrong signature");
	start(4, false);
	s.root_crl.key = s.keys[TDX_CA];
	expect("wrong signature");
}

static void tdx_verify_refuses_foreign_chains(void **state)
{
	struct tdx_verdict verdict;
	struct err e = ERR_INIT;
	X509 *other;

	(void)state;
	start(4, false);
	tdx_scene_make(&s);
	s.certs[TDX_ROOT].serial++;
	other = pki_cert(&s.certs[TDX_ROOT]);
	s.roots.certs[0] = other;
	assert_int_not_equal(tdx_scene_judge(&s, &verdict, &e), 0);
	s.roots = (struct cert_list){{s.made[TDX_CA]}, 1};
	assert_int_not_equal(tdx_scene_judge(&s, &verdict, &e), 0);
	s.roots = (struct cert_list){{s.made[TDX_ROOT]}, 1};
	s.signer_chain.n = 1;
	assert_int_not_equal(tdx_scene_judge(&s, &verdict, &e), 0);
	s.signer_chain = (struct cert_list){{s.made[TDX_ROOT], s.made[TDX_SIGNER]}, 2};
	assert_int_equal(tdx_scene_judge(&s, &verdict, &e), 0);
	s.signer_chain = (struct cert_list){{s.made[TDX_CA], s.made[TDX_ROOT]}, 2};
	assert_int_not_equal(tdx_scene_judge(&s, &verdict, &e), 0);
	X509_free(other);
	tdx_scene_end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tdx_verify_accepts_sound_quotes),
		cmocka_unit_test(tcb_eval_finds_the_status),
		cmocka_unit_test(tcb_eval_converges_module_and_enclave),
		cmocka_unit_test(tcb_info_sorts_levels_of_an_enclave),
		cmocka_unit_test(tcb_eval_advises_relaunch),
		cmocka_unit_test(tdx_verify_refuses_any_flipped_bit),
		cmocka_unit_test(tdx_verify_refuses_other_modules_and_enclaves),
		cmocka_unit_test(tdx_verify_refuses_other_collateral),
		cmocka_unit_test(intel_chain_refuses_wrong_certificates),
		cmocka_unit_test(crl_of_intel_is_enforced),
		cmocka_unit_test(tdx_verify_refuses_foreign_chains),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
