/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/firmware.h"
#include "tests/unit/unit.h"
#include "vmm/load/ovmf.h"
#include "vmm/load/sev_hashes.h"
#include "vmm/load/snp_image.h"

#include <errno.h>

static uint8_t file[FW_LEN];
static struct ovmf fw;
static struct image image;
static const struct sev_hashes hashes = {{1}, {2}, {3}};

static int setup(void **state)
{
	struct err e;

	(void)state;
	fw_build(file);
	image_init(&image);
	return ovmf_parse(&fw, bytes_of(file, FW_LEN), &e) || ovmf_read_sections(&fw, &e);
}

static int teardown(void **state)
{
	(void)state;
	image_fini(&image);
	return 0;
}

static int add(const struct sev_hashes *h, struct snp_image_rules rules, struct err *e)
{
	return snp_image_add(&image,
		&(struct snp_image_spec){
			.fw = &fw, .firmware = true, .sections = true, .hashes = h, .rules = rules},
		e);
}

static void is_part(size_t i, uint64_t gpa, uint64_t len, enum image_page type)
{
	assert_int_equal(image.parts[i].gpa.v, gpa);
	assert_int_equal(image.parts[i].len, len);
	assert_int_equal(image.parts[i].type, type);
}

static void snp_image_lists_firmware_then_sections(void **state)
{
	struct err e;

	(void)state;
	assert_int_equal(add(NULL, (struct snp_image_rules){0}, &e), 0);
	assert_int_equal(image.n_parts, 6);
	is_part(0, FW_BASE, FW_LEN, IMAGE_NORMAL);
	assert_ptr_equal(image.parts[0].bytes, file);
	is_part(1, 0x800000, 0x2000, IMAGE_ZERO);
	is_part(2, 0x803000, 0x1000, IMAGE_CPUID);
	is_part(3, 0x802000, 0x1000, IMAGE_SECRETS);
	is_part(4, 0x804000, 0x1000, IMAGE_ZERO);
	is_part(5, 0x805000, 0x1000, IMAGE_ZERO);
}

static void snp_image_follows_the_rules_of_the_vmm(void **state)
{
	struct err e;

	(void)state;
	assert_int_equal(add(NULL, (struct snp_image_rules){true, true}, &e), 0);
	is_part(1, 0x800000, 0x2000, IMAGE_UNMEASURED);
	is_part(2, 0x802000, 0x1000, IMAGE_SECRETS);
	is_part(5, 0x803000, 0x1000, IMAGE_CPUID);
}

static void snp_image_puts_hashes_at_their_offset(void **state)
{
	uint8_t want[4096] = {0};
	struct err e;

	(void)state;
	assert_int_equal(add(&hashes, (struct snp_image_rules){0}, &e), 0);
	is_part(5, 0x805000, 0x1000, IMAGE_NORMAL);
	sev_hashes_write(want + 0xc00, &hashes);
	assert_memory_equal(image.parts[5].bytes, want, sizeof(want));
}

static void snp_image_refuses_a_kernel_without_a_place(void **state)
{
	static const struct {
		uint32_t gpa, size, section_size;
		enum ovmf_section_type type;
	} rows[] = {
		{0, 0x400, 0x1000, OVMF_KERNEL_HASHES},
		{0x805c00, 0, 0x1000, OVMF_KERNEL_HASHES},
		{0x805c00, 175, 0x1000, OVMF_KERNEL_HASHES},
		{0x805c00, 0x400, 0x1000, OVMF_SEC_MEM},
		{0x805c00, 0x400, 0x2000, OVMF_KERNEL_HASHES},
		{0x804c00, 0x400, 0x1000, OVMF_KERNEL_HASHES},
		{0x806000, 0x400, 0x1000, OVMF_KERNEL_HASHES},
		{0x805f51, 0x400, 0x1000, OVMF_KERNEL_HASHES},
	};
	struct err e;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		fw.hashes_gpa = rows[i].gpa;
		fw.hashes_size = rows[i].size;
		fw.sections[4].size = rows[i].section_size;
		fw.sections[4].type = rows[i].type;
		image_fini(&image);
		if (add(&hashes, (struct snp_image_rules){0}, &e) != -EINVAL)
			fail_msg("row %zu was accepted", i);
	}
	fw.hashes_gpa = 0x805f50; /* the last place that fits */
	fw.sections[4].type = OVMF_KERNEL_HASHES;
	image_fini(&image);
	assert_int_equal(add(&hashes, (struct snp_image_rules){0}, &e), 0);
}

static void snp_image_refuses_overlap_and_odd_firmware(void **state)
{
	struct err e;

	(void)state;
	fw.sections[1].gpa = gpa_of(0x801000);
	assert_int_equal(add(NULL, (struct snp_image_rules){0}, &e), -EEXIST);
	image_fini(&image);
	fw.file.left--;
	assert_int_equal(add(NULL, (struct snp_image_rules){0}, &e), -EINVAL);
}

static int add_svsm(uint64_t vars_size, gpa_t *entry, struct err *e)
{
	image_fini(&image);
	return snp_image_add_svsm(
		&image, &(struct snp_image_svsm_spec){&fw, &fw, vars_size}, entry, e);
}

static void snp_image_puts_an_svsm_below_the_variables(void **state)
{
	gpa_t entry;
	struct err e;

	(void)state;
	assert_int_equal(add_svsm(0x4000, &entry, &e), 0);
	is_part(0, FW_BASE, FW_LEN, IMAGE_NORMAL);
	is_part(1, FW_BASE - 0x4000 - FW_LEN, FW_LEN, IMAGE_NORMAL);
	is_part(2, 0x800000, 0x2000, IMAGE_ZERO);
	assert_int_equal(entry.v, FW_BASE - 0x4000 - FW_LEN + 0x40);
}

static void snp_image_refuses_an_svsm_that_does_not_fit(void **state)
{
	gpa_t entry;
	struct err e;

	(void)state;
	assert_int_equal(add_svsm(0x4001, &entry, &e), -EINVAL);
	assert_int_equal(add_svsm(FW_BASE - 0x1000, &entry, &e), -EINVAL);
	assert_int_equal(add_svsm(UINT64_MAX - 0xfff, &entry, &e), -EINVAL);
	fw.svsm_launch = FW_LEN;
	assert_int_equal(add_svsm(0x4000, &entry, &e), -EINVAL);
	fw.has_svsm = false;
	fw.svsm_launch = 0;
	assert_int_equal(add_svsm(0x4000, &entry, &e), -EINVAL);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
static const struct CMUnitTest tests[] = {
	CASE(snp_image_lists_firmware_then_sections),
	CASE(snp_image_follows_the_rules_of_the_vmm),
	CASE(snp_image_puts_hashes_at_their_offset),
	CASE(snp_image_refuses_a_kernel_without_a_place),
	CASE(snp_image_refuses_overlap_and_odd_firmware),
	CASE(snp_image_puts_an_svsm_below_the_variables),
	CASE(snp_image_refuses_an_svsm_that_does_not_fit),
};
UNIT_MAIN(tests)
