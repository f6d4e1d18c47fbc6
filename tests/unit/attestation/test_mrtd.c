/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/mrtd.h"
#include "tests/unit/attestation/is_hex.h"
#include "tests/unit/firmware.h"
#include "tests/unit/unit.h"

#include <errno.h>

/* Known answers come from another program that follows the specification. */
static const char page_by_page[] =
	"e653054ed78622045cd4c53bae114f0ade748ee1eb50495164e65369407cc231"
	"ac5531e968fea0e025905ebe0017d79a";
static const char two_pass[] = "10500cd30d0c9ce84c826db9d63e925e92c74aa7af4c87579e803d85d46909d9"
			       "75980355772390e2f686c669511430d5";

static uint8_t fw[FW_LEN];

static void build(struct image *image, enum image_page last)
{
	const struct image_part parts[] = {
		{gpa_of(0xffffe000), 0x2000, IMAGE_NORMAL, fw, 0x1800},
		{gpa_of(0x809000), 0x2000, IMAGE_UNMEASURED, NULL, 0},
		{gpa_of(0x810000), 0x1000, last, NULL, 0},
	};
	struct err e;

	fw_build(fw);
	image_init(image);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(image_add(image, &parts[i], &e), 0);
}

static void mrtd_knows_both_orders(void **state)
{
	uint8_t out[MRTD_LEN];
	struct image image;
	struct err e;

	(void)state;
	build(&image, IMAGE_UNMEASURED);
	assert_int_equal(mrtd_of_image(&image, MRTD_PAGE_BY_PAGE, NULL, out, &e), 0);
	is_hex(out, MRTD_LEN, page_by_page);
	assert_int_equal(mrtd_of_image(&image, MRTD_TWO_PASS, NULL, out, &e), 0);
	is_hex(out, MRTD_LEN, two_pass);
	image_fini(&image);
}

static void mrtd_refuses_pages_of_other_platforms(void **state)
{
	static const enum image_page types[] = {IMAGE_ZERO, IMAGE_SECRETS, IMAGE_CPUID, IMAGE_VMSA};
	uint8_t out[MRTD_LEN];
	struct image image;
	struct err e;

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		build(&image, types[i]);
		assert_int_equal(mrtd_of_image(&image, MRTD_PAGE_BY_PAGE, NULL, out, &e), -EINVAL);
		image_fini(&image);
	}
}

struct seen {
	size_t adds, extends;
	uint8_t last[MRTD_LEN];
};

static void see(void *to, const struct trace_step *step)
{
	struct seen *seen = to;

	if (step->contents)
		seen->extends++;
	else
		seen->adds++;
	memcpy(seen->last, step->running, MRTD_LEN);
}

static void mrtd_shows_each_call_and_stays_the_same(void **state)
{
	struct seen seen = {0};
	const struct trace trace = {see, &seen};
	uint8_t out[MRTD_LEN];
	struct image image;
	struct err e;

	(void)state;
	build(&image, IMAGE_UNMEASURED);
	assert_int_equal(mrtd_of_image(&image, MRTD_TWO_PASS, &trace, out, &e), 0);
	assert_int_equal(seen.adds, 5);
	assert_int_equal(seen.extends, 2);
	is_hex(out, MRTD_LEN, two_pass);
	is_hex(seen.last, MRTD_LEN, two_pass);
	image_fini(&image);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(mrtd_knows_both_orders),
	cmocka_unit_test(mrtd_refuses_pages_of_other_platforms),
	cmocka_unit_test(mrtd_shows_each_call_and_stays_the_same),
};
UNIT_MAIN(tests)
