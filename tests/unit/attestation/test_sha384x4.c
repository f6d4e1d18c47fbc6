/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/sha384x4.h"
#include "tests/unit/attestation/is_hex.h"
#include "tests/unit/unit.h"

#include <string.h>

static uint8_t pages[SHA384X4_LANES][SHA384X4_LEN];

static void hash(uint8_t out[SHA384X4_LANES][DIGEST_SHA384_LEN])
{
	const uint8_t *at[SHA384X4_LANES];

	if (!sha384x4_usable())
		skip();
	for (size_t i = 0; i < SHA384X4_LANES; i++)
		at[i] = pages[i];
	sha384x4_pages(at, out);
}

static void sha384x4_gives_known_answers(void **state)
{
	uint8_t out[SHA384X4_LANES][DIGEST_SHA384_LEN];

	(void)state;
	memset(pages, 0, sizeof(pages));
	hash(out);
	for (size_t i = 0; i < SHA384X4_LANES; i++)
		is_hex(out[i], DIGEST_SHA384_LEN,
			"c0e59a3e3ffbd3b5c75428fb36432facabc745944296ff515f737c4fef4efc64"
			"586809f7a16f56354a1eaecf2aa8d774");
}

/* Every bit of every lane counts, and no lane takes from another: as libcrypto hashes them. */
static void sha384x4_agrees_with_libcrypto(void **state)
{
	uint8_t out[SHA384X4_LANES][DIGEST_SHA384_LEN], want[DIGEST_SHA384_LEN];
	uint64_t x = 1;
	struct err e;

	(void)state;
	for (int round = 0; round < 64; round++) {
		for (size_t i = 0; i < sizeof(pages); i++) {
			x = x * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
			((uint8_t *)pages)[i] = (uint8_t)(x >> 56);
		}
		memset(pages[round % SHA384X4_LANES], round, SHA384X4_LEN);
		hash(out);
		for (size_t i = 0; i < SHA384X4_LANES; i++) {
			assert_int_equal(
				digest_of(DIGEST_SHA384, pages[i], SHA384X4_LEN, want, &e), 0);
			assert_memory_equal(out[i], want, sizeof(want));
		}
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(sha384x4_gives_known_answers),
	cmocka_unit_test(sha384x4_agrees_with_libcrypto),
};
UNIT_MAIN(tests)
