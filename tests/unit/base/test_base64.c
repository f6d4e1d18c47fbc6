/* SPDX-License-Identifier: Apache-2.0 */
#include "base/base64.h"
#include "tests/unit/unit.h"

#include <string.h>

/* RFC 4648 section 10 */
static const char *const known[][2] = {
	{"", ""},
	{"f", "Zg=="},
	{"fo", "Zm8="},
	{"foo", "Zm9v"},
	{"foob", "Zm9vYg=="},
	{"fooba", "Zm9vYmE="},
	{"foobar", "Zm9vYmFy"},
	{"\xff\xef\xbf", "/++/"},
};

static void base64_writes_the_rfc_examples(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		char text[BASE64_TEXT_LEN(6)];

		base64_encode(text, known[i][0], strlen(known[i][0]));
		assert_string_equal(text, known[i][1]);
	}
}

static void base64_url_has_its_own_alphabet_and_no_padding(void **state)
{
	char text[BASE64_TEXT_LEN(4)];

	(void)state;
	base64_encode_url(text, "\xff\xef\xbf\xff", 4);
	assert_string_equal(text, "_--__w");
	base64_encode_url(text, "", 0);
	assert_string_equal(text, "");
}

static void base64_reads_the_rfc_examples(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		size_t want = strlen(known[i][0]), len;
		char out[6];

		assert_int_equal(
			base64_decode(known[i][1], strlen(known[i][1]), out, want, &len), 0);
		assert_int_equal(len, want);
		assert_memory_equal(out, known[i][0], want);
	}
}

static void base64_refuses_what_is_not_canonical(void **state)
{
	static const char *const bad[] = {
		"Z",
		"Zg",
		"Zg=",
		"Zg===",
		"====",
		"=",
		"Z===",
		"Zh==",
		"Zm9=",
		"Zg==Zg==",
		"Zm8\n",
		"Zm 9",
		"Zm-_",
		"Z=g=",
	};
	char out[16];
	size_t len;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_not_equal(
			base64_decode(bad[i], strlen(bad[i]), out, sizeof(out), &len), 0);
	assert_int_not_equal(base64_decode("Zm\0v", 4, out, sizeof(out), &len), 0);
}

static void base64_refuses_more_than_there_is_room_for(void **state)
{
	char out[3];
	size_t len;

	(void)state;
	assert_int_equal(base64_decode("Zm9v", 4, out, 3, &len), 0);
	assert_int_not_equal(base64_decode("Zm9v", 4, out, 2, &len), 0);
	assert_int_not_equal(base64_decode("Zm9vYg==", 8, out, 3, &len), 0);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(base64_writes_the_rfc_examples),
	cmocka_unit_test(base64_url_has_its_own_alphabet_and_no_padding),
	cmocka_unit_test(base64_reads_the_rfc_examples),
	cmocka_unit_test(base64_refuses_what_is_not_canonical),
	cmocka_unit_test(base64_refuses_more_than_there_is_room_for),
};
UNIT_MAIN(tests)
