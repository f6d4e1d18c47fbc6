/* SPDX-License-Identifier: Apache-2.0 */
/* Timelines of `cloister run`; see vmm/cli/run_timeline.h. */
#include "vmm/cli/run_timeline.h"

#include "base/fd.h"
#include "base/log.h"
#include "vmm/timeline.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

/* ends() - does a file's name end so? */
static bool ends(const char *name, const char *ending)
{
	size_t len = strlen(name), n = strlen(ending);

	return len > n && !strcmp(name + len - n, ending);
}

int run_timeline_flag(struct run_timeline *t, const char *rest, const char *value, struct err *e)
{
	if (!strcmp(rest, "-marker")) {
		if (t->n_texts == RUN_TIMELINE_TEXTS || !*value)
			return err_set(
				e, EINVAL, "--timeline-marker: up to %d texts", RUN_TIMELINE_TEXTS);
		t->texts[t->n_texts++] = value;
		return 0;
	}
	if (*rest)
		return err_set(
			e, EINVAL, "unknown flag --timeline%s; see `cloister run --help`", rest);
	if (!ends(value, ".svg") && !ends(value, ".json"))
		return err_set(
			e, EINVAL, "--timeline: '%s' ends neither with .svg nor with .json", value);
	if (t->n_files == RUN_TIMELINE_FILES)
		return err_set(e, EINVAL, "--timeline: more than %d files", RUN_TIMELINE_FILES);
	t->files[t->n_files++] = value;
	return 0;
}

int run_timeline_begin(struct run_timeline *t, struct err *e)
{
	unsigned int n = t->n_files;
	int rc = 0;

	if (!n)
		return t->n_texts ? err_set(e, EINVAL, "--timeline-marker: without --timeline") : 0;
	t->n_files = 0;
	for (unsigned int i = 0; i < n; i++) {
		t->fds[i] = open(t->files[i], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
		if (t->fds[i] < 0)
			return err_sys(e, errno, "--timeline: '%s'", t->files[i]);
		t->n_files++;
	}
	rc = timeline_create(&t->timeline, e);
	for (unsigned int i = 0; !rc && i < t->n_texts; i++)
		timeline_watch_for(t->timeline, t->texts[i]);
	return rc;
}

void run_timeline_end(struct run_timeline *t, const struct vm *vm)
{
	if (!t->timeline)
		return;
	timeline_take(t->timeline, vm);
	for (unsigned int i = 0; i < t->n_files; i++) {
		int rc = timeline_write(t->timeline, t->fds[i], ends(t->files[i], ".svg"));

		if (rc)
			log_error("timeline", "'%s': %s", t->files[i], strerror(-rc));
	}
}

void run_timeline_forget(struct run_timeline *t)
{
	for (unsigned int i = 0; i < t->n_files && t->fds[i] > 0; i++)
		fd_drop(&t->fds[i]);
	timeline_destroy(t->timeline);
	*t = (struct run_timeline){0};
}
