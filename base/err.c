/* SPDX-License-Identifier: Apache-2.0 */
/* Recording of readable errors; see base/err.h. */
#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* err_clean() - keep the message on one line whatever came in from a file name or a client */
static void err_clean(char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			*s = '?';
}

int err_set(struct err *e, int code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(e->text, sizeof(e->text), fmt, ap);
	va_end(ap);
	err_clean(e->text);
	e->code = code ? code : EIO;
	return -e->code;
}

int err_sys(struct err *e, int code, const char *fmt, ...)
{
	va_list ap;
	size_t n;

	va_start(ap, fmt);
	vsnprintf(e->text, sizeof(e->text), fmt, ap);
	va_end(ap);
	n = strlen(e->text);
	snprintf(e->text + n, sizeof(e->text) - n, ": %s", strerrordesc_np(code) ?: "unknown error");
	err_clean(e->text);
	e->code = code ? code : EIO;
	return -e->code;
}

int err_context(struct err *e, const char *fmt, ...)
{
	char text[2 * sizeof(e->text) + 2];
	va_list ap;
	size_t n;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(e->text), fmt, ap);
	va_end(ap);
	n = strlen(text);
	snprintf(text + n, sizeof(text) - n, ": %s", e->text);
	err_clean(text);
	memcpy(e->text, text, sizeof(e->text));
	e->text[sizeof(e->text) - 1] = '\0';
	return -e->code;
}
