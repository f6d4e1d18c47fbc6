/* SPDX-License-Identifier: Apache-2.0 */
/*
 * struct err: an error that a person can read.
 *
 * Control-path functions return 0 or a negative errno and take a `struct err *` last. The message
 * is made where the failure happens and gets context added on its way up ("disk 'a.img': open: No
 * such file or directory"). The caller owns the struct, there is no heap, and NULL is not allowed.
 * Data-path functions return a negative errno alone and do not use this.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include "base/attr.h"

struct err {
	int code; /* positive errno, 0 when nothing has failed */
	char text[768]; /* one line, no newline; long messages are cut */
};

#define ERR_INIT                                                                                   \
	{                                                                                          \
		.code = 0                                                                          \
	}

/*
 * err_set() - record an error.
 * @code: positive errno that best names the class (EINVAL for bad input, ...)
 * Return: -code, so that `return err_set(e, EINVAL, ...)` reads well.
 */
int err_set(struct err *e, int code, const char *fmt, ...) PRINTF_LIKE(3, 4);

/*
 * err_sys() - record a failed system call: the message plus ": " plus strerror(code).
 * @code: positive errno as the call left it
 * Return: -code.
 */
int err_sys(struct err *e, int code, const char *fmt, ...) PRINTF_LIKE(3, 4);

/*
 * err_context() - put "<context>: " in front of a recorded message.
 * Return: -e->code, so that a caller can pass the failure on.
 */
int err_context(struct err *e, const char *fmt, ...) PRINTF_LIKE(2, 3);

#endif
