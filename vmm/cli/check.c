/* SPDX-License-Identifier: Apache-2.0 */
/* `cloister check`: what this host offers. */
#include "vmm/cli/cli.h"

#include "vmm/host_report.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

static const char help[] =
	"Usage: cloister check [--json]\n"
	"\n"
	"Says what this host offers, one line each with the reason when not, and the\n"
	"confidentiality level that `cloister run --confidential auto` would choose.\n"
	"\n"
	"  cloister check                    # for people\n"
	"  cloister check --json | jq .level # for scripts\n"
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

int cli_check(int argc, char **argv)
{
	bool json = argc == 2 && !strcmp(argv[1], "--json");
	struct host_report report;
	struct hv_host host;

	if (argc == 2 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))) {
		fputs(help, stdout);
		return CLI_OK;
	}
	if (argc > 1 && !json) {
		fprintf(stderr, "cloister check: unknown argument '%s'; see `cloister check --help`\n",
			argv[1]);
		return CLI_USAGE;
	}
	hv_host_probe(&host);
	host_report_make(&report, &host);
	hv_host_close(&host);
	if (!json)
		check_print(&report);
	else if (check_print_json(&report))
		return CLI_REFUSED;
	return report.level ? CLI_OK : CLI_REFUSED;
}
