/* SPDX-License-Identifier: Apache-2.0 */
/*
 * struct program: a role's filter, compiled. Compiling allocates and makes many system calls;
 * entering is one call, so a thread can begin with it.
 */
#ifndef SECCOMP_PROGRAM_H
#define SECCOMP_PROGRAM_H

#include "seccomp/filter.h"

struct program;

/*
 * program_create() - compile a role's rows.
 * @out: for program_destroy(); NULL if the mode is FILTER_OFF
 * Return: 0 or -errno.
 */
int program_create(struct program **out, enum filter_role role, enum filter_mode mode,
	struct err *e) MUST_CHECK;

/* program_load() - compile for the calling thread and enter, in one. Return: 0 or -errno. */
int program_load(enum filter_role role, enum filter_mode mode, struct err *e) MUST_CHECK;

/* program_destroy() - threads that entered it stay confined; NULL is allowed. */
void program_destroy(struct program *p);

/* program_enter() - confine the calling thread, for good; NULL does nothing. Return: 0 or -errno.
 */
int program_enter(const struct program *p) MUST_CHECK;

#endif
