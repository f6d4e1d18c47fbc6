/* SPDX-License-Identifier: Apache-2.0 */
/* Long flags by table; see vmm/cli/options.h. */
#include "vmm/cli/options.h"

#include "base/hex.h"
#include "vmm/cli/cli.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static void options_help(const struct options *o)
{
	fputs(o->usage, stdout);
	puts("\nFlags:");
	for (size_t i = 0; i < o->n_rows; i++) {
		const struct option_row *r = &o->rows[i];
		int width = printf("  %s %s", r->name, r->value ?: "");

		printf("%*s%s\n", width < 30 ? 30 - width : 1, "", r->help);
	}
	if (o->notes)
		printf("\n%s", o->notes);
}

/* options_number() - read a number up to max. Return: false if it is none or is larger. */
static bool options_number(const char *text, uint64_t max, uint64_t *out)
{
	bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
	const char *digits = hex ? "0123456789abcdefABCDEF" : "0123456789";
	const char *at = hex ? text + 2 : text;
	char *end;

	if (!*at || strspn(at, digits) != strlen(at))
		return false;
	errno = 0;
	*out = strtoull(at, &end, hex ? 16 : 10);
	return !errno && !*end && *out <= max;
}

static int options_value(const struct option_row *r, const char *text, struct err *e)
{
	uint64_t v;

	switch (r->kind) {
	case OPTION_TEXT:
		*(const char **)r->to = text;
		return 0;
	case OPTION_U32:
		if (!options_number(text, UINT32_MAX, &v))
			break;
		*(uint32_t *)r->to = (uint32_t)v;
		return 0;
	case OPTION_U64:
		if (!options_number(text, UINT64_MAX, r->to))
			break;
		return 0;
	case OPTION_HEX:
		if (hex_decode(text, r->to, r->len))
			return err_set(e, EINVAL, "%s: not %zu hex digits", r->name, 2 * r->len);
		return 0;
	case OPTION_SWITCH:
		assert(r->kind != OPTION_SWITCH); /* a switch has no value */
	}
	return err_set(e, EINVAL, "%s: '%s' is not a number in range", r->name, text);
}

/* options_find() - Return: the row that arg names, up to any '='; NULL if there is none. */
static const struct option_row *options_find(const struct options *o, const char *arg)
{
	size_t len = strcspn(arg, "=");

	for (size_t i = 0; i < o->n_rows; i++)
		if (strlen(o->rows[i].name) == len && !memcmp(o->rows[i].name, arg, len))
			return &o->rows[i];
	return NULL;
}

/* options_take() - read the flag at argv[*at] and move *at past it and its value. */
static int options_take(const struct option_row *r, int argc, char **argv, int *at, struct err *e)
{
	const char *value = strchr(argv[(*at)++], '=');

	if (r->seen)
		*r->seen = true;
	if (r->kind == OPTION_SWITCH) {
		*(bool *)r->to = true;
		return value ? err_set(e, EINVAL, "%s takes no value", r->name) : 0;
	}
	if (value)
		value++;
	else if (*at < argc)
		value = argv[(*at)++];
	else
		return err_set(e, EINVAL, "%s needs a value: %s", r->name, r->value);
	return options_value(r, value, e);
}

int options_parse(const struct options *o, int argc, char **argv, struct err *e)
{
	bool given[OPTIONS_MAX] = {false};
	int at = 1;

	assert(o->n_rows <= OPTIONS_MAX);
	while (at < argc) {
		const struct option_row *r = options_find(o, argv[at]);
		int ret;

		if (!strcmp(argv[at], "--help") || !strcmp(argv[at], "-h")) {
			options_help(o);
			return 1;
		}
		if (!r)
			return err_set(e, EINVAL, "unknown flag '%s'; see `cloister %s --help`",
				argv[at], o->verb);
		if (given[r - o->rows])
			return err_set(e, EINVAL, "%s is given twice", r->name);
		given[r - o->rows] = true;
		ret = options_take(r, argc, argv, &at, e);
		if (ret)
			return ret;
	}
	return 0;
}

int options_fail(const struct options *o, const struct err *e)
{
	fprintf(stderr, "cloister %s: %s\n", o->verb, e->text);
	return CLI_USAGE;
}

int options_done(const struct options *o)
{
	if (!fflush(stdout) && !ferror(stdout))
		return CLI_OK;
	fprintf(stderr, "cloister %s: stdout cannot be written\n", o->verb);
	return CLI_USAGE;
}
