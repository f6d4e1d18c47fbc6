/* SPDX-License-Identifier: Apache-2.0 */
/* Init data; the digests are those of Python's hashlib. */
#include "attestation/initdata.h"

#include "tests/unit/unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define TEXT(algorithm)                                                                            \
	"version = \"0.1.0\"\nalgorithm = \"" algorithm                                            \
	"\"\n\n[data]\n\"aa.toml\" = '''\nalgorithm = \"none\"\n'''\n"
#define SECTOR 512

static uint8_t disk[1 << 20];

/* pack() - a disk as Kata makes it. Return: its length */
static size_t pack(const void *text, size_t len)
{
	z_stream z = {.next_in = (Bytef *)(uintptr_t)text, .avail_in = (uInt)len};
	size_t n;

	memset(disk, 0, sizeof(disk));
	assert_int_equal(
		deflateInit2(&z, 9, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
	z.next_out = disk + INITDATA_HEAD;
	z.avail_out = sizeof(disk) - INITDATA_HEAD;
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	n = z.total_out;
	deflateEnd(&z);
	memcpy(disk, INITDATA_MAGIC, INITDATA_MAGIC_LEN);
	store_le64(disk + INITDATA_MAGIC_LEN, n);
	return (INITDATA_HEAD + n + SECTOR - 1) / SECTOR * SECTOR;
}

static void expect_digest(const char *text, const char *digest)
{
	char hex[2 * INITDATA_DIGEST_MAX + 1];
	struct err e = ERR_INIT;
	struct initdata d;

	assert_int_equal(initdata_of_disk(&d, bytes_of(disk, pack(text, strlen(text))), &e), 0);
	for (size_t i = 0; i < d.digest_len; i++)
		snprintf(hex + 2 * i, 3, "%02x", d.digest[i]);
	assert_string_equal(hex, digest);
	assert_int_equal(d.text_len, strlen(text));
}

static void initdata_is_hashed_as_it_says(void **state)
{
	(void)state;
	expect_digest(
		TEXT("sha256"), "2347825314d59200fd0222892fc40470e81af00dddc8a839d88ee2cee751ecfe");
	expect_digest(TEXT("sha384"),
		"39908d3d4b1e5aa43b30d90ae143e2f4ff995c250cf23e301a02ffebddcb1bd7"
		"aaea81ee13bb85afa1cbd3a099c7022c");
	expect_digest(TEXT("sha512"),
		"05d5abd8905d123f055d536c2cb6ebf750d6f4cfb7d4552dc724ee53801bd461"
		"e31aff0c5af920807ea3edf47031df9a1f08ae7dec71835d91ea2383e13c2f35");
}

static void initdata_fits_into_fields_of_reports(void **state)
{
	struct err e = ERR_INIT;
	struct initdata d;
	uint8_t out[49];

	(void)state;
	memset(out, 0xee, sizeof(out));
	assert_int_equal(
		initdata_of_text(&d, bytes_of(TEXT("sha256"), strlen(TEXT("sha256"))), &e), 0);
	initdata_fit(&d, out, 48);
	assert_memory_equal(out, d.digest, 32);
	for (size_t i = 32; i < 48; i++)
		assert_int_equal(out[i], 0);
	assert_int_equal(out[48], 0xee);
	assert_int_equal(
		initdata_of_text(&d, bytes_of(TEXT("sha512"), strlen(TEXT("sha512"))), &e), 0);
	memset(out, 0xee, sizeof(out));
	initdata_fit(&d, out, 32);
	assert_memory_equal(out, d.digest, 32);
	assert_int_equal(out[32], 0xee);
}

static void initdata_refuses_documents_that_say_too_little(void **state)
{
	static const struct {
		const char *text, *why;
	} bad[] = {
		{"", "no key 'version'"},
		{"version = \"0.1.0\"\n", "no key 'algorithm'"},
		{"algorithm = \"sha256\"\n", "no key 'version'"},
		{"version = \"0.2.0\"\nalgorithm = \"sha256\"\n", "version '0.2.0'"},
		{"version = \"0.1.0\"\nalgorithm = \"md5\"\n", "algorithm 'md5'"},
		{"version = \"0.1.0\"\nalgorithm = \"sha256\"\nalgorithm = \"sha512\"\n",
			"more than one key 'algorithm'"},
		{"version = \"0.1.0\"\n[data]\nalgorithm = \"sha256\"\n", "no key 'algorithm'"},
		{"version = 1\nalgorithm = \"sha256\"\n", "no key 'version'"},
		{"version = \"0.1.0\" x\nalgorithm = \"sha256\"\n", "no key 'version'"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct err e = ERR_INIT;
		struct initdata d;

		assert_int_equal(
			initdata_of_text(&d, bytes_of(bad[i].text, strlen(bad[i].text)), &e),
			-EINVAL);
		if (!strstr(e.text, bad[i].why))
			fail_msg("%s: %s", bad[i].text, e.text);
	}
}

static void initdata_takes_toml_in_other_layouts(void **state)
{
	static const char text[] =
		"# made by hand\r\n\talgorithm='sha256' # why not\r\n  version  = \"0.1.0\"\t\r\n";
	struct err e = ERR_INIT;
	struct initdata d;

	(void)state;
	assert_int_equal(initdata_of_text(&d, bytes_of(text, strlen(text)), &e), 0);
	assert_string_equal(d.algorithm, "sha256");
}

static void initdata_refuses_disks_that_are_cut_or_damaged(void **state)
{
	size_t len = pack(TEXT("sha256"), strlen(TEXT("sha256")));
	size_t packed = (size_t)load_le64(disk + INITDATA_MAGIC_LEN);
	struct err e = ERR_INIT;
	struct initdata d;

	(void)state;
	for (size_t n = 0; n < INITDATA_HEAD + packed; n++)
		assert_int_equal(initdata_of_disk(&d, bytes_of(disk, n), &e), -EINVAL);
	assert_int_equal(initdata_of_disk(&d, bytes_of(disk, INITDATA_HEAD + packed), &e), 0);
	for (size_t i = 0; i < packed * 8; i++) {
		disk[INITDATA_HEAD + i / 8] ^= (uint8_t)(1 << i % 8);
		if (!initdata_of_disk(&d, bytes_of(disk, len), &e)) /* bits that gzip ignores */
			assert_int_equal(d.text_len, strlen(TEXT("sha256")));
		disk[INITDATA_HEAD + i / 8] ^= (uint8_t)(1 << i % 8);
	}
	store_le64(disk + INITDATA_MAGIC_LEN, packed + 1);
	assert_int_equal(initdata_of_disk(&d, bytes_of(disk, len), &e), -EINVAL);
	store_le64(disk + INITDATA_MAGIC_LEN, UINT64_MAX);
	assert_int_equal(initdata_of_disk(&d, bytes_of(disk, len), &e), -E2BIG);
	disk[0] = 'I';
	assert_false(initdata_is_disk(bytes_of(disk, len)));
}

static void initdata_does_not_unpack_bombs(void **state)
{
	char *text = calloc(1, INITDATA_TEXT_MAX + 1);
	struct err e = ERR_INIT;
	struct initdata d;
	size_t len;

	(void)state;
	assert_non_null(text);
	len = pack(text, INITDATA_TEXT_MAX + 1);
	assert_int_equal(initdata_of_disk(&d, bytes_of(disk, len), &e), -E2BIG);
	len = pack(text, INITDATA_TEXT_MAX);
	assert_int_equal(initdata_of_disk(&d, bytes_of(disk, len), &e), -EINVAL);
	free(text);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(initdata_is_hashed_as_it_says),
	cmocka_unit_test(initdata_fits_into_fields_of_reports),
	cmocka_unit_test(initdata_refuses_documents_that_say_too_little),
	cmocka_unit_test(initdata_takes_toml_in_other_layouts),
	cmocka_unit_test(initdata_refuses_disks_that_are_cut_or_damaged),
	cmocka_unit_test(initdata_does_not_unpack_bombs),
};
UNIT_MAIN(tests)
