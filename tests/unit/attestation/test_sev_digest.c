/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/sev_digest.h"
#include "tests/unit/attestation/is_hex.h"
#include "tests/unit/unit.h"

#include <string.h>

/* FIPS 180-4 example "abc" */
static const char abc[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

static void sev_digest_is_one_hash_over_all_bytes(void **state)
{
	uint8_t out[SEV_DIGEST_LEN];
	struct sev_digest d;
	struct err e;

	(void)state;
	assert_int_equal(sev_digest_init(&d, NULL, &e), 0);
	assert_int_equal(sev_digest_add(&d, "x", gpa_of(0), bytes_of("a", 1), &e), 0);
	assert_int_equal(sev_digest_add(&d, "x", gpa_of(0), bytes_of("", 0), &e), 0);
	assert_int_equal(sev_digest_add(&d, "y", gpa_of(9), bytes_of("bc", 2), &e), 0);
	assert_int_equal(sev_digest_value(&d, out, &e), 0);
	is_hex(out, SEV_DIGEST_LEN, abc);
	sev_digest_fini(&d);
}

struct seen {
	size_t n;
	uint64_t gpa, len;
	uint8_t last[SEV_DIGEST_LEN];
};

static void see(void *to, const struct trace_step *step)
{
	struct seen *seen = to;

	seen->n++;
	seen->gpa = step->gpa.v;
	seen->len = step->len;
	memcpy(seen->last, step->running, SEV_DIGEST_LEN);
}

static void sev_digest_shows_page_by_page(void **state)
{
	static const uint8_t zeros[2 * PAGE_SIZE + 3];
	struct seen seen = {0};
	const struct trace trace = {see, &seen};
	uint8_t out[SEV_DIGEST_LEN];
	struct sev_digest d;
	struct err e;

	(void)state;
	assert_int_equal(sev_digest_init(&d, &trace, &e), 0);
	assert_int_equal(
		sev_digest_add(&d, "x", gpa_of(0x1000), bytes_of(zeros, sizeof(zeros)), &e), 0);
	assert_int_equal(seen.n, 3);
	assert_int_equal(seen.gpa, 0x3000);
	assert_int_equal(seen.len, 3);
	assert_int_equal(sev_digest_value(&d, out, &e), 0);
	assert_memory_equal(seen.last, out, SEV_DIGEST_LEN);
	sev_digest_fini(&d);
	assert_int_equal(digest_of(DIGEST_SHA256, zeros, sizeof(zeros), seen.last, &e), 0);
	assert_memory_equal(seen.last, out, SEV_DIGEST_LEN);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(sev_digest_is_one_hash_over_all_bytes),
	cmocka_unit_test(sev_digest_shows_page_by_page),
};
UNIT_MAIN(tests)
