/* SPDX-License-Identifier: Apache-2.0 */
#include "base/bytes.h"
#include "tests/unit/unit.h"
#include "vmm/load/igvm.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define HEAD      24    /* fixed header, version 1 */
#define DATA      0x400 /* page data begins here */
#define DATA_VMSA 0x1400
#define FILE_LEN  0x2400
#define MASK_SNP  1
#define MASK_TDX  2
#define VMSA_GPA  0xfffffffff000

/* A file that is written header by header. */
struct file {
	uint8_t data[FILE_LEN];
	size_t at; /* end of the headers so far */
};

static struct file file;
static struct image image;

static uint8_t *header(uint32_t type, uint32_t len)
{
	uint8_t *at = file.data + file.at;

	store_le32(at, type);
	store_le32(at + 4, len);
	file.at += 8 + (len + 7) / 8 * 8;
	assert_true(file.at <= DATA);
	return at + 8;
}

static void platform(uint32_t mask, uint8_t type)
{
	uint8_t *at = header(1, 16);

	store_le32(at, mask);
	at[5] = type;
	store_le16(at + 6, 1);
}

static void policy(uint32_t mask)
{
	store_le32(header(0x101, 16) + 8, mask);
}

static uint8_t *page(uint64_t gpa, uint32_t mask, uint32_t offset, uint32_t flags, uint16_t type)
{
	uint8_t *at = header(0x302, 24);

	store_le64(at, gpa);
	store_le32(at + 8, mask);
	store_le32(at + 12, offset);
	store_le32(at + 16, flags);
	store_le16(at + 20, type);
	return at;
}

static uint8_t *area(uint64_t len, uint32_t index, uint32_t offset)
{
	uint8_t *at = header(0x301, 16);

	store_le64(at, len);
	store_le32(at + 8, index);
	store_le32(at + 12, offset);
	return at;
}

static uint8_t *insert(uint64_t gpa, uint32_t mask, uint32_t index)
{
	uint8_t *at = header(0x303, 16);

	store_le64(at, gpa);
	store_le32(at + 8, mask);
	store_le32(at + 12, index);
	return at;
}

static uint8_t *vp(uint64_t gpa, uint32_t mask, uint32_t offset)
{
	uint8_t *at = header(0x304, 20);

	store_le64(at, gpa);
	store_le32(at + 8, mask);
	store_le32(at + 12, offset);
	return at;
}

/* seal() - write the fixed header with its checksum. */
static void seal(void)
{
	uint8_t *d = file.data;

	memcpy(d, "IGVM", 4);
	store_le32(d + 4, 1);
	store_le32(d + 8, HEAD);
	store_le32(d + 12, (uint32_t)file.at - HEAD);
	store_le32(d + 16, FILE_LEN);
	store_le32(d + 20, 0);
	store_le32(d + 20, (uint32_t)crc32(0, d, (uInt)file.at));
}

static int setup(void **state)
{
	(void)state;
	memset(&file, 0, sizeof(file));
	file.at = HEAD;
	for (size_t i = 0; i < 0x1000; i++)
		file.data[DATA + i] = (uint8_t)(i * 5);
	store_le64(file.data + DATA_VMSA + 0x158, 0x31);
	image_init(&image);
	platform(MASK_SNP, 2);
	platform(MASK_TDX, 3);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	image_fini(&image);
	return 0;
}

/* every() - one header of each kind */
static void every(void)
{
	policy(MASK_SNP);
	area(0x2000, 7, 0);
	page(0x1000, MASK_SNP | MASK_TDX, DATA, 0, 0);
	page(0x2000, MASK_SNP | MASK_TDX, 0, 0, 0);
	page(0x3000, MASK_SNP | MASK_TDX, DATA, 2, 0);
	page(0x4000, MASK_SNP, 0, 0, 1);
	page(0x5000, MASK_SNP, 0, 0, 2);
	page(0x9000, MASK_SNP, 0, 4, 0); /* shared: nobody's business */
	header(0x30c, 8);                /* memory map */
	header(0x80000fff, 5);           /* unknown, and may be skipped */
	insert(0x6000, MASK_SNP | MASK_TDX, 7);
	vp(VMSA_GPA, MASK_SNP, DATA_VMSA);
}

static int load(enum igvm_platform p, bool native_zero, struct err *e)
{
	image_fini(&image);
	return igvm_image_add(
		&image, bytes_of(file.data, FILE_LEN), &(struct igvm_spec){p, native_zero}, e);
}

static void is_types(const enum image_page *want, size_t n)
{
	assert_int_equal(image.n_parts, n);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(image.parts[i].type, want[i]);
}

static void igvm_loads_what_snp_loads(void **state)
{
	static const enum image_page want[] = {IMAGE_NORMAL, IMAGE_NORMAL, IMAGE_UNMEASURED,
		IMAGE_SECRETS, IMAGE_CPUID, IMAGE_UNMEASURED, IMAGE_VMSA};
	struct err e;

	(void)state;
	every();
	seal();
	assert_int_equal(load(IGVM_SNP, false, &e), 0);
	is_types(want, 7);
	assert_ptr_equal(image.parts[0].bytes, file.data + DATA);
	assert_int_equal(image.parts[1].bytes_len, 0);
	assert_int_equal(image.parts[5].len, 0x2000);
	assert_int_equal(image.parts[6].gpa.v, VMSA_GPA);
	assert_int_equal(igvm_check_kvm(&image, &e), 0);
	assert_int_equal(load(IGVM_SNP, true, &e), 0);
	assert_int_equal(image.parts[1].type, IMAGE_ZERO);
}

static void igvm_loads_what_tdx_loads(void **state)
{
	static const enum image_page want[] = {
		IMAGE_NORMAL, IMAGE_NORMAL, IMAGE_UNMEASURED, IMAGE_UNMEASURED, IMAGE_NORMAL};
	struct err e;

	(void)state;
	every();
	page(0xa000, MASK_TDX, 0, 0, 1); /* secrets are nothing special to a TD */
	seal();
	assert_int_equal(load(IGVM_TDX, true, &e), 0);
	is_types(want, 5);
}

static void igvm_reads_version_2(void **state)
{
	struct err e;

	(void)state;
	policy(MASK_SNP);
	page(0x1000, MASK_SNP, DATA, 0, 0);
	seal();
	memmove(file.data + 32, file.data + 24, file.at - 24);
	store_le32(file.data + 4, 2);
	store_le32(file.data + 8, 32);
	store_le32(file.data + 24, 0);
	store_le32(file.data + 28, 4096);
	store_le32(file.data + 20, 0);
	store_le32(file.data + 20, (uint32_t)crc32(0, file.data, (uInt)file.at + 8));
	assert_int_equal(load(IGVM_SNP, false, &e), 0);
	assert_int_equal(image.n_parts, 1);
	store_le32(file.data + 24, 1); /* another architecture */
	store_le32(file.data + 20, 0);
	store_le32(file.data + 20, (uint32_t)crc32(0, file.data, (uInt)file.at + 8));
	assert_int_equal(load(IGVM_SNP, false, &e), -EINVAL);
}

static void igvm_loads_large_pages(void **state)
{
	struct err e;

	(void)state;
	policy(MASK_SNP);
	page(0x200000, MASK_SNP, 0, 1, 0);
	seal();
	assert_int_equal(load(IGVM_SNP, false, &e), 0);
	assert_int_equal(image.parts[0].len, 0x200000);
}

static void add_unaligned(void)
{
	page(0x1800, MASK_SNP, DATA, 0, 0);
}
static void add_unaligned_large(void)
{
	page(0x1000, MASK_SNP, 0, 1, 0);
}
static void add_large_past_file(void)
{
	page(0x200000, MASK_SNP, DATA, 1, 0);
}
static void add_data_past_file(void)
{
	page(0x1000, MASK_SNP, DATA_VMSA + 1, 0, 0);
}
static void add_data_in_headers(void)
{
	page(0x1000, MASK_SNP, 8, 0, 0);
}
static void add_bad_flag(void)
{
	page(0x1000, MASK_SNP, DATA, 8, 0);
}
static void add_bad_data_type(void)
{
	page(0x1000, MASK_SNP, DATA, 0, 4);
}
static void add_no_platform(void)
{
	page(0x1000, 0, DATA, 0, 0);
}
static void add_other_platform(void)
{
	page(0x1000, 4, DATA, 0, 0);
}
static void add_past_guest(void)
{
	page(UINT64_C(1) << 52, MASK_SNP, DATA, 0, 0);
}
static void add_twice(void)
{
	page(0x1000, MASK_SNP, DATA, 0, 0);
	page(0x1000, MASK_SNP, DATA, 2, 0);
}
static void add_unknown_area(void)
{
	insert(0x1000, MASK_SNP, 5);
}
static void add_area_twice(void)
{
	area(0x1000, 5, 0);
	area(0x1000, 5, 0);
}
static void add_odd_area(void)
{
	area(0x1001, 5, 0);
}
static void add_empty_area(void)
{
	area(0, 5, 0);
}
static void add_area_past_file(void)
{
	area(0x3000, 5, DATA);
}
static void add_huge(void)
{
	area(GIB(1), 5, 0);
	insert(0x100000000, MASK_SNP, 5);
	insert(0x200000000, MASK_SNP, 5);
}
static void add_unaligned_insert(void)
{
	area(0x1000, 5, 0);
	insert(0x1001, MASK_SNP, 5);
}
static void add_vp_without_data(void)
{
	vp(VMSA_GPA, MASK_SNP, 0);
}
static void add_unaligned_vp(void)
{
	vp(VMSA_GPA + 8, MASK_SNP, DATA_VMSA);
}
static void add_unknown(void)
{
	header(0x3ff, 8);
}
static void add_reserved(void)
{
	header(0x306, 8);
}
static void add_out_of_order(void)
{
	page(0x1000, MASK_SNP, DATA, 0, 0);
	policy(MASK_SNP);
}
static void add_same_mask(void)
{
	platform(MASK_SNP, 4);
}
static void add_same_platform(void)
{
	platform(4, 2);
}
static void add_two_bits(void)
{
	platform(12, 4);
}
static void add_short_page(void)
{
	header(0x302, 16);
}
static void add_long_header(void)
{
	store_le32(header(0x30c, 8) - 4, 0x1000);
}

static void igvm_refuses_each_bad_header(void **state)
{
	static void (*const bad[])(void) = {
		add_unaligned,
		add_unaligned_large,
		add_large_past_file,
		add_data_past_file,
		add_data_in_headers,
		add_bad_flag,
		add_bad_data_type,
		add_no_platform,
		add_other_platform,
		add_past_guest,
		add_twice,
		add_unknown_area,
		add_area_twice,
		add_odd_area,
		add_empty_area,
		add_area_past_file,
		add_huge,
		add_unaligned_insert,
		add_vp_without_data,
		add_unaligned_vp,
		add_unknown,
		add_reserved,
		add_out_of_order,
		add_short_page,
		add_long_header,
	};
	static void (*const bad_platforms[])(void) = {
		add_same_mask, add_same_platform, add_two_bits};
	struct err e;

	for (size_t i = 0; i < 3; i++) {
		setup(state);
		bad_platforms[i]();
		policy(MASK_SNP);
		seal();
		if (!load(IGVM_SNP, false, &e))
			fail_msg("platform %zu was accepted", i);
		teardown(state);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		setup(state);
		policy(MASK_SNP);
		bad[i]();
		seal();
		if (!load(IGVM_SNP, false, &e))
			fail_msg("row %zu was accepted", i);
		teardown(state);
	}
}

static void igvm_refuses_each_bad_fixed_header(void **state)
{
	static const struct {
		size_t at;
		uint32_t value;
	} rows[] = {
		{0, 0x4d564748},
		{4, 0},
		{4, 3},
		{8, 23},
		{8, FILE_LEN},
		{12, FILE_LEN},
		{12, UINT32_MAX},
		{16, FILE_LEN + 1},
		{16, 20},
		{20, 0},
	};
	struct err e;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		setup(state);
		every();
		seal();
		store_le32(file.data + rows[i].at, rows[i].value);
		if (!load(IGVM_SNP, false, &e))
			fail_msg("row %zu was accepted", i);
		teardown(state);
	}
}

static void igvm_bounds_what_is_hashed(void **state)
{
	const uint32_t n = IGVM_MEASURED_MAX / MIB(2);
	uint8_t *big = calloc(1, 0x8000);
	struct err e;

	(void)state;
	policy(MASK_SNP);
	memcpy(big, file.data, file.at);
	for (uint32_t i = 0; i <= n; i++) {
		uint8_t *at = big + file.at + i * 32;

		store_le32(at, 0x302);
		store_le32(at + 4, 24);
		store_le64(at + 8, i * MIB(2));
		store_le32(at + 16, MASK_SNP);
		store_le32(at + 24, 1); /* 2 MiB of zeros */
	}
	for (uint32_t i = n; i <= n + 1; i++) {
		size_t len = file.at + i * 32;

		memcpy(big, "IGVM", 4);
		store_le32(big + 4, 1);
		store_le32(big + 8, HEAD);
		store_le32(big + 12, (uint32_t)len - HEAD);
		store_le32(big + 16, 0x8000);
		store_le32(big + 20, 0);
		store_le32(big + 20, (uint32_t)crc32(0, big, (uInt)len));
		image_fini(&image);
		assert_int_equal(igvm_image_add(&image, bytes_of(big, 0x8000),
					 &(struct igvm_spec){IGVM_SNP, false}, &e),
			i == n ? 0 : -EINVAL);
	}
	free(big);
}

static void igvm_needs_a_policy_for_snp(void **state)
{
	struct err e;

	(void)state;
	policy(MASK_TDX);
	seal();
	assert_int_equal(load(IGVM_TDX, false, &e), 0);
	assert_int_equal(load(IGVM_SNP, false, &e), -EINVAL);
	file.at = HEAD + 48;
	seal();
	assert_int_equal(load(IGVM_TDX, false, &e), 0);
}

static void igvm_needs_the_platform(void **state)
{
	struct err e;

	(void)state;
	memset(&file, 0, sizeof(file));
	file.at = HEAD;
	platform(MASK_SNP, 2);
	policy(MASK_SNP);
	seal();
	assert_int_equal(load(IGVM_SNP, false, &e), 0);
	assert_int_equal(load(IGVM_TDX, false, &e), -EINVAL);
}

static void igvm_knows_what_kvm_cannot_launch(void **state)
{
	struct err e;

	policy(MASK_SNP);
	vp(VMSA_GPA, MASK_SNP, DATA_VMSA);
	page(0x1000, MASK_SNP, DATA, 0, 0);
	seal();
	assert_int_equal(load(IGVM_SNP, false, &e), 0);
	assert_int_equal(igvm_check_kvm(&image, &e), -EINVAL); /* not last */
	teardown(state);
	setup(state);
	policy(MASK_SNP);
	vp(VMSA_GPA, MASK_SNP, DATA_VMSA);
	vp(VMSA_GPA, MASK_SNP, DATA_VMSA);
	seal();
	assert_int_equal(load(IGVM_SNP, false, &e), 0);
	assert_int_equal(igvm_check_kvm(&image, &e), -EINVAL); /* two */
	teardown(state);
	setup(state);
	policy(MASK_SNP);
	vp(0x7000, MASK_SNP, DATA_VMSA);
	seal();
	assert_int_equal(load(IGVM_SNP, false, &e), 0);
	assert_int_equal(igvm_check_kvm(&image, &e), -EINVAL); /* elsewhere */
	teardown(state);
	setup(state);
	policy(MASK_SNP);
	vp(VMSA_GPA, MASK_SNP, DATA_VMSA);
	store_le64(file.data + DATA_VMSA + 0x158, 0x80000031);
	seal();
	assert_int_equal(load(IGVM_SNP, false, &e), 0);
	assert_int_equal(igvm_check_kvm(&image, &e), -EINVAL); /* paging */
	image_fini(&image);
	assert_int_equal(igvm_check_kvm(&image, &e), -EINVAL); /* none */
}

static void igvm_survives_every_truncation(void **state)
{
	struct err e;

	(void)state;
	every();
	seal();
	for (size_t cut = 0; cut < FILE_LEN; cut++) {
		uint8_t *copy = malloc(cut + 1);

		memcpy(copy, file.data, cut);
		assert_int_equal(igvm_image_add(&image, bytes_of(copy, cut),
					 &(struct igvm_spec){IGVM_SNP, false}, &e),
			-EINVAL);
		free(copy);
	}
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
static const struct CMUnitTest tests[] = {
	CASE(igvm_loads_what_snp_loads),
	CASE(igvm_loads_what_tdx_loads),
	CASE(igvm_reads_version_2),
	CASE(igvm_loads_large_pages),
	CASE(igvm_refuses_each_bad_header),
	CASE(igvm_refuses_each_bad_fixed_header),
	CASE(igvm_bounds_what_is_hashed),
	CASE(igvm_needs_a_policy_for_snp),
	CASE(igvm_needs_the_platform),
	CASE(igvm_knows_what_kvm_cannot_launch),
	CASE(igvm_survives_every_truncation),
};
UNIT_MAIN(tests)
