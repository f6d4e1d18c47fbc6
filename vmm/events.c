/* SPDX-License-Identifier: Apache-2.0 */
/* The event monitor; see vmm/events.h. */
#include "vmm/events.h"

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

struct events {
	int fd;
	uint64_t start_ns;
};

/* events_open() - Return: a descriptor of our own, or -errno */
static int events_open(const char *where, struct err *e)
{
	const char *path = strncmp(where, "path=", 5) ? where : where + 5;
	int fd, n;
	char end;

	if (sscanf(where, "fd=%d%c", &n, &end) == 1)
		fd = fcntl(n, F_DUPFD_CLOEXEC, 3);
	else
		fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NONBLOCK, 0600);
	if (fd < 0 || fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) < 0) {
		err_sys(e, errno, "--event-monitor: '%s'", where);
		fd_drop(&fd);
		return -e->code;
	}
	return fd;
}

int events_create(struct events **out, const char *where, struct err *e)
{
	struct events *events = calloc(1, sizeof(*events));

	*out = NULL;
	if (!events)
		return err_sys(e, ENOMEM, "event monitor");
	events->start_ns = clock_ns();
	events->fd = events_open(where, e);
	if (events->fd < 0) {
		free(events);
		return -e->code;
	}
	*out = events;
	return 0;
}

void events_destroy(struct events *events)
{
	if (!events)
		return;
	fd_drop(&events->fd);
	free(events);
}

void events_emit(struct events *events, const char *source, const char *event)
{
	events_emit_with(events, source, event, NULL);
}

void events_emit_with(
	struct events *events, const char *source, const char *event, json_t *properties)
{
	cleanup_free char *text = NULL, *line = NULL;
	uint64_t ns;
	int n;

	if (events) {
		text = properties ? json_dumps(properties, JSON_COMPACT | JSON_ENSURE_ASCII) : NULL;
		ns = clock_ns() - events->start_ns;
		n = asprintf(&line,
			"{\"timestamp\":{\"secs\":%llu,\"nanos\":%llu},\"source\":\"%s\","
			"\"event\":\"%s\",\"properties\":%s}\n",
			(unsigned long long)(ns / 1000000000),
			(unsigned long long)(ns % 1000000000), source, event, text ? text : "null");
		if (n < 0 || write(events->fd, line, (size_t)n) != n)
			log_limited(LOG_WARN, "events", "an event was lost: %s", event);
	}
	json_decref(properties);
}
