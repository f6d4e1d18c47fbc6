/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/snp_digest.h"
#include "attestation/vmsa.h"
#include "base/bytes.h"
#include "tests/unit/attestation/is_hex.h"
#include "tests/unit/unit.h"

#include <string.h>

/* Known answers come from another program that follows the specification. */
static const char all_types[] = "13a97a5473e6de4ea54b09cb2eab2d8e0e2ac312f17bbcb5cb9eec0e4bfd58b9"
				"7f5dea643c71fcf440f233406c6dc103";
static const char zero_type[] = "adaaee5b69b6aaa99855b40daa4fd320e0435d3c415f6d61b5fe20c8253eea6b"
				"a9fbc47dd725d4f4cb7789cf62f0258d";

static uint8_t pattern[PAGE_SIZE], vmsa[PAGE_SIZE];

static void add(
	struct image *image, uint64_t gpa, uint64_t len, enum image_page type, const void *bytes)
{
	struct err e;

	assert_int_equal(image_add(image,
				 &(struct image_part){.gpa = gpa_of(gpa),
					 .len = len,
					 .type = type,
					 .bytes = bytes,
					 .bytes_len = bytes ? len : 0},
				 &e),
		0);
}

/* build() - one part of each type */
static void build(struct image *image, enum image_page empty)
{
	for (size_t i = 0; i < PAGE_SIZE; i++)
		pattern[i] = (uint8_t)(i * 5);
	store_le64(vmsa + 0x158, 0x31);
	image_init(image);
	add(image, 0x1000, PAGE_SIZE, IMAGE_NORMAL, pattern);
	add(image, 0x2000, PAGE_SIZE, empty, NULL);
	add(image, 0x3000, PAGE_SIZE, IMAGE_UNMEASURED, pattern);
	add(image, 0x4000, PAGE_SIZE, IMAGE_SECRETS, NULL);
	add(image, 0x5000, PAGE_SIZE, IMAGE_CPUID, NULL);
	add(image, 0x6000, 2 * PAGE_SIZE, IMAGE_UNMEASURED, NULL);
	add(image, VMSA_GPA, PAGE_SIZE, IMAGE_VMSA, vmsa);
}

static void snp_digest_knows_every_page_type(void **state)
{
	struct snp_digest d;
	struct image image;
	struct err e;

	(void)state;
	build(&image, IMAGE_NORMAL);
	assert_int_equal(snp_digest_init(&d, NULL, NULL, &e), 0);
	assert_int_equal(snp_digest_image(&d, &image, &e), 0);
	is_hex(d.value, SNP_DIGEST_LEN, all_types);
	snp_digest_fini(&d);
	image_fini(&image);
	build(&image, IMAGE_ZERO);
	assert_int_equal(snp_digest_init(&d, NULL, NULL, &e), 0);
	assert_int_equal(snp_digest_image(&d, &image, &e), 0);
	is_hex(d.value, SNP_DIGEST_LEN, zero_type);
	snp_digest_fini(&d);
	image_fini(&image);
}

static void snp_digest_goes_on_from_a_seed(void **state)
{
	uint8_t seed[SNP_DIGEST_LEN];
	struct snp_digest d;
	struct image image;
	struct err e;

	(void)state;
	build(&image, IMAGE_NORMAL);
	image.n_parts--; /* the VMSA comes as one below */
	assert_int_equal(snp_digest_init(&d, NULL, NULL, &e), 0);
	assert_int_equal(snp_digest_image(&d, &image, &e), 0);
	memcpy(seed, d.value, sizeof(seed));
	snp_digest_fini(&d);
	assert_int_equal(snp_digest_init(&d, seed, NULL, &e), 0);
	assert_int_equal(snp_digest_vmsa(&d, vmsa, 0, &e), 0);
	assert_memory_equal(d.value, seed, sizeof(seed));
	assert_int_equal(snp_digest_vmsa(&d, vmsa, 1, &e), 0);
	is_hex(d.value, SNP_DIGEST_LEN, all_types);
	snp_digest_fini(&d);
	image_fini(&image);
}

/* Runs of equal pages take a short cut; it must not show. */
static void snp_digest_is_the_same_with_and_without_runs(void **state)
{
	static uint8_t run[5 * PAGE_SIZE];
	uint8_t apart[SNP_DIGEST_LEN];
	struct snp_digest d;
	struct image one, many;
	struct err e;

	(void)state;
	memset(run, 0xff, 2 * PAGE_SIZE);
	memset(run + 3 * PAGE_SIZE, 0xff, PAGE_SIZE);
	image_init(&one);
	image_init(&many);
	add(&one, 0, sizeof(run), IMAGE_NORMAL, run);
	for (size_t at = 0; at < sizeof(run); at += PAGE_SIZE)
		add(&many, at, PAGE_SIZE, IMAGE_NORMAL, run + at);
	assert_int_equal(snp_digest_init(&d, NULL, NULL, &e), 0);
	assert_int_equal(snp_digest_image(&d, &many, &e), 0);
	memcpy(apart, d.value, sizeof(apart));
	snp_digest_fini(&d);
	assert_int_equal(snp_digest_init(&d, NULL, NULL, &e), 0);
	assert_int_equal(snp_digest_image(&d, &one, &e), 0);
	assert_memory_equal(d.value, apart, sizeof(apart));
	snp_digest_fini(&d);
	image_fini(&one);
	image_fini(&many);
}

static void snp_digest_pads_a_short_page_with_zeros(void **state)
{
	static uint8_t padded[PAGE_SIZE] = "short";
	uint8_t values[2][SNP_DIGEST_LEN];
	struct err e;

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct snp_digest d;
		struct image image;

		image_init(&image);
		add(&image, 0, PAGE_SIZE, IMAGE_NORMAL, padded);
		image.parts[0].bytes_len = i ? 5 : PAGE_SIZE;
		assert_int_equal(snp_digest_init(&d, NULL, NULL, &e), 0);
		assert_int_equal(snp_digest_image(&d, &image, &e), 0);
		memcpy(values[i], d.value, SNP_DIGEST_LEN);
		snp_digest_fini(&d);
		image_fini(&image);
	}
	assert_memory_equal(values[0], values[1], SNP_DIGEST_LEN);
}

/* Pages are hashed ahead in windows; where one ends must not show. */
static void snp_digest_is_the_same_in_one_part_and_in_many(void **state)
{
	static uint8_t bytes[4200 * PAGE_SIZE];
	uint8_t apart[SNP_DIGEST_LEN];
	struct snp_digest d;
	struct image one, many;
	struct err e;

	(void)state;
	for (size_t at = 0; at < sizeof(bytes); at += PAGE_SIZE)
		store_le64(bytes + at + at / PAGE_SIZE % 4000, at);
	image_init(&one);
	image_init(&many);
	add(&one, 0, sizeof(bytes), IMAGE_NORMAL, bytes);
	for (size_t at = 0; at < sizeof(bytes); at += 700 * PAGE_SIZE)
		add(&many, at, 700 * PAGE_SIZE, IMAGE_NORMAL, bytes + at);
	assert_int_equal(snp_digest_init(&d, NULL, NULL, &e), 0);
	for (size_t i = 0; i < many.n_parts; i++) {
		struct image part = {.parts = &many.parts[i], .n_parts = 1};

		assert_int_equal(snp_digest_image(&d, &part, &e), 0);
	}
	memcpy(apart, d.value, sizeof(apart));
	snp_digest_fini(&d);
	assert_int_equal(snp_digest_init(&d, NULL, NULL, &e), 0);
	assert_int_equal(snp_digest_image(&d, &one, &e), 0);
	assert_memory_equal(d.value, apart, sizeof(apart));
	snp_digest_fini(&d);
	image_fini(&one);
	image_fini(&many);
}

struct seen {
	size_t n;
	uint8_t last[SNP_DIGEST_LEN];
	uint64_t gpas[16];
	const char *what[16];
};

static void see(void *to, const struct trace_step *step)
{
	struct seen *seen = to;

	seen->gpas[seen->n] = step->gpa.v;
	seen->what[seen->n++] = step->what;
	memcpy(seen->last, step->running, sizeof(seen->last));
}

static void snp_digest_shows_each_page(void **state)
{
	struct seen seen = {0};
	const struct trace trace = {see, &seen};
	struct snp_digest d;
	struct image image;
	struct err e;

	(void)state;
	build(&image, IMAGE_NORMAL);
	assert_int_equal(snp_digest_init(&d, NULL, &trace, &e), 0);
	assert_int_equal(snp_digest_image(&d, &image, &e), 0);
	assert_int_equal(seen.n, 8);
	assert_string_equal(seen.what[3], "SECRETS");
	assert_int_equal(seen.gpas[6], 0x7000);
	assert_memory_equal(seen.last, d.value, SNP_DIGEST_LEN);
	snp_digest_fini(&d);
	image_fini(&image);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(snp_digest_knows_every_page_type),
	cmocka_unit_test(snp_digest_goes_on_from_a_seed),
	cmocka_unit_test(snp_digest_is_the_same_with_and_without_runs),
	cmocka_unit_test(snp_digest_is_the_same_in_one_part_and_in_many),
	cmocka_unit_test(snp_digest_pads_a_short_page_with_zeros),
	cmocka_unit_test(snp_digest_shows_each_page),
};
UNIT_MAIN(tests)
