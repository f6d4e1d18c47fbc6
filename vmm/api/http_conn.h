/* SPDX-License-Identifier: Apache-2.0 */
/* struct http_conn: one client of struct http; parses its requests and writes the replies. */
#ifndef VMM_API_HTTP_CONN_H
#define VMM_API_HTTP_CONN_H

#include "vmm/api/http.h"

struct http_conn;

struct http_conn_desc {
	struct loop *loop;
	http_handler fn;
	void (*forget)(void *ctx, void *later); /* as in struct http_desc */
	void *ctx;                              /* of both */
	/* The connection is over and is to be destroyed; called by the loop, never by create. */
	void (*gone)(void *gone_ctx, struct http_conn *conn);
	void *gone_ctx;
};

/* http_conn_create() - serve fd, which is the connection's also after an error. Return: 0, -errno.
 */
int http_conn_create(struct http_conn **out, const struct http_conn_desc *desc, int fd,
	struct err *e) MUST_CHECK;

/* http_conn_destroy() - close it; NULL is allowed. */
void http_conn_destroy(struct http_conn *conn);

#endif
