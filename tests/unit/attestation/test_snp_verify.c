/* SPDX-License-Identifier: Apache-2.0 */
/* Reports, VCEK and VLEK certificates, their chain and CRL: sound ones, then one fault at a time.
 */
#include "attestation/snp_verify.h"
#include "tests/unit/attestation/snp_scene.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <string.h>

static struct snp_scene s; /* one at a time */

/* expect() - make, judge and end the scene; reason: part of the refusal, NULL for none. */
static void expect(const char *reason)
{
	struct err e = ERR_INIT;
	int ret;

	snp_scene_make(&s);
	ret = snp_scene_judge(&s, &e);
	if (reason ? !ret || !strstr(e.text, reason) : ret)
		fail_msg("expected '%s', got %d '%s'", reason ? reason : "accepted", ret, e.text);
	snp_scene_end(&s);
}

static void milan(void)
{
	snp_scene_start(&s, "Milan", "Milan-B0", 3, false);
}

static void snp_verify_accepts_sound_reports(void **state)
{
	(void)state;
	for (uint32_t version = 2; version <= 5; version++) {
		snp_scene_start(&s, "Milan", "Milan-B0", version, false);
		expect(NULL);
		snp_scene_start(&s, "Genoa", "Genoa", version, false);
		expect(NULL);
	}
	snp_scene_start(&s, "Turin", "Turin", 5, false);
	expect(NULL);
	snp_scene_start(&s, "Milan", "Milan-B0", 2, true);
	expect(NULL);
	snp_scene_start(&s, "Turin", "Turin", 3, true);
	expect(NULL);
}

static void snp_verify_refuses_any_flipped_bit(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	milan();
	snp_scene_make(&s);
	assert_int_equal(snp_scene_judge(&s, &e), 0);
	for (size_t at = 0; at < SNP_REPORT_LEN; at += at < 0x2a0 ? 13 : 7) {
		s.report[at] ^= 0x10;
		assert_int_not_equal(snp_scene_judge(&s, &e), 0);
		s.report[at] ^= 0x10;
	}
	assert_int_equal(snp_scene_judge(&s, &e), 0);
	snp_scene_end(&s);
}

static void snp_verify_refuses_faults_that_are_signed(void **state)
{
	static const struct {
		uint16_t at;
		uint8_t value;
		const char *reason;
	} faults[] = {
		{0x34, 2, "algorithm 2"},
		{0x48, 2, "masks"},
		{0x48, 7 << 2, "nobody"},
		{0x48, 2 << 2, "key 2"},
		{0x48, 1 << 2, "signed with a VLEK"},
		{0x49, 1, "reserved"},
		{0x4c, 1, "reserved"},
		{0x0a, 1, "policy"},
		{0x0b, 4 | 3, "policy"},
		{0x30, 4, "VMPL"},
		{0x180, 9, "another TCB"},
		{0x182, 1, "another TCB"},
		{0x188, 0x1a, "the certificate of Milan"},
		{0x188, 0x77, "no known product"},
		{0x189, 0x11, "the certificate of Milan"},
		{0x18b, 1, "reserved"},
		{0x1a0, 1, "another chip"},
		{0x1df, 1, "another chip"},
		{0x1eb, 1, "reserved"},
		{0x1f8, 1, "reserved"},
		{0x29f, 1, "reserved"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		milan();
		s.report[faults[i].at] = faults[i].value;
		expect(faults[i].reason);
	}
}

static void snp_verify_refuses_versions_and_lengths(void **state)
{
	struct snp_report report;
	struct err e = ERR_INIT;

	(void)state;
	milan();
	for (size_t len = 0; len < SNP_REPORT_LEN; len++)
		assert_int_equal(snp_report_parse(&report, bytes_of(s.report, len), &e), -EINVAL);
	for (uint32_t version = 0; version < 9; version++) {
		store_le32(s.report, version);
		assert_int_equal(snp_report_parse(&report, bytes_of(s.report, 1184), &e),
			version < 2 || version > 5 ? -EINVAL : 0);
	}
	expect("version 8");
}

static void snp_verify_skips_the_chip_when_masked(void **state)
{
	(void)state;
	milan();
	memset(s.report + 0x1a0, 0, 64);
	expect(NULL);
	snp_scene_start(&s, "Turin", "Turin", 5, false);
	s.report[0x1a0] ^= 1;
	expect("another chip");
	snp_scene_start(&s, "Milan", "Milan-B0", 3, true);
	s.report[0x1a0] ^= 1; /* a VLEK is of no chip */
	expect(NULL);
}

static void snp_verify_accepts_mitigation_vectors_of_version_5_only(void **state)
{
	(void)state;
	snp_scene_start(&s, "Genoa", "Genoa-B1", 5, false);
	s.report[0x1f8] = s.report[0x207] = 1;
	expect(NULL);
	snp_scene_start(&s, "Genoa", "Genoa-B1", 5, false);
	s.report[0x208] = 1;
	expect("reserved");
}

static void vek_refuses_wrong_extensions(void **state)
{
	(void)state;
	milan();
	s.vek.exts[1].len--; /* product text cut */
	expect("names no product");
	snp_scene_start(&s, "Milan", "Venice-A0", 3, false);
	expect("unknown");
	milan();
	s.vek.exts[3] = s.vek.exts[2]; /* one SPL twice, one absent */
	expect("TCB extensions");
	milan();
	s.vek.exts[10].len = 63;
	expect("hardware id");
	milan();
	s.vek.exts[10].oid = "1.3.6.1.4.1.3704.1.9";
	expect("neither");
	milan();
	s.ext_data[0][2] = 2;
	expect("known layout");
	milan();
	s.vek.cn = "SEV-VLEK";
	expect("named");
}

static void vek_refuses_wrong_chains(void **state)
{
	(void)state;
	snp_scene_start(&s, "Genoa", "Milan-B0", 3, false);
	expect("under root");
	milan();
	s.ask.cn = "SEV-Genoa";
	expect("under intermediate");
	milan();
	s.ask.ca = false;
	s.ask.constraints = NULL;
	s.ask.usage = "critical,digitalSignature";
	expect("not a CA");
	milan();
	s.ask.usage = "critical,cRLSign";
	expect("not a CA");
	milan();
	s.vek.constraints = "critical,CA:TRUE";
	expect("is a CA");
	milan();
	s.vek.usage = "critical,keyAgreement";
	expect("not for signatures");
	milan();
	s.ark.constraints = "critical,CA:TRUE,pathlen:0";
	expect("too far");
	milan();
	s.ask.exts[0] = (struct pki_ext){"1.2.3.4", "\x05\0", 2, true};
	expect("unknown critical");
	milan();
	s.ask.salt = 32;
	expect("RSASSA-PSS");
	milan();
	s.vek.hash = "SHA256";
	expect("RSASSA-PSS");
	milan();
	s.vek.pss = false;
	s.vek.hash = "SHA384";
	expect("RSASSA-PSS");
}

static void vek_refuses_times_outside_of_validity(void **state)
{
	(void)state;
	for (int which = 0; which < 3; which++) {
		for (int end = 0; end < 4; end++) {
			struct pki_spec *spec;

			milan();
			spec = which == 0 ? &s.ark : which == 1 ? &s.ask : &s.vek;
			spec->from = PKI_NOW - 100;
			spec->to = PKI_NOW + 100;
			s.now += (int64_t[]){-101, -100, 100, 101}[end];
			expect(end == 0 ? "not valid yet" : end == 3 ? "expired" : NULL);
		}
	}
}

static void vek_refuses_foreign_roots(void **state)
{
	struct err e = ERR_INIT;
	X509 *other;

	(void)state;
	milan();
	snp_scene_make(&s);
	s.ark.serial = 2; /* same name, same key, another certificate */
	other = pki_cert(&s.ark);
	s.roots.certs[0] = other;
	assert_int_not_equal(snp_scene_judge(&s, &e), 0);
	s.roots = (struct cert_list){{s.certs[1]}, 1}; /* an ASK is not to be trusted */
	assert_int_not_equal(snp_scene_judge(&s, &e), 0);
	s.roots = (struct cert_list){{s.certs[1], s.certs[0]}, 2};
	assert_int_equal(snp_scene_judge(&s, &e), 0);
	s.chain.n = 1;
	assert_int_not_equal(snp_scene_judge(&s, &e), 0);
	s.chain = (struct cert_list){{s.certs[0], s.certs[1]}, 2};
	assert_int_equal(snp_scene_judge(&s, &e), 0);
	s.chain = (struct cert_list){{s.certs[0], s.certs[1], s.certs[2]}, 3};
	assert_int_not_equal(snp_scene_judge(&s, &e), 0);
	s.chain = (struct cert_list){{s.certs[0], s.certs[0]}, 2};
	assert_int_not_equal(snp_scene_judge(&s, &e), 0);
	X509_free(other);
	snp_scene_end(&s);
}

static void crl_is_enforced(void **state)
{
	(void)state;
	milan();
	s.use_crl = true;
	expect(NULL);
	milan();
	s.use_crl = true;
	s.crl.revoked = 0x1001;
	expect("revoked");
	milan();
	s.use_crl = true;
	s.crl.revoked = 0x1002;
	expect(NULL);
	milan();
	s.use_crl = true;
	s.crl.to = PKI_NOW - 1;
	expect("expired");
	milan();
	s.use_crl = true;
	s.crl.from = PKI_NOW + 1;
	expect("not valid yet");
	milan();
	s.use_crl = s.crl.no_end = true;
	expect("without a period");
	milan();
	s.use_crl = true;
	s.crl.critical_oid = "1.2.3.4";
	expect("only a part");
	milan();
	s.use_crl = true;
	s.crl.critical_oid = "2.5.29.27"; /* delta */
	expect("only a part");
	milan();
	s.use_crl = true;
	s.crl.part = "critical,indirectCRL:FALSE"; /* all of it */
	expect(NULL);
	milan();
	s.use_crl = true;
	s.crl.part = "critical,onlyuser:TRUE";
	expect("only a part");
	milan();
	s.use_crl = true;
	s.crl.part = "onlysomereasons:keyCompromise";
	expect("only a part");
	milan();
	s.use_crl = true;
	s.ark.usage = "critical,keyCertSign";
	expect("may not sign lists");
	milan();
	s.use_crl = true;
	s.crl.key = s.ec;
	s.crl.pss = false;
	expect("RSASSA-PSS");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(snp_verify_accepts_sound_reports),
		cmocka_unit_test(snp_verify_refuses_any_flipped_bit),
		cmocka_unit_test(snp_verify_refuses_faults_that_are_signed),
		cmocka_unit_test(snp_verify_refuses_versions_and_lengths),
		cmocka_unit_test(snp_verify_skips_the_chip_when_masked),
		cmocka_unit_test(snp_verify_accepts_mitigation_vectors_of_version_5_only),
		cmocka_unit_test(vek_refuses_wrong_extensions),
		cmocka_unit_test(vek_refuses_wrong_chains),
		cmocka_unit_test(vek_refuses_times_outside_of_validity),
		cmocka_unit_test(vek_refuses_foreign_roots),
		cmocka_unit_test(crl_is_enforced),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
