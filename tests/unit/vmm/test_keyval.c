/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"
#include "vmm/keyval.h"

#include <errno.h>
#include <string.h>

struct thing {
	char *path;
	bool on;
	uint64_t number, size;
	int choice;
};

static const char *const names[] = {"red", "green", NULL};

#define F(k, kd, m, ...)                                                                           \
	{                                                                                          \
		.key = (k), .kind = (kd), .offset = offsetof(struct thing, m), __VA_ARGS__         \
	}
static const struct keyval_field fields[] = {
	F("path", KEYVAL_STRING, path),
	F("on", KEYVAL_TOGGLE, on),
	F("number", KEYVAL_NUMBER, number, .min = 1, .max = 10),
	F("size", KEYVAL_SIZE, size),
	F("choice", KEYVAL_CHOICE, choice, .names = names),
};
static const struct keyval_section section = {
	.name = "thing", .fields = fields, .n_fields = ARRAY_SIZE(fields), .bare = "choice"};

static void keyval_parses_all_kinds(void **state)
{
	struct thing t = {0};
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(
		keyval_parse(&section, &t, "green,path=\"a,b\",on=true,number=0x9,size=3M", &e), 0);
	assert_string_equal(t.path, "a,b");
	assert_true(t.on);
	assert_int_equal(t.number, 9);
	assert_int_equal(t.size, 3 << 20);
	assert_int_equal(t.choice, 1);
	assert_int_equal(keyval_parse(&section, &t, "path=c,on=off", &e), 0);
	assert_string_equal(t.path, "c");
	keyval_free(&section, &t);
}

static void keyval_names_flag_and_key_in_errors(void **state)
{
	static const struct {
		const char *text, *message;
	} cases[] = {
		{"", "--thing: needs a value"},
		{"colour=1", "--thing: unknown key 'colour'"},
		{"path=a,path=b", "--thing: key 'path' is given twice"},
		{"number=11", "--thing: number=11 is out of range (1 to 10)"},
		{"number=0", "--thing: number=0 is out of range (1 to 10)"},
		{"number=x", "--thing: number=x is not a number"},
		{"number=-1", "--thing: number=-1 is not a number"},
		{"number=5M", "--thing: number=5M is not a number"},
		{"number=99999999999999999999", "--thing: number=99999999999999999999 is not a number"},
		{"size=17000000T", "--thing: size=17000000T is not a size such as 512M"},
		{"size=1MB", "--thing: size=1MB is not a size such as 512M"},
		{"on=maybe", "--thing: on=maybe is neither on nor off"},
		{"blue", "--thing: choice 'blue' is none of: red, green"},
		{"red,green", "--thing: unknown key 'green'"},
		{"on=on,path", "--thing: key 'path' needs a value"},
		{",", "--thing: choice '' is none of: red, green"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct thing t = {0};
		struct err e = ERR_INIT;

		assert_int_equal(keyval_parse(&section, &t, cases[i].text, &e), -EINVAL);
		assert_string_equal(e.text, cases[i].message);
		keyval_free(&section, &t);
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(keyval_parses_all_kinds),
	cmocka_unit_test(keyval_names_flag_and_key_in_errors),
};
UNIT_MAIN(tests)
