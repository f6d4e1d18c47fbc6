/* SPDX-License-Identifier: Apache-2.0 */
/* The table of verbs; see vmm/cli/cli.h. */
#include "vmm/cli/cli.h"

#include "base/attr.h"

#include <stdio.h>
#include <string.h>

static const struct cli_verb {
	const char *name;
	cli_verb_fn fn;
	const char *summary;
} verbs[] = {
	{"run", cli_run, "run a VM until its guest powers off"},
	{"check", cli_check, "say what this host offers and which level `auto` would choose"},
	{"ctl", cli_ctl, "drive a daemon: create, boot, info, pause, ... a VM"},
	{"device", cli_device, "run one device as a vhost-user back end for another VMM"},
	{"id-block", cli_id_block, "sign or check what an owner says about an SNP guest"},
	{"measure", cli_measure, "predict the launch digest of a confidential guest"},
	{"rtmr", cli_rtmr, "replay the event log of a TD"},
	{"verify", cli_verify, "check a report or quote of a confidential guest"},
	{"help", NULL, "this text; `cloister VERB --help` teaches a verb by example"},
};

static void cli_print_help(FILE *to)
{
	fputs("Usage: cloister VERB [FLAGS]\n"
	      "       cloister --api-socket PATH [FLAGS]    (the daemon; see its --help)\n\n",
		to);
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		fprintf(to, "  %-10s %s\n", verbs[i].name, verbs[i].summary);
}

int cli_main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "help";

	if (!strcmp(name, "--help") || !strcmp(name, "-h") || !strcmp(name, "help")) {
		cli_print_help(stdout);
		return CLI_OK;
	}
	if (!strcmp(name, "--version") || !strcmp(name, "-V")) {
		puts("cloister " CLOISTER_VERSION);
		return CLI_OK;
	}
	if (name[0] == '-')
		return cli_daemon(argc, argv);
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		if (verbs[i].fn && !strcmp(name, verbs[i].name))
			return verbs[i].fn(argc - 1, argv + 1);
	fprintf(stderr, "cloister: unknown verb '%s'; see `cloister help`\n", name);
	return CLI_USAGE;
}
