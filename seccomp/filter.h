/* SPDX-License-Identifier: Apache-2.0 */
/*
 * System call filters: one const table in filter.c says which role may make which call, and why.
 * Everything else kills the process (or is logged, where a person asked for that).
 */
#ifndef SECCOMP_FILTER_H
#define SECCOMP_FILTER_H

#include "base/err.h"

enum filter_role { FILTER_BLK, FILTER_RNG, FILTER_CONSOLE, FILTER_ROLES };

enum filter_mode { FILTER_KILL, FILTER_LOG };

/*
 * filter_load() - confine the calling thread, and what it starts, to its role. For good.
 * Call it in a process that has no_new_privs (seccomp/jail.h).
 * Return: 0 or -errno.
 */
int filter_load(enum filter_role role, enum filter_mode mode, struct err *e) MUST_CHECK;

/* filter_size() - Return: the number of system calls that a role may make. */
size_t filter_size(enum filter_role role);

#endif
