/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"
#include "vmm/cli/options.h"

#include <errno.h>
#include <string.h>

struct values {
	bool flag, have_count;
	const char *text;
	uint32_t count;
	uint64_t big;
	uint8_t id[4];
};

/* parse() - parse words (the verb left out) into *v. Return: what options_parse() returned. */
static int parse(struct values *v, struct err *e, int n, const char *const *words)
{
	const struct option_row rows[] = {
		{"--flag", OPTION_SWITCH, &v->flag, .help = "a switch"},
		{"--text", OPTION_TEXT, &v->text, .value = "TEXT", .help = "a text"},
		{"--count", OPTION_U32, &v->count, &v->have_count, .value = "N",
			.help = "a number"},
		{"--big", OPTION_U64, &v->big, .value = "N", .help = "a number"},
		{"--id", OPTION_HEX, v->id, .len = 4, .value = "HEX", .help = "four bytes"},
	};
	const struct options o = {"test", "Usage: test\n", NULL, rows, 5};
	char *argv[12] = {(char *)"test"};

	for (int i = 0; i < n; i++)
		argv[i + 1] = (char *)(uintptr_t)words[i];
	*v = (struct values){.count = 7};
	return options_parse(&o, n + 1, argv, e);
}

#define PARSE(v, e, ...)                                                                           \
	parse(v, e, (int)(sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *)),                 \
		(const char *const[]){__VA_ARGS__})

static void options_reads_every_kind(void **state)
{
	struct values v;
	struct err e;

	(void)state;
	assert_int_equal(PARSE(&v, &e, "--big", "0xFFFFFFFFFFFFFFFF", "--flag", "--text", "--flag",
				 "--id", "00ffaa55", "--count=12"),
		0);
	assert_true(v.flag);
	assert_string_equal(v.text, "--flag");
	assert_int_equal(v.count, 12);
	assert_true(v.have_count);
	assert_true(v.big == UINT64_MAX);
	assert_memory_equal(v.id, "\x00\xff\xaa\x55", 4);
}

static void options_keeps_defaults_when_absent(void **state)
{
	struct values v;
	struct err e;

	(void)state;
	assert_int_equal(PARSE(&v, &e, "--text", ""), 0);
	assert_string_equal(v.text, "");
	assert_int_equal(v.count, 7);
	assert_false(v.have_count);
	assert_false(v.flag);
}

static void options_refuses_bad_numbers(void **state)
{
	static const char *const bad[] = {
		"",
		"x",
		"-1",
		"+1",
		" 1",
		"1 ",
		"0x",
		"0xg",
		"1k",
		"4294967296",
		"0x100000000",
		"99999999999999999999999",
	};
	struct values v;
	struct err e;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(PARSE(&v, &e, "--count", bad[i]), -EINVAL);
		assert_non_null(strstr(e.text, "--count"));
	}
	assert_int_equal(PARSE(&v, &e, "--big", "18446744073709551616"), -EINVAL);
	assert_int_equal(PARSE(&v, &e, "--count", "010"), 0);
	assert_int_equal(v.count, 10);
}

static void options_refuses_what_it_does_not_know(void **state)
{
	struct values v;
	struct err e;

	(void)state;
	assert_int_equal(PARSE(&v, &e, "--nope"), -EINVAL);
	assert_string_equal(e.text, "unknown flag '--nope'; see `cloister test --help`");
	assert_int_equal(PARSE(&v, &e, "file"), -EINVAL);
	assert_int_equal(PARSE(&v, &e, "--coun", "1"), -EINVAL);
	assert_int_equal(PARSE(&v, &e, "--counts", "1"), -EINVAL);
	assert_int_equal(PARSE(&v, &e, "--flag=1"), -EINVAL);
	assert_int_equal(PARSE(&v, &e, "--text"), -EINVAL);
	assert_int_equal(PARSE(&v, &e, "--id", "00ffaa5"), -EINVAL);
	assert_int_equal(PARSE(&v, &e, "--flag", "--flag"), -EINVAL);
	assert_string_equal(e.text, "--flag is given twice");
}

static void options_keeps_an_error_on_one_line(void **state)
{
	struct values v;
	struct err e;

	(void)state;
	assert_int_equal(PARSE(&v, &e, "two\nlines\r"), -EINVAL);
	assert_null(strpbrk(e.text, "\n\r"));
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(options_reads_every_kind),
	cmocka_unit_test(options_keeps_defaults_when_absent),
	cmocka_unit_test(options_refuses_bad_numbers),
	cmocka_unit_test(options_refuses_what_it_does_not_know),
	cmocka_unit_test(options_keeps_an_error_on_one_line),
};
UNIT_MAIN(tests)
