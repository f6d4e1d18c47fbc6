/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Long flags of a verb, by table: name, kind, where the value goes, help text.
 *
 * A value is the next argument, or follows '=' in the same one; the order of flags is free.
 * Numbers are decimal or 0x hex. A flag that is unknown or given twice, a value that is missing
 * or does not fit its kind, and an argument that is no flag are errors. Values stay what the
 * caller put there when their flag is absent.
 */
#ifndef VMM_CLI_OPTIONS_H
#define VMM_CLI_OPTIONS_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum option_kind {
	OPTION_SWITCH, /* to: bool, becomes true; takes no value */
	OPTION_TEXT,   /* to: const char *, points into argv */
	OPTION_U32,    /* to: uint32_t */
	OPTION_U64,    /* to: uint64_t */
	OPTION_HEX,    /* to: `len` bytes, from exactly 2 * len digits */
};

struct option_row {
	const char *name; /* with its dashes: "--vcpus" */
	enum option_kind kind;
	void *to;
	bool *seen;        /* becomes true when the flag is given; NULL: nobody asks */
	size_t len;        /* OPTION_HEX */
	const char *value; /* what the help calls the value: "FILE" */
	const char *help;  /* one line */
};

#define OPTIONS_MAX 40 /* rows in one table */

struct options {
	const char *verb;  /* "measure", "id-block create" */
	const char *usage; /* what the verb does, and examples; printed before the table */
	const char *notes; /* printed after the table, NULL for none */
	const struct option_row *rows;
	size_t n_rows; /* at most OPTIONS_MAX */
};

/*
 * options_parse() - read argv[1] to argv[argc-1] into the rows' destinations.
 * Return: 0; 1 if --help or -h stands among them and the help was printed on stdout; -EINVAL.
 */
int options_parse(const struct options *o, int argc, char **argv, struct err *e) MUST_CHECK;

/*
 * options_fail() - print "cloister VERB: message" as one line on stderr.
 * Return: CLI_USAGE, the exit status for bad usage and malformed input.
 */
int options_fail(const struct options *o, const struct err *e);

/*
 * options_done() - end a verb that printed its result: a result that was lost is an error.
 * Return: CLI_OK, or CLI_USAGE with a line on stderr if stdout could not be written.
 */
int options_done(const struct options *o);

#endif
