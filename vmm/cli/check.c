/* SPDX-License-Identifier: Apache-2.0 */
/* `cloister check`: what this host offers. */
#include "vmm/cli/cli.h"

#include "base/attr.h"
#include "seccomp/program.h"
#include "vmm/host_report.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

static const char help[] =
	"Usage: cloister check [--seccomp] [--json]\n"
	"\n"
	"Says what this host offers, one line each with the reason when not, and the\n"
	"confidentiality level that `cloister run --confidential auto` would choose.\n"
	"\n"
	"  cloister check                    # for people\n"
	"  cloister check --json | jq .level # for scripts\n"
	"  cloister check --seccomp          # which process or thread may make which system call, and why\n"
	"\n"
	"Exit status: 0 if a VM can run here at some level, else 1.\n";

static void check_print(const struct host_report *r)
{
	for (unsigned int i = 0; i < r->n_rows; i++)
		printf("%-24s %-4s %s\n", r->rows[i].name, r->rows[i].offered ? "yes" : "no",
			r->rows[i].detail);
	printf("%-24s %s\n", "auto chooses", r->level ? r->level : "nothing: no VM can run here");
}

static int check_print_json(const struct host_report *r)
{
	json_t *root = host_report_json(r);

	if (json_dumpf(root, stdout, JSON_INDENT(2)) < 0) {
		json_decref(root);
		return -1;
	}
	putchar('\n');
	json_decref(root);
	return 0;
}

/* check_roles() - the roles whose filters have a row, joined by commas */
static void check_roles(const struct filter_row *row, char *text, size_t size)
{
	size_t n = 0;

	*text = '\0';
	for (unsigned int role = 0; role < FILTER_ROLES && n < size; role++)
		if (row->roles & 1u << role)
			n += (size_t)snprintf(
				text + n, size - n, "%s%s", n ? "," : "", filter_role_name(role));
}

static json_t *check_row_json(const struct filter_row *row, const char *call, const char *roles)
{
	json_t *o = json_pack("{s:s,s:s,s:s}", "call", call, "roles", roles, "reason", row->reason);

	if (row->mask)
		json_object_set_new(o, "argument",
			json_pack("{s:i,s:I,s:I}", "number", (int)row->arg, "mask",
				(json_int_t)row->mask, "value", (json_int_t)row->value));
	if (row->refuse)
		json_object_set_new(o, "refused", json_integer(row->refuse));
	if (row->rarely)
		json_object_set_new(o, "rarely", json_string(row->rarely));
	return o;
}

static void check_row_print(const struct filter_row *row, const char *call, const char *roles)
{
	char test[80] = "";

	if (row->mask)
		snprintf(test, sizeof(test), " if argument %u & %#llx is %#llx", row->arg,
			(unsigned long long)row->mask, (unsigned long long)row->value);
	printf("%s%s%s: %s (%s)\n", call, test, row->refuse ? ", refused" : "", row->reason, roles);
}

/* check_seccomp() - the table of system call filters. Return: the exit status. */
static int check_seccomp(bool json)
{
	json_t *list = json_array();
	const struct filter_row *row;
	int rc = 0;

	for (size_t i = 0; (row = filter_row(i)); i++) {
		char roles[256];

		check_roles(row, roles, sizeof(roles));
		if (!json)
			check_row_print(row, program_call_name(i), roles);
		else
			json_array_append_new(
				list, check_row_json(row, program_call_name(i), roles));
	}
	if (json)
		rc = json_dumpf(list, stdout, JSON_INDENT(1));
	json_decref(list);
	return rc ? CLI_REFUSED : CLI_OK;
}

int cli_check(int argc, char **argv)
{
	bool seccomp = argc > 1 && !strcmp(argv[1], "--seccomp");
	bool json = argc == 2 + seccomp && !strcmp(argv[argc - 1], "--json");
	struct host_report report;
	struct hv_host host;

	if (argc == 2 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))) {
		fputs(help, stdout);
		return CLI_OK;
	}
	if (argc > 1 + seccomp + json) {
		fprintf(stderr,
			"cloister check: unknown argument '%s'; see `cloister check --help`\n",
			argv[argc - 1]);
		return CLI_USAGE;
	}
	if (seccomp)
		return check_seccomp(json);
	hv_host_probe(&host);
	host_report_make(&report, &host);
	hv_host_close(&host);
	if (!json)
		check_print(&report);
	else if (check_print_json(&report))
		return CLI_REFUSED;
	return report.level ? CLI_OK : CLI_REFUSED;
}
