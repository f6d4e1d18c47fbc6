/* SPDX-License-Identifier: Apache-2.0 */
/* What generate/main.c makes of the table in filter.c when Cloister is built. */
#ifndef SECCOMP_PROGRAM_CODE_H
#define SECCOMP_PROGRAM_CODE_H

#include "seccomp/filter.h"

#include <linux/filter.h>

/* A role's filter, in mode FILTER_KILL. */
struct program_code {
	const struct sock_filter *code;
	unsigned short len; /* instructions */
};

extern const struct program_code program_codes[FILTER_ROLES];

/* The name of each row's system call, by number of the row. */
extern const char *const filter_call_names[];

#endif
