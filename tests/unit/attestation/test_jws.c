/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/jws.h"
#include "base/base64.h"
#include "tests/unit/unit.h"

#include "tests/unit/attestation/make_key.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static char pem[MAKE_KEY_MAX];

/* member() - find a member's text in the flat JSON object. Return: its length. */
static size_t member(const char *json, const char *name, const char **at)
{
	char pattern[32];

	snprintf(pattern, sizeof(pattern), "\"%s\":\"", name);
	*at = strstr(json, pattern);
	assert_non_null(*at);
	*at += strlen(pattern);
	return strcspn(*at, "\"");
}

/* from_url() - decode the URL alphabet through the ordinary one. Return: bytes. */
static size_t from_url(const char *text, size_t len, char *out)
{
	char copy[512];
	size_t n;

	assert_true(len + 4 < sizeof(copy));
	for (size_t i = 0; i < len; i++)
		copy[i] = text[i] == '-' ? '+' : text[i] == '_' ? '/' : text[i];
	while (len % 4)
		copy[len++] = '=';
	assert_int_equal(base64_decode(copy, len, out, 384, &n), 0);
	out[n] = '\0';
	return n;
}

static void jws_names_algorithm_and_key(void **state)
{
	static const char *const rows[][2] = {{"P-256", "ES256"}, {"P-384", "ES384"}};
	char header[512], payload[512], signature[512], want[64];
	struct err e;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		const char *at;
		char *json;
		size_t len;

		make_key(pem, rows[i][0], NULL);
		assert_int_equal(
			jws_sign(&json, bytes_of("{}\xff\xfe", 4), bytes_of(pem, strlen(pem)), &e),
			0);
		len = member(json, "protected", &at);
		from_url(at, len, header);
		snprintf(want, sizeof(want), "{\"alg\":\"%s\",\"kid\":\"", rows[i][1]);
		assert_memory_equal(header, want, strlen(want));
		assert_int_equal(strlen(header), strlen(want) + 64 + 2);
		len = member(json, "payload", &at);
		assert_int_equal(from_url(at, len, payload), 4);
		assert_memory_equal(payload, "{}\xff\xfe", 4);
		len = member(json, "signature", &at);
		assert_int_equal(from_url(at, len, signature), i ? 96 : 64);
		free(json);
	}
}

static void jws_refuses_other_keys(void **state)
{
	char *json;
	struct err e;

	(void)state;
	assert_int_equal(jws_sign(&json, bytes_of("{}", 2), bytes_of("", 0), &e), -EINVAL);
	make_key(pem, "P-521", NULL);
	assert_int_equal(
		jws_sign(&json, bytes_of("{}", 2), bytes_of(pem, strlen(pem)), &e), -EINVAL);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(jws_names_algorithm_and_key),
	cmocka_unit_test(jws_refuses_other_keys),
};
UNIT_MAIN(tests)
