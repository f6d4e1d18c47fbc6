/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/firmware.h"
#include "tests/unit/unit.h"
#include "vmm/load/ovmf.h"

#include <errno.h>
#include <stdlib.h>

static uint8_t image[FW_LEN];
static struct ovmf fw;

static int setup(void **state)
{
	(void)state;
	fw_build(image);
	return 0;
}

/* load() - parse the image and its sections. Return: the first failure. */
static int load(struct err *e)
{
	int ret = ovmf_parse(&fw, bytes_of(image, sizeof(image)), e);

	return ret ? ret : ovmf_read_sections(&fw, e);
}

static void ovmf_reads_every_entry(void **state)
{
	struct err e;

	(void)state;
	assert_int_equal(load(&e), 0);
	assert_true(fw.has_reset && fw.has_metadata && fw.has_tdx && fw.has_svsm);
	assert_int_equal(fw.reset_eip, 0x80b004);
	assert_int_equal(fw.hashes_gpa, 0x805c00);
	assert_int_equal(fw.hashes_size, 0x400);
	assert_int_equal(fw.tdx_offset, FW_LEN - FW_TDVF);
	assert_int_equal(fw.svsm_launch, 0x40);
}

static void ovmf_keeps_table_order_and_drops_empty_sections(void **state)
{
	static const uint64_t gpas[] = {0x800000, 0x803000, 0x802000, 0x804000, 0x805000};
	struct err e;

	(void)state;
	assert_int_equal(load(&e), 0);
	assert_int_equal(fw.n_sections, 5);
	for (size_t i = 0; i < 5; i++)
		assert_int_equal(fw.sections[i].gpa.v, gpas[i]);
	assert_int_equal(fw.sections[0].size, 0x2000);
	assert_int_equal(fw.sections[4].type, OVMF_KERNEL_HASHES);
}

/* Offset, size and value of one field that makes the image malformed. */
static const struct {
	size_t at, size;
	uint32_t value;
} breaks[] = {
	{FW_FOOTER + 2, 1, 0},               /* GUID of the footer */
	{FW_FOOTER, 2, 17},                  /* table smaller than its footer */
	{FW_FOOTER, 2, 0xffff},              /* larger than the file */
	{FW_FOOTER, 2, 18 + FW_ENTRIES + 1}, /* a rest that is no entry */
	{FW_FOOTER - 18, 2, 0},              /* entries that are too short, too long */
	{FW_FOOTER - 18, 2, 17}, {FW_FOOTER - 18, 2, FW_ENTRIES + 1}, {FW_FOOTER - 18, 2, 0x7fff},
	{FW_ASEV, 1, 'B'}, {FW_ASEV + 4, 4, 15}, /* length */
	{FW_ASEV + 4, 4, 16 + 12 * FW_ASEV_N - 1}, {FW_ASEV + 4, 4, 0x401},
	{FW_ASEV + 4, 4, UINT32_MAX}, {FW_ASEV + 8, 4, 2},                  /* version */
	{FW_ASEV + 12, 4, FW_ASEV_N + 1},                                   /* count */
	{FW_ASEV + 12, 4, UINT32_MAX}, {FW_SECTION(0), 4, 0x800800},        /* unaligned */
	{FW_SECTION(0) + 4, 4, 0x1001}, {FW_SECTION(0) + 4, 4, 0xfffff000}, /* past 4 GiB */
	{FW_SECTION(0), 4, 0xfffff000}, /* in the firmware, and past it */
	{FW_SECTION(0), 4, 0xffffd000}, /* into the firmware */
	{FW_SECTION(0) + 8, 4, 0},      /* unknown types */
	{FW_SECTION(0) + 8, 4, 5}, {FW_SECTION(0) + 8, 4, 0x11},
	{FW_SECTION(3) + 8, 4, 9},      /* of an empty section too */
	{FW_SECTION(1) + 4, 4, 0x2000}, /* two CPUID pages */
	{FW_SECTION(2) + 4, 4, 0x2000}, /* two secrets pages */
};

static void ovmf_refuses_each_broken_field(void **state)
{
	struct err e;

	(void)state;
	for (size_t i = 0; i < sizeof(breaks) / sizeof(breaks[0]); i++) {
		fw_build(image);
		memcpy(image + breaks[i].at, &breaks[i].value, breaks[i].size);
		if (load(&e) != -EINVAL)
			fail_msg("row %zu was accepted", i);
	}
}

static void ovmf_refuses_the_same_entry_twice(void **state)
{
	struct err e;

	(void)state;
	/* the SVSM entry, which is first in the file, becomes a second reset block */
	memcpy(image + FW_FOOTER - FW_ENTRIES + 6, image + FW_FOOTER - GUID_LEN, GUID_LEN);
	assert_int_equal(load(&e), -EINVAL);
	assert_non_null(strstr(e.text, "two entries"));
}

static void ovmf_refuses_metadata_of_a_larger_image(void **state)
{
	struct err e;

	(void)state;
	assert_int_equal(ovmf_parse(&fw, bytes_of(image + 0x1e00, FW_LEN - 0x1e00), &e), 0);
	assert_int_equal(ovmf_read_sections(&fw, &e), -EINVAL);
	assert_non_null(strstr(e.text, "larger image"));
}

static void ovmf_needs_metadata_only_when_asked(void **state)
{
	struct err e;

	(void)state;
	image[FW_FOOTER - 22 - 26 - 1] ^= 1; /* GUID of the SEV metadata entry */
	assert_int_equal(ovmf_parse(&fw, bytes_of(image, FW_LEN), &e), 0);
	assert_false(fw.has_metadata);
	assert_int_equal(ovmf_read_sections(&fw, &e), -EINVAL);
}

/* Every cut is copied to a block of its own, so that a sanitizer sees one byte too many. */
static void ovmf_survives_every_truncation(void **state)
{
	struct err e;

	(void)state;
	for (size_t cut = 0; cut < FW_LEN; cut++) {
		uint8_t *front = malloc(cut + 1), *back = malloc(cut + 1);

		memcpy(front, image, cut);
		memcpy(back, image + FW_LEN - cut, cut);
		assert_int_equal(ovmf_parse(&fw, bytes_of(front, cut), &e), -EINVAL);
		if (!ovmf_parse(&fw, bytes_of(back, cut), &e) && cut < FW_LEN - FW_ASEV)
			assert_int_equal(ovmf_read_sections(&fw, &e), -EINVAL);
		free(front);
		free(back);
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test_setup(ovmf_reads_every_entry, setup),
	cmocka_unit_test_setup(ovmf_keeps_table_order_and_drops_empty_sections, setup),
	cmocka_unit_test_setup(ovmf_refuses_each_broken_field, setup),
	cmocka_unit_test_setup(ovmf_refuses_the_same_entry_twice, setup),
	cmocka_unit_test_setup(ovmf_refuses_metadata_of_a_larger_image, setup),
	cmocka_unit_test_setup(ovmf_needs_metadata_only_when_asked, setup),
	cmocka_unit_test_setup(ovmf_survives_every_truncation, setup),
};
UNIT_MAIN(tests)
