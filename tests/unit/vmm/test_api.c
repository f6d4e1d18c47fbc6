/* SPDX-License-Identifier: Apache-2.0 */
/* The table of calls against docs/api.yaml, whose path is the program's argument. */
#include "vmm/api/api.h"

#include "tests/unit/unit.h"
#include "tests/unit/vmm/schema.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *document;
static char text[1 << 18];

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

static void api_has_every_field_in_its_document(void **state)
{
	char *schema = NULL, *begin;
	size_t len;
	FILE *f = open_memstream(&schema, &len);

	(void)state;
	assert_non_null(f);
	schema_print(f);
	fclose(f);
	read_document();
	begin = strstr(text, SCHEMA_BEGIN);
	if (!begin || strncmp(begin, schema, len))
		fail_msg("the tables make other schemas; see CONTRIBUTING.md: test_api %s print",
			document);
	free(schema);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(api_has_every_call_in_its_document),
	cmocka_unit_test(api_has_every_field_in_its_document),
};

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[2], "print")) {
		schema_print(stdout);
		return 0;
	}
	if (argc != 2)
		return 1;
	document = argv[1];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
