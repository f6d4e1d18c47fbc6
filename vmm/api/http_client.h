/* SPDX-License-Identifier: Apache-2.0 */
/* One request to a daemon's API, for `cloister ctl`. */
#ifndef VMM_API_HTTP_CLIENT_H
#define VMM_API_HTTP_CLIENT_H

#include "base/err.h"

struct http_answer {
	int status;
	char *body; /* NUL-terminated, the caller frees it; NULL: none */
};

struct http_call {
	const char *socket, *method, *path;
	const char *body; /* JSON; NULL: none */
	/* Called each time that wait_ms went by without an answer; NULL: nobody asks. */
	void (*waiting)(void *ctx);
	void *ctx;
	int wait_ms;
};

/*
 * http_client_call() - connect to the unix socket, send one request, wait for the whole answer.
 * Return: 0 with whatever status came, or -errno.
 */
int http_client_call(struct http_answer *answer, const struct http_call *call) MUST_CHECK;

#endif
