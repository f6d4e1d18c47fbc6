/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The flags --timeline and --timeline-marker of `cloister run`. Files are made before the guest
 * runs, since the sandbox lets none be opened later. Main thread.
 */
#ifndef VMM_CLI_RUN_TIMELINE_H
#define VMM_CLI_RUN_TIMELINE_H

#include "base/err.h"

#define RUN_TIMELINE_FILES 2
#define RUN_TIMELINE_TEXTS 8

struct timeline;
struct vm;

struct run_timeline {
	struct timeline *timeline; /* NULL: not asked for */
	const char *files[RUN_TIMELINE_FILES], *texts[RUN_TIMELINE_TEXTS];
	int fds[RUN_TIMELINE_FILES];
	unsigned int n_files, n_texts;
};

/* run_timeline_flag() - take one of the flags. @rest: "" or "-marker". Return: 0 or -EINVAL. */
int run_timeline_flag(
	struct run_timeline *t, const char *rest, const char *value, struct err *e) MUST_CHECK;

/* run_timeline_begin() - make the files, and the timeline if there are any. Return: 0 or -errno. */
int run_timeline_begin(struct run_timeline *t, struct err *e) MUST_CHECK;

/* run_timeline_end() - write the files; what can't be written is logged. */
void run_timeline_end(struct run_timeline *t, const struct vm *vm);

/* run_timeline_forget() - free; allowed on a zeroed struct. */
void run_timeline_forget(struct run_timeline *t);

#endif
