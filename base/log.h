/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Log lines on stderr: "cloister[tag]: lower-case fact". Never guest secrets.
 *
 * What a guest can trigger uses log_limited(), which prints a few lines per call site and counts
 * the rest, so that no guest can fill a disk. Safe from every thread and process: one write(2)
 * per line.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/attr.h"

#include <stdint.h>

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

/* log_set_level() - print lines up to this level; LOG_WARN at start. */
void log_set_level(enum log_level level);

/* log_get_level() - Return: the level now in force. */
enum log_level log_get_level(void);

/* log_line() - print one line, unless the level in force is lower; tag names the module. */
void log_line(enum log_level level, const char *tag, const char *fmt, ...) PRINTF_LIKE(3, 4);

#define log_error(tag, ...) log_line(LOG_ERROR, tag, __VA_ARGS__)
#define log_warn(tag, ...)  log_line(LOG_WARN, tag, __VA_ARGS__)
#define log_info(tag, ...)  log_line(LOG_INFO, tag, __VA_ARGS__)
#define log_debug(tag, ...) log_line(LOG_DEBUG, tag, __VA_ARGS__)

/* One per call site; log_limited() makes it. Lines beyond the first 8 are printed at powers of 2. */
struct log_limit {
	uint64_t seen;
};

/* log_limit_pass() - count one event. Return: its number if the line is to be printed, else 0. */
uint64_t log_limit_pass(struct log_limit *limit);

#define log_limited(level, tag, fmt, ...)                                                          \
	do {                                                                                       \
		static struct log_limit limit_;                                                    \
		uint64_t nth_ = log_limit_pass(&limit_);                                           \
		if (nth_)                                                                          \
			log_line(level, tag, fmt " (occurrence %llu)", ##__VA_ARGS__,              \
				(unsigned long long)nth_);                                         \
	} while (0)

#endif
