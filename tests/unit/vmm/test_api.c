/* SPDX-License-Identifier: Apache-2.0 */
/* The table of calls against docs/api.yaml, whose path is the program's argument. */
#include "vmm/api/api.h"

#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

static const char *document;
static char text[65536];

static void read_document(void)
{
	FILE *f = fopen(document, "re");
	size_t n;

	assert_non_null(f);
	n = fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	text[n] = '\0';
}

static void api_has_every_call_in_its_document(void **state)
{
	unsigned int n = 0, paths = 0;
	char line[64];

	(void)state;
	read_document();
	for (; api_path(n); n++) {
		snprintf(line, sizeof(line), "\n  /%s:\n", api_path(n));
		if (!strstr(text, line))
			fail_msg("%s is not in %s", api_path(n), document);
	}
	for (const char *at = text; (at = strstr(at, "\n  /")); at++)
		paths++;
	assert_int_equal(paths, n);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(api_has_every_call_in_its_document),
};

int main(int argc, char **argv)
{
	if (argc != 2)
		return 1;
	document = argv[1];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
