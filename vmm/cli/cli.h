/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command line: `cloister VERB ...`. One file per verb in this folder; a verb is a row of the
 * table in cli.c.
 */
#ifndef VMM_CLI_CLI_H
#define VMM_CLI_CLI_H

/* Exit statuses that every verb keeps to; `run` documents more. */
enum cli_status {
	CLI_OK = 0,
	CLI_REFUSED = 1, /* checked, and the answer is no; or it failed while running */
	CLI_USAGE = 2, /* bad usage or malformed input: one line on stderr */
};

/* A verb: argv[0] is the verb itself. Return: the exit status. */
typedef int (*cli_verb_fn)(int argc, char **argv);

int cli_run(int argc, char **argv);
int cli_daemon(int argc, char **argv); /* not a verb: flags alone */
int cli_check(int argc, char **argv);
int cli_ctl(int argc, char **argv);
int cli_device(int argc, char **argv);
int cli_id_block(int argc, char **argv);
int cli_measure(int argc, char **argv);
int cli_rtmr(int argc, char **argv);
int cli_verify(int argc, char **argv);

/* cli_main() - find and run the verb of argv[1]. Return: the exit status of the process. */
int cli_main(int argc, char **argv);

#endif
