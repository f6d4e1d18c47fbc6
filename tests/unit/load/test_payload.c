/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/load/payload.h"

#include "base/num.h"
#include "memory/image.h"
#include "tests/unit/load/make_kernel.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define DATA_LEN 100000

static uint8_t data[DATA_LEN];
static struct image image;
static struct err e;

static int fill(void **state)
{
	uint32_t x = 1;

	(void)state;
	for (size_t i = 0; i < sizeof(data); i++) {
		x = x * 1103515245 + 12345;
		data[i] = (uint8_t)(i % 64 < 8 ? x >> 16 : i >> 8);
	}
	return 0;
}

/* expand() - from a copy of just that size, so that ASan sees any read beyond it */
static int expand(struct bytes *out, const uint8_t *payload, size_t len, uint64_t max)
{
	uint8_t *copy = malloc(len ? len : 1);
	int rc;

	memcpy(copy, payload, len);
	image_fini(&image);
	e = (struct err)ERR_INIT;
	rc = payload_expand(out, bytes_of(copy, len), max, &image, &e);
	assert_int_equal(rc, -e.code);
	free(copy);
	return rc;
}

static void payload_expands_every_codec(void **state)
{
	struct bytes out;

	(void)state;
	for (int codec = 0; codec < MAKE_CODECS; codec++) {
		struct made m = make_payload(data, sizeof(data), (enum make_codec)codec);

		assert_int_equal(expand(&out, m.at, m.len, GIB(1)), 0);
		assert_int_equal(out.left, sizeof(data));
		assert_memory_equal(out.at, data, sizeof(data));
		free(m.at);
	}
}

static void payload_fails_when_truncated_anywhere(void **state)
{
	struct bytes out;

	(void)state;
	for (int codec = 0; codec < MAKE_CODECS; codec++) {
		struct made m = make_payload(data, 400, (enum make_codec)codec);

		for (size_t len = 0; len < m.len; len++)
			assert_true(expand(&out, m.at, len, 4096) < 0);
		assert_int_equal(expand(&out, m.at, m.len, 4096), 0);
		free(m.at);
	}
}

static void payload_fails_when_size_is_wrong(void **state)
{
	static const uint32_t sizes[] = {
		0, 1, DATA_LEN - 1, DATA_LEN + 1, 2 * DATA_LEN, UINT32_MAX};
	struct bytes out;

	(void)state;
	for (int codec = 0; codec < MAKE_CODECS; codec++)
		for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
			struct made m = make_payload(data, sizeof(data), (enum make_codec)codec);

			store_le32(m.at + m.len - 4, sizes[i]);
			assert_true(expand(&out, m.at, m.len, GIB(1)) < 0);
			free(m.at);
		}
}

static void payload_fails_when_larger_than_allowed(void **state)
{
	struct made m = make_payload(data, sizeof(data), MAKE_ZSTD);
	struct bytes out;

	(void)state;
	assert_int_equal(expand(&out, m.at, m.len, sizeof(data) - 1), -E2BIG);
	store_le32(m.at + m.len - 4, PAYLOAD_MAX_SIZE + 1);
	assert_int_equal(expand(&out, m.at, m.len, UINT64_MAX), -E2BIG);
	free(m.at);
}

static void payload_survives_damage_anywhere(void **state)
{
	struct bytes out;

	(void)state;
	for (int codec = 0; codec < MAKE_CODECS; codec++) {
		struct made m = make_payload(data, 400, (enum make_codec)codec);

		for (size_t off = 0; off < m.len; off++) {
			m.at[off] ^= 0x55;
			if (!expand(&out, m.at, m.len, MIB(1)))
				assert_int_equal(out.left, 400);
			m.at[off] ^= 0x55;
		}
		free(m.at);
	}
}

static void payload_names_codecs_it_does_not_support(void **state)
{
	static const struct {
		const char *magic, *name;
	} cases[] = {{"BZh91AY", "bzip2"}, {"\x5d\0\0\0\x80\xff", "lzma"}, {"\x89LZO\0\r\n", "lzo"},
		{"what is this", "unknown"}};
	uint8_t payload[64] = {0};
	struct bytes out;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		memcpy(payload, cases[i].magic, 6);
		assert_int_equal(expand(&out, payload, sizeof(payload), MIB(1)), -ENOTSUP);
		assert_non_null(strstr(e.text, cases[i].name));
		assert_string_equal(
			payload_name(bytes_of(payload, sizeof(payload))), cases[i].name);
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(payload_expands_every_codec),
	cmocka_unit_test(payload_fails_when_truncated_anywhere),
	cmocka_unit_test(payload_fails_when_size_is_wrong),
	cmocka_unit_test(payload_fails_when_larger_than_allowed),
	cmocka_unit_test(payload_survives_damage_anywhere),
	cmocka_unit_test(payload_names_codecs_it_does_not_support),
};

int main(void)
{
	int rc = cmocka_run_group_tests(tests, fill, NULL);

	image_fini(&image);
	return rc;
}
