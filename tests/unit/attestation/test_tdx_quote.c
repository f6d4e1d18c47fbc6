/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/tdx_quote.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { HEADER = 48, TD10 = 584, TD15 = 648, QE = 384 };

static uint8_t raw[4096];
static size_t len;

static void put(uint64_t v, size_t n)
{
	memcpy(raw + len, &v, n);
	len += n;
}

/* fill() - bytes that tell where they stand. */
static void fill(size_t n)
{
	for (size_t end = len + n; len < end; len++)
		raw[len] = (uint8_t)(len * 7 + 1);
}

/* build() - a quote of this version and type of body, with certification data of a type. */
static void build(uint16_t version, uint16_t body, uint16_t cert_type, size_t cert_len)
{
	static const uint8_t vendor[] = {0x93, 0x9a, 0x72, 0x33, 0xf7, 0x9c, 0x4c, 0xa9, 0x94, 0x0a,
		0x0d, 0xb3, 0x95, 0x7f, 0x06, 0x07};
	size_t qe = QE + 64 + 2 + 32 + 2 + 4 + cert_len;

	len = 0;
	put(version, 2), put(2, 2), put(0x81, 4), put(0, 4);
	memcpy(raw + len, vendor, sizeof(vendor));
	len += sizeof(vendor);
	fill(20);
	if (version == 5)
		put(body, 2), put(body == 3 ? TD15 : TD10, 4);
	fill(version == 5 && body == 3 ? TD15 : TD10);
	put(64 + 64 + 2 + 4 + qe, 4);
	fill(64 + 64);
	put(6, 2), put(qe, 4);
	fill(QE + 64);
	put(32, 2);
	fill(32);
	put(cert_type, 2), put(cert_len, 4);
	fill(cert_len);
}

static int parse(struct tdx_quote *q, size_t n)
{
	uint8_t *copy = malloc(n + 1); /* so that reading past the end is seen */
	struct err e;
	int ret;

	memcpy(copy, raw, n);
	ret = tdx_quote_parse(q, bytes_of(copy, n), &e);
	free(copy);
	return ret;
}

static void tdx_quote_finds_every_field(void **state)
{
	struct tdx_quote q;
	struct err e;

	(void)state;
	for (uint16_t version = 4; version <= 5; version++)
		for (uint16_t body = 2; body <= (version == 5 ? 3 : 2); body++) {
			const uint8_t *b = raw + (version == 5 ? HEADER + 6 : HEADER);
			size_t body_len = body == 3 ? TD15 : TD10;

			build(version, body, 5, 100);
			assert_int_equal(tdx_quote_parse(&q, bytes_of(raw, len), &e), 0);
			assert_int_equal(q.version, version);
			assert_int_equal(q.td15, body == 3);
			assert_ptr_equal(q.signed_part.at, raw);
			assert_ptr_equal(q.signed_part.at + q.signed_part.left, b + body_len);
			assert_ptr_equal(q.tee_tcb_svn, b);
			assert_ptr_equal(q.mr_seam, b + 16);
			assert_ptr_equal(q.mrsigner_seam, b + 64);
			assert_ptr_equal(q.seam_attributes, b + 112);
			assert_ptr_equal(q.td_attributes, b + 120);
			assert_ptr_equal(q.xfam, b + 128);
			assert_ptr_equal(q.mrtd, b + 136);
			assert_ptr_equal(q.mr_config_id, b + 184);
			assert_ptr_equal(q.mr_owner, b + 232);
			assert_ptr_equal(q.mr_owner_config, b + 280);
			for (int i = 0; i < TDX_QUOTE_RTMRS; i++)
				assert_ptr_equal(q.rtmr[i], b + 328 + 48 * i);
			assert_ptr_equal(q.report_data, b + 520);
			assert_ptr_equal(q.tee_tcb_svn2, body == 3 ? b + 584 : NULL);
			assert_ptr_equal(q.mr_servicetd, body == 3 ? b + 600 : NULL);
			assert_ptr_equal(q.signature, b + body_len + 4);
			assert_ptr_equal(q.attest_key, q.signature + 64);
			assert_ptr_equal(q.qe_report, q.attest_key + 64 + 6);
			assert_ptr_equal(q.qe_report_sig, q.qe_report + QE);
			assert_ptr_equal(q.qe_auth.at, q.qe_report_sig + 64 + 2);
			assert_int_equal(q.qe_auth.left, 32);
			assert_int_equal(q.cert_type, 5);
			assert_ptr_equal(q.cert_data.at, raw + len - 100);
			assert_int_equal(q.cert_data.left, 100);
		}
}

static void tdx_quote_refuses_every_truncation(void **state)
{
	struct tdx_quote q;

	(void)state;
	build(5, 3, 5, 20);
	assert_int_equal(parse(&q, len), 0);
	for (size_t cut = 0; cut < len; cut++)
		assert_int_equal(parse(&q, cut), -EINVAL);
}

static void tdx_quote_takes_zeros_behind_it_only(void **state)
{
	struct tdx_quote q;

	(void)state;
	build(4, 2, 5, 20);
	memset(raw + len, 0, 300);
	assert_int_equal(parse(&q, len + 300), 0);
	raw[len + 299] = 1;
	assert_int_equal(parse(&q, len + 299), 0);
	assert_int_equal(parse(&q, len + 300), -EINVAL);
}

static void tdx_quote_refuses_other_headers(void **state)
{
	static const struct {
		size_t at;
		uint8_t value;
	} rows[] = {
		{0, 3},                           /* version */
		{0, 6},                           /* version */
		{2, 3},                           /* key type: P-384 */
		{4, 0},                           /* SGX */
		{12, 0},                          /* another vendor */
		{HEADER, 1},                      /* body of an enclave */
		{HEADER, 4},                      /* unknown body */
		{HEADER, 2},                      /* a TD 1.0 body with the length of 1.5 */
		{HEADER + 2, 0x48},               /* a length that no body has */
		{HEADER + 6 + TD15 + 4 + 128, 5}, /* no QE report in the signature data */
		{HEADER + 6 + TD15 + 4 + 130, 1}, /* a report that does not fill it */
	};
	struct tdx_quote q;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		build(5, 3, 5, 20);
		raw[rows[i].at] = rows[i].value;
		if (!parse(&q, len))
			fail_msg("row %zu was accepted", i);
	}
}

static void tdx_quote_knows_five_types_of_certification_data(void **state)
{
	static const struct {
		uint16_t type;
		size_t len;
		int ret;
	} rows[] = {
		{0, 36, -EINVAL},
		{1, 36, 0},
		{1, 35, -EINVAL},
		{2, 276, 0},
		{2, 36, -EINVAL},
		{3, 404, 0},
		{3, 276, -EINVAL},
		{4, 10, 0},
		{5, 0, 0},
		{5, 1000, 0},
		{6, 36, -EINVAL},
		{7, 36, -EINVAL},
	};
	struct tdx_quote q;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		build(4, 2, rows[i].type, rows[i].len);
		if (parse(&q, len) != rows[i].ret)
			fail_msg("row %zu", i);
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(tdx_quote_finds_every_field),
	cmocka_unit_test(tdx_quote_refuses_every_truncation),
	cmocka_unit_test(tdx_quote_takes_zeros_behind_it_only),
	cmocka_unit_test(tdx_quote_refuses_other_headers),
	cmocka_unit_test(tdx_quote_knows_five_types_of_certification_data),
};
UNIT_MAIN(tests)
