/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/digest.h"
#include "base/hex.h"
#include "tests/unit/unit.h"

#include <string.h>

static void is_hex(const uint8_t *got, size_t len, const char *want)
{
	char text[HEX_TEXT_LEN(DIGEST_MAX_LEN)];

	hex_encode(text, got, len);
	assert_string_equal(text, want);
}

/* FIPS 180-4 example "abc" */
static const char sha256_abc[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
static const char sha384_abc[] = "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed"
				 "8086072ba1e7cc2358baeca134c825a7";

static void digest_knows_abc(void **state)
{
	uint8_t out[DIGEST_MAX_LEN];
	struct err e;

	(void)state;
	assert_int_equal(digest_of(DIGEST_SHA256, "abc", 3, out, &e), 0);
	is_hex(out, DIGEST_SHA256_LEN, sha256_abc);
	assert_int_equal(digest_of(DIGEST_SHA384, "abc", 3, out, &e), 0);
	is_hex(out, DIGEST_SHA384_LEN, sha384_abc);
}

static void digest_begins_again_after_final(void **state)
{
	struct digest d;
	uint8_t out[DIGEST_MAX_LEN];
	struct err e;

	(void)state;
	assert_int_equal(digest_init(&d, DIGEST_SHA384, &e), 0);
	for (int i = 0; i < 3; i++) {
		digest_update(&d, "a", 1);
		digest_update(&d, "", 0);
		digest_update(&d, "bc", 2);
		assert_int_equal(digest_final(&d, out, &e), 0);
		is_hex(out, DIGEST_SHA384_LEN, sha384_abc);
	}
	digest_fini(&d);
	digest_fini(&d);
}

static void digest_stays_failed_until_final(void **state)
{
	struct digest d;
	uint8_t out[DIGEST_MAX_LEN], zeros[DIGEST_MAX_LEN] = {0};
	struct err e;

	(void)state;
	assert_int_equal(digest_init(&d, DIGEST_SHA256, &e), 0);
	d.failed = true;
	digest_update(&d, "abc", 3);
	assert_int_not_equal(digest_final(&d, out, &e), 0);
	assert_memory_equal(out, zeros, DIGEST_SHA256_LEN);
	digest_update(&d, "abc", 3);
	assert_int_equal(digest_final(&d, out, &e), 0);
	is_hex(out, DIGEST_SHA256_LEN, sha256_abc);
	digest_fini(&d);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(digest_knows_abc),
	cmocka_unit_test(digest_begins_again_after_final),
	cmocka_unit_test(digest_stays_failed_until_final),
};
UNIT_MAIN(tests)
