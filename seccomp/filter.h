/* SPDX-License-Identifier: Apache-2.0 */
/*
 * System call filters: one const table in filter.c says which role may make which call, and why.
 * Everything else kills the process. seccomp/program.h has a filter for each role.
 *
 * Roles of threads and processes: each kind of device process; the spawner, whose children start
 * with its filter and so need their rows in it; vCPU threads, and the thread that talks to device
 * processes for them; the main thread of `cloister run`, with and without a report to write; the
 * main thread of the daemon, which makes VMs, so that the rows of `run` and of vCPU threads are in
 * it.
 */
#ifndef SECCOMP_FILTER_H
#define SECCOMP_FILTER_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

enum filter_role {
	FILTER_BLK,
	FILTER_RNG,
	FILTER_CONSOLE,
	FILTER_NET,
	FILTER_VSOCK,
	FILTER_BALLOON,
	FILTER_SPAWNER,
	FILTER_VCPU,
	FILTER_COURIER, /* talks to device processes for vCPU threads */
	FILTER_RUN,
	FILTER_REPORTER, /* FILTER_RUN with --report */
	FILTER_DAEMON,   /* likewise, with clients instead of a terminal */
	FILTER_API,      /* the daemon's thread that talks to clients */
	FILTER_BUILDER,  /* the daemon's thread that does what they ask for */
	FILTER_DIALER,   /* level tdx: connects to a quote service */
	FILTER_ROLES
};

/* What a call that is not in the role ends in. */
enum filter_mode {
	FILTER_KILL,  /* the process is killed */
	FILTER_LOG,   /* the kernel logs it and lets it pass */
	FILTER_TRAP,  /* the process names the call on standard error and ends */
	FILTER_ERRNO, /* EPERM */
	FILTER_OFF,   /* there is no filter */
};

/* A row per system call and, where several values of an argument are right, per value. */
struct filter_row {
	int call;           /* its number */
	unsigned int roles; /* a bit per role */
	const char *reason;
	/* One argument test, if mask is not 0: argument number `arg` & mask must be `value`. */
	unsigned int arg;
	uint64_t mask, value;
	int refuse;         /* not 0: the call is not made, and this errno is its result */
	const char *rarely; /* where this row is used, if not on every host */
};

/* filter_row() - Return: row i of the table, NULL past the last. */
const struct filter_row *filter_row(size_t i);

/* filter_applies() - is a row part of a role's filter? */
bool filter_applies(const struct filter_row *row, enum filter_role role);

/* filter_role_name() - Return: such as "vcpu". */
const char *filter_role_name(enum filter_role role);

/*
 * filter_is_lax() - builds with AddressSanitizer only log what monitor and spawner do: at its end
 * the runtime looks at files, makes processes and traces them. With ThreadSanitizer, all roles.
 */
bool filter_is_lax(enum filter_role role);

/* filter_size() - Return: the number of system calls that a role may make. */
size_t filter_size(enum filter_role role);

/*
 * filter_mode_parse() - true, false, log, trap, errno: a value of --seccomp.
 * Return: 0 or -EINVAL, and the value is named.
 */
int filter_mode_parse(enum filter_mode *mode, const char *text, struct err *e) MUST_CHECK;

#endif
