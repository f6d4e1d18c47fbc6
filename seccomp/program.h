/* SPDX-License-Identifier: Apache-2.0 */
/*
 * struct program: a role's filter, in the form that the kernel takes. It was compiled when Cloister
 * was built (generate/main.c); entering is one system call, so a thread can begin with it.
 */
#ifndef SECCOMP_PROGRAM_H
#define SECCOMP_PROGRAM_H

#include "seccomp/filter.h"

struct program;

/* program_call_name() - Return: the name of the system call in row i of the table. */
const char *program_call_name(size_t i);

/*
 * program_create() - a role's filter for a mode.
 * @out: for program_destroy(); NULL if the mode is FILTER_OFF
 * Return: 0 or -ENOMEM.
 */
int program_create(struct program **out, enum filter_role role, enum filter_mode mode,
	struct err *e) MUST_CHECK;

/*
 * program_load() - confine the calling thread, and what it starts, to its role. For good.
 * Call it in a process that has no_new_privs (seccomp/jail.h). Return: 0 or -errno.
 */
int program_load(enum filter_role role, enum filter_mode mode, struct err *e) MUST_CHECK;

/* program_destroy() - threads that entered it stay confined; NULL is allowed. */
void program_destroy(struct program *p);

/* program_enter() - confine the calling thread, for good; NULL does nothing. Return: 0 or -errno.
 */
int program_enter(const struct program *p) MUST_CHECK;

#endif
