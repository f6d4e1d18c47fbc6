/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <string.h>

static void err_carries_code_and_context(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(err_sys(&e, ENOENT, "open"), -ENOENT);
	assert_int_equal(err_context(&e, "disk '%s'", "a.img"), -ENOENT);
	assert_string_equal(e.text, "disk 'a.img': open: No such file or directory");
}

static void err_stays_on_one_line_when_name_has_newline(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	err_set(&e, EINVAL, "kernel '%s'", "a\nb\x1b[31m");
	assert_null(strpbrk(e.text, "\n\x1b"));
}

static void err_cuts_long_messages(void **state)
{
	struct err e = ERR_INIT;
	char name[4096];

	(void)state;
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(err_sys(&e, EIO, "%s", name), -EIO);
	err_context(&e, "%s", name);
	assert_int_equal(strlen(e.text), sizeof(e.text) - 1);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(err_carries_code_and_context),
	cmocka_unit_test(err_stays_on_one_line_when_name_has_newline),
	cmocka_unit_test(err_cuts_long_messages),
};
UNIT_MAIN(tests)
