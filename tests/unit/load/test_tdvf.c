/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/firmware.h"
#include "tests/unit/unit.h"
#include "vmm/load/tdvf.h"

#include <errno.h>
#include <stdlib.h>

static uint8_t file[FW_LEN];
static struct tdvf fw;
static struct image image;

static int setup(void **state)
{
	(void)state;
	fw_build(file);
	image_init(&image);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	image_fini(&image);
	return 0;
}

/* load() - parse and build an image. Return: the first failure. */
static int load(struct err *e)
{
	int ret = tdvf_parse(&fw, bytes_of(file, FW_LEN), e);

	image_fini(&image);
	return ret ? ret : tdvf_image_add(&image, &fw, e);
}

static void is_part(size_t i, uint64_t gpa, uint64_t len, enum image_page type, size_t bytes)
{
	assert_int_equal(image.parts[i].gpa.v, gpa);
	assert_int_equal(image.parts[i].len, len);
	assert_int_equal(image.parts[i].type, type);
	assert_int_equal(image.parts[i].bytes_len, bytes);
}

static void tdvf_lists_sections_in_table_order(void **state)
{
	struct err e;

	(void)state;
	assert_int_equal(load(&e), 0);
	assert_int_equal(image.n_parts, 4);
	is_part(0, 0xfffff000, 0x1000, IMAGE_NORMAL, 0x1000);
	assert_ptr_equal(image.parts[0].bytes, file + 0x1000);
	is_part(1, 0xffffe000, 0x1000, IMAGE_UNMEASURED, 0x800);
	is_part(2, 0x809000, 0x2000, IMAGE_UNMEASURED, 0);
	is_part(3, 0x810000, 0x1000, IMAGE_UNMEASURED, 0);
}

static void tdvf_finds_metadata_of_td_shim(void **state)
{
	struct err e;

	(void)state;
	file[FW_FOOTER + 2] ^= 1; /* no footer table */
	store_le32(file + FW_LEN - 0x20, FW_TDVF);
	assert_int_equal(load(&e), 0);
	assert_int_equal(image.n_parts, 4);
	store_le32(file + FW_LEN - 0x20, 15);
	assert_int_equal(load(&e), -EINVAL);
	store_le32(file + FW_LEN - 0x20, UINT32_MAX);
	assert_int_equal(load(&e), -EINVAL);
}

static void tdvf_leaves_out_what_the_guest_accepts(void **state)
{
	struct err e;

	(void)state;
	store_le32(file + FW_TD(3) + 28, TDVF_PAGE_AUG);
	store_le64(file + FW_TD(3) + 16, GIB(64));
	assert_int_equal(load(&e), 0);
	assert_int_equal(image.n_parts, 3);
}

static void tdvf_bounds_what_is_hashed(void **state)
{
	struct err e;

	(void)state;
	store_le32(file + FW_TD(3) + 28, TDVF_MR_EXTEND);
	store_le64(file + FW_TD(3) + 16, TDVF_MEASURED_MAX);
	assert_int_equal(load(&e), -EINVAL);
	store_le64(file + FW_TD(3) + 16, TDVF_MEASURED_MAX - PAGE_SIZE);
	assert_int_equal(load(&e), 0);
}

static const struct {
	size_t at, size;
	uint64_t value;
	const char *what;
} breaks[] = {
	{FW_FOOTER - 22 - 26 - 22 - 1, 1, 0, "no TDX entry"},
	{FW_TDVF - GUID_LEN, 1, 0, "GUID"},
	{FW_TDVF, 1, 'X', "signature"},
	{FW_TDVF + 4, 4, 15, "length below the header"},
	{FW_TDVF + 4, 4, 16 + 32 * FW_TDVF_N - 1, "length below the sections"},
	{FW_TDVF + 4, 4, UINT32_MAX, "length past the file"},
	{FW_TDVF + 8, 4, 0, "version"},
	{FW_TDVF + 12, 4, 0, "no sections"},
	{FW_TDVF + 12, 4, FW_TDVF_N + 1, "count"},
	{FW_TDVF + 12, 4, UINT32_MAX, "count"},
	{FW_TD(0), 4, 0x1001, "data past the end"},
	{FW_TD(0), 4, 0xfffff000, "data past the end"},
	{FW_TD(0) + 4, 4, 0x1001, "more data than memory"},
	{FW_TD(0) + 4, 4, 0, "BFV without data"},
	{FW_TD(1) + 4, 4, 0, "CFV without data"},
	{FW_TD(2) + 4, 4, 0x1000, "HOB with data"},
	{FW_TD(3) + 4, 4, 0x1000, "temporary memory with data"},
	{FW_TD(0) + 8, 8, 0xfffff800, "unaligned address"},
	{FW_TD(0) + 16, 8, 0x1800, "unaligned size"},
	{FW_TD(0) + 8, 8, UINT64_MAX - 0xfff, "wraps"},
	{FW_TD(3) + 16, 8, UINT64_C(1) << 47, "past all addresses"},
	{FW_TD(3) + 16, 8, GIB(2), "more than is allowed"},
	{FW_TD(0) + 24, 4, 9, "type"},
	{FW_TD(0) + 28, 4, 3, "extended and not added"},
	{FW_TD(0) + 28, 4, 4, "attribute"},
	{FW_TD(2) + 28, 4, 1, "measured HOB"},
	{FW_TD(3) + 8, 8, 0x80a000, "overlap"},
};

static void tdvf_refuses_each_broken_field(void **state)
{
	struct err e;

	(void)state;
	for (size_t i = 0; i < sizeof(breaks) / sizeof(breaks[0]); i++) {
		fw_build(file);
		memcpy(file + breaks[i].at, &breaks[i].value, breaks[i].size);
		if (!load(&e))
			fail_msg("accepted: %s", breaks[i].what);
	}
}

static void tdvf_refuses_an_image_without_its_variables(void **state)
{
	struct err e;

	(void)state;
	assert_int_equal(tdvf_parse(&fw, bytes_of(file + 0x1000, 0x1000), &e), -EINVAL);
	assert_non_null(strstr(e.text, "cut image"));
}

static void tdvf_survives_every_truncation(void **state)
{
	struct err e;

	(void)state;
	for (size_t cut = 0; cut < FW_LEN; cut++) {
		uint8_t *front = malloc(cut + 1), *back = malloc(cut + 1);

		memcpy(front, file, cut);
		memcpy(back, file + FW_LEN - cut, cut);
		assert_int_equal(tdvf_parse(&fw, bytes_of(front, cut), &e), -EINVAL);
		assert_int_equal(tdvf_parse(&fw, bytes_of(back, cut), &e), -EINVAL);
		free(front);
		free(back);
	}
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
static const struct CMUnitTest tests[] = {
	CASE(tdvf_lists_sections_in_table_order),
	CASE(tdvf_finds_metadata_of_td_shim),
	CASE(tdvf_leaves_out_what_the_guest_accepts),
	CASE(tdvf_bounds_what_is_hashed),
	CASE(tdvf_refuses_each_broken_field),
	CASE(tdvf_refuses_an_image_without_its_variables),
	CASE(tdvf_survives_every_truncation),
};
UNIT_MAIN(tests)
