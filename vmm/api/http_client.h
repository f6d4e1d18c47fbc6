/* SPDX-License-Identifier: Apache-2.0 */
/* One request to a daemon's API, for `cloister ctl`. */
#ifndef VMM_API_HTTP_CLIENT_H
#define VMM_API_HTTP_CLIENT_H

#include "base/err.h"

struct http_answer {
	int status;
	char *body; /* NUL-terminated, the caller frees it; NULL: none */
};

/*
 * http_client_call() - connect to the unix socket, send one request, wait for the whole answer.
 * @body: JSON, NULL: none
 * Return: 0 with whatever status came, or -errno.
 */
int http_client_call(struct http_answer *answer, const char *socket, const char *method,
	const char *path, const char *body) MUST_CHECK;

#endif
