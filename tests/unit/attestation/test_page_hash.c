/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/page_hash.h"
#include "tests/unit/unit.h"

#include <string.h>

#define PAGE 4096
#define MANY 1100 /* enough for several threads, and no multiple of anything */

static uint8_t bytes[MANY * PAGE];
static struct page_hash pages[MANY];

/* check() - hash n pages and compare each with libcrypto's hash of it. */
static void check(size_t n)
{
	static const uint8_t untouched[DIGEST_SHA384_LEN];
	uint8_t want[DIGEST_SHA384_LEN];
	struct err e;

	for (size_t i = 0; i < n; i++)
		memset(pages[i].out, 0, sizeof(pages[i].out));
	assert_int_equal(page_hash_all(pages, n, &e), 0);
	for (size_t i = 0; i < n; i++) {
		if (!pages[i].bytes) {
			assert_memory_equal(pages[i].out, untouched, sizeof(untouched));
			continue;
		}
		assert_int_equal(digest_of(DIGEST_SHA384, pages[i].bytes, PAGE, want, &e), 0);
		assert_memory_equal(pages[i].out, want, sizeof(want));
	}
}

static void fill(void)
{
	for (size_t i = 0; i < MANY; i++) {
		memset(bytes + i * PAGE, 0, PAGE);
		memcpy(bytes + i * PAGE + i % (PAGE - 8), &i, sizeof(i));
		pages[i].bytes = bytes + i * PAGE;
	}
}

static void page_hash_hashes_any_number_of_pages(void **state)
{
	(void)state;
	fill();
	for (size_t n = 0; n < 12; n++)
		check(n);
	check(MANY);
}

static void page_hash_skips_pages_that_are_not_hashed(void **state)
{
	(void)state;
	fill();
	for (size_t i = 0; i < MANY; i += 3)
		pages[i].bytes = NULL;
	for (size_t n = 0; n < 12; n++)
		check(n);
	check(MANY);
}

/* Runs of equal pages take a short cut; it must not show, nor where a share of a thread begins. */
static void page_hash_knows_runs_of_equal_pages(void **state)
{
	(void)state;
	fill();
	for (size_t i = 0; i < MANY; i++)
		if (i % 11 && i % 7)
			memset(bytes + i * PAGE, i % 5 ? 0xff : 0, PAGE);
	pages[4].bytes = pages[5].bytes = pages[3].bytes;
	for (size_t n = 0; n < 40; n++)
		check(n);
	check(MANY);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(page_hash_hashes_any_number_of_pages),
	cmocka_unit_test(page_hash_skips_pages_that_are_not_hashed),
	cmocka_unit_test(page_hash_knows_runs_of_equal_pages),
};
UNIT_MAIN(tests)
