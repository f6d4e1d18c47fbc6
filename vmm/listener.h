/* SPDX-License-Identifier: Apache-2.0 */
/*
 * struct listener: a listening unix socket, of the API or in a terminal's place. For a path it
 * holds a lock on PATH.lock as long as it lives, so a socket left by a dead process is told from
 * one in use.
 */
#ifndef VMM_LISTENER_H
#define VMM_LISTENER_H

#include "base/err.h"

struct listener {
	const char *flag; /* for messages; a literal */
	int fd;           /* listening, non-blocking; whoever takes it puts -1 here */
	int lock;         /* -1: no path */
	char *path;       /* NULL: the socket was given as fd=N */
};

/*
 * listener_open() - listen at `path=P`, a bare path, or take over the listening socket `fd=N`.
 * Return: 0 or -errno; nothing is left behind then.
 */
int listener_open(
	struct listener *l, const char *flag, const char *where, struct err *e) MUST_CHECK;

/* listener_close() - also removes socket and lock file; a second time does nothing. */
void listener_close(struct listener *l);

#endif
