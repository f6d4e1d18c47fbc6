/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"
#include "vmm/cli/explain.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static void explain_writes_a_line_for_each_step(void **state)
{
	const uint8_t digest[2] = {0xab, 0xcd};
	struct trace_step step = {"NORMAL", gpa_of(0xfffff000), 4096, digest, digest, 2};
	char path[64], text[512] = "";
	struct explain x;
	struct err e;
	FILE *f;

	(void)state;
	snprintf(path, sizeof(path), "explain.%d.txt", (int)getpid());
	assert_int_equal(explain_open(&x, path, &e), 0);
	x.trace.step(x.trace.to, &step);
	step = (struct trace_step){"VMSA", gpa_of(TRACE_NO_GPA), 1, NULL, digest, 2};
	x.trace.step(x.trace.to, &step);
	assert_int_equal(explain_finish(&x, &e), 0);
	explain_close(&x);
	explain_close(&x);
	f = fopen(path, "r");
	assert_true(fread(text, 1, sizeof(text) - 1, f) > 0);
	fclose(f);
	unlink(path);
	assert_non_null(strstr(text, "\nNORMAL       0x0000fffff000  4096 abcd abcd\n"));
	assert_non_null(strstr(text, "\nVMSA         -                  1 - abcd\n"));
}

static void explain_says_when_it_cannot_write(void **state)
{
	struct explain x;
	struct err e;

	(void)state;
	assert_int_equal(explain_open(&x, "no/such/folder", &e), -ENOENT);
	explain_close(&x);
	assert_int_equal(explain_open(&x, "/dev/full", &e), 0);
	assert_int_equal(explain_finish(&x, &e), -EIO);
	explain_close(&x);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(explain_writes_a_line_for_each_step),
	cmocka_unit_test(explain_says_when_it_cannot_write),
};
UNIT_MAIN(tests)
