/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The jail of a device process, without a separate program. Stages, in order:
 * 1. jail_fork(): own user, pid, mount, network, IPC, UTS and cgroup namespaces; nothing mapped in
 *    the user namespace, so no capability counts for anything outside.
 * 2. jail_close_fds(): only the named descriptors and stderr stay open.
 * 3. (the process opens what it needs: event loop, io_uring)
 * 4. jail_enter(): dies with its parent; not dumpable or traceable; no_new_privs; an empty,
 *    read-only root; Landlock without a single rule; no capabilities; small resource limits.
 * 5. program_load() (seccomp/program.h).
 *
 * What can't be applied is an error, or a warning in the log if best_effort is set; only that the
 * kernel has no Landlock is never an error. Nothing is skipped silently.
 *
 * The monitor and the spawner have a part of it: jail_confine().
 */
#ifndef SECCOMP_JAIL_H
#define SECCOMP_JAIL_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct landlock;

struct jail {
	const char *tag; /* for log lines */
	bool best_effort;
	unsigned int max_fds; /* RLIMIT_NOFILE */
};

/*
 * jail_fork() - fork into namespaces of its own. The caller has one thread.
 * @pidfd: a descriptor of the child, in the parent only
 * Return: the child's pid; 0 in the child; or -errno.
 */
int jail_fork(const struct jail *jail, int *pidfd, struct err *e) MUST_CHECK;

/* jail_close_fds() - close all but stderr and keep[0..n-1], n <= 24. Return: 0 or -errno. */
int jail_close_fds(const int *keep, size_t n, struct err *e) MUST_CHECK;

/* jail_enter() - stage 4 for the calling process, which has one thread. Return: 0 or -errno. */
int jail_enter(const struct jail *jail, struct err *e) MUST_CHECK;

/*
 * jail_confine() - the part of a jail that spawner and monitor can live in, as they start processes
 * and open files: no_new_privs, no core files, not dumpable or traceable, few capabilities.
 * @l: rights that are given up, NULL: none
 * @caps: capabilities that stay, if they were there (seccomp/privilege.h)
 * Return: 0 or -errno.
 */
int jail_confine(
	const struct jail *jail, const struct landlock *l, uint64_t caps, struct err *e) MUST_CHECK;

#endif
