/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The monitor's own sandbox: its main thread locks itself down before the first guest instruction
 * (`cloister run`) or the first byte from a client (the daemon). vCPU threads load their filter
 * themselves (vmm/vcpu.h), device processes theirs (devices/back/process.h).
 */
#ifndef VMM_SANDBOX_H
#define VMM_SANDBOX_H

#include "seccomp/filter.h"

struct courier;

struct sandbox_desc {
	enum filter_role role; /* FILTER_RUN, FILTER_REPORTER or FILTER_DAEMON */
	enum filter_mode seccomp;
	bool best_effort;
	const char *report;     /* FILTER_REPORTER: the file that will be written */
	const char *sockets[2]; /* FILTER_RUN, FILTER_REPORTER: removed at the end; NULL: none */
};

/*
 * sandbox_jail() - give up rights: for the calling thread and the threads that it starts from now
 * on, so before there are vCPU threads. For good.
 * Return: 0, or -errno for what could not be applied.
 */
int sandbox_jail(const struct sandbox_desc *desc, struct err *e) MUST_CHECK;

/*
 * sandbox_filter() - the system call filter, after sandbox_jail(). It is inherited, too: the main
 * thread of `cloister run`, which may do less than vCPU threads, loads it when they have started.
 * Return: 0 or -errno.
 */
int sandbox_filter(const struct sandbox_desc *desc, struct err *e) MUST_CHECK;

/* sandbox_thread() - a thread for errands in the filter of a role, named after it. Return: 0 or
 * -errno. */
int sandbox_thread(struct courier **out, enum filter_role role, enum filter_mode mode,
	struct err *e) MUST_CHECK;

#endif
