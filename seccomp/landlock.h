/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Landlock: a process takes rights to files, TCP and signals from itself, as far as this kernel
 * knows them. For good, and for all that it starts.
 */
#ifndef SECCOMP_LANDLOCK_H
#define SECCOMP_LANDLOCK_H

#include <stdbool.h>
#include <stdint.h>

/* Sets of LANDLOCK_ACCESS_FS_* (linux/landlock.h). */
#define LANDLOCK_ALL UINT64_MAX
#define LANDLOCK_NODES                                                                             \
	UINT64_C(0x3c51) /* run files; make nodes that are neither files nor sockets */
#define LANDLOCK_SAVE UINT64_C(0x4122) /* make, write, truncate and remove regular files */

#define LANDLOCK_REMOVE UINT64_C(0x20) /* remove files that are no directories */

/* Below this directory some rights remain. */
struct landlock_place {
	const char *dir; /* NULL: none */
	uint64_t allow;
};

#define LANDLOCK_PLACES 3

struct landlock {
	uint64_t deny; /* rights to files that are taken */
	struct landlock_place places[LANDLOCK_PLACES];
	bool deny_signals; /* to processes that are not below this one */
};

/*
 * landlock_enter() - for the calling thread and its children, in a process with no_new_privs.
 * Using and offering TCP is always taken.
 * Return: 0; -ENOSYS or -EOPNOTSUPP if this kernel has no Landlock; another -errno.
 */
int landlock_enter(const struct landlock *l);

#endif
