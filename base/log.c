/* SPDX-License-Identifier: Apache-2.0 */
/* Log lines; see base/log.h. */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static enum log_level level_now = LOG_WARN;

void log_set_level(enum log_level level)
{
	level_now = level;
}

enum log_level log_get_level(void)
{
	return level_now;
}

void log_line(enum log_level level, const char *tag, const char *fmt, ...)
{
	char line[1024];
	va_list ap;
	size_t n;

	if (level > level_now)
		return;
	n = (size_t)snprintf(line, sizeof(line) / 2, "cloister[%s]: ", tag);
	va_start(ap, fmt);
	vsnprintf(line + n, sizeof(line) - n - 1, fmt, ap);
	va_end(ap);
	n = strlen(line);
	line[n++] = '\n';
	if (write(STDERR_FILENO, line, n) < 0)
		return; /* nobody is left to tell */
}

uint64_t log_limit_pass(struct log_limit *limit)
{
	uint64_t nth = __atomic_add_fetch(&limit->seen, 1, __ATOMIC_RELAXED);

	return nth <= 8 || (nth & (nth - 1)) == 0 ? nth : 0;
}
