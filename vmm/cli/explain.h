/* SPDX-License-Identifier: Apache-2.0 */
/*
 * struct explain: the trace of a digest as text, one line for each piece that entered it, made for
 * diff(1): two digests differ from the first line on that differs.
 */
#ifndef VMM_CLI_EXPLAIN_H
#define VMM_CLI_EXPLAIN_H

#include "attestation/trace.h"

#include <stdio.h>

struct explain {
	struct trace trace; /* what to give to a digest */
	FILE *to;
	char *text; /* what goes to stdout, once all is well */
	size_t len;
};

/*
 * explain_open() - write to the file at path; "-" for stdout, which sees nothing before
 * explain_finish().
 * Return: 0 or -errno.
 */
int explain_open(struct explain *x, const char *path, struct err *e) MUST_CHECK;

/* explain_finish() - write out what is buffered. Return: 0, or -EIO if anything was not written. */
int explain_finish(struct explain *x, struct err *e) MUST_CHECK;

/* explain_close() - close the file; allowed on zeroes. */
void explain_close(struct explain *x);

#endif
