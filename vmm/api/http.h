/* SPDX-License-Identifier: Apache-2.0 */
/*
 * struct http: an HTTP/1.1 server on a listening unix socket, served by an event loop.
 *
 * Invariants: 1. no thread per client, and no client makes another one wait: every socket is
 * non-blocking, and input is not read while output is pending; 2. a connection is never closed for
 * being idle; 3. bodies are at most HTTP_BODY_MAX, heads what http-parser allows (80 KiB); 4. a
 * descriptor that came with a request is the request's until the handler takes it, and is closed
 * when the request is over.
 *
 * The form of replies is what cloud-hypervisor's clients need: no reason phrase but at 429, header
 * names spelled as here, no Content-Length at 204.
 */
#ifndef VMM_API_HTTP_H
#define VMM_API_HTTP_H

#include "base/err.h"
#include "base/loop.h"

#include <stddef.h>

#define HTTP_BODY_MAX        (4u << 20)
#define HTTP_CONNECTIONS_MAX 128
#define HTTP_FDS_MAX         32

struct http;
struct http_conn;

struct http_request {
	const char *method; /* "GET" */
	const char *path;
	const char *body; /* NUL-terminated; may hold NULs before */
	size_t body_len;
	int *fds; /* whoever takes one puts -1 in its place */
	size_t n_fds;
	struct http_conn *conn; /* for http_answer() */
};

struct http_reply {
	int status;
	char *body;       /* JSON, allocated; the server frees it; NULL: none */
	const char *code; /* machine-readable error code, NULL: none */
	const char *type; /* of the body, constant; NULL: application/json */
	void *later; /* not NULL: the reply comes by http_answer(), this is the handler's own */
};

/* Called for each request, on the loop's thread; fills *reply, which is zeroed. */
typedef void (*http_handler)(void *ctx, const struct http_request *req, struct http_reply *reply);

struct http_desc {
	struct loop *loop;
	int listener; /* non-blocking; the server's from http_create() on, also after an error */
	http_handler fn;
	/* The client that waits for a late reply has gone: do not answer it. NULL: none is late. */
	void (*forget)(void *ctx, void *later);
	void *ctx;
};

/*
 * http_create() - serve a listening unix stream socket.
 * Return: 0 or -errno.
 */
int http_create(struct http **out, const struct http_desc *desc, struct err *e) MUST_CHECK;

/* http_destroy() - close the listener and all connections; not from a handler. NULL is allowed. */
void http_destroy(struct http *http);

/*
 * http_answer() - give the reply that a handler said would come later; the client's next request is
 * read only then. On the loop's thread; frees the body.
 */
void http_answer(struct http_conn *conn, struct http_reply *reply);

/*
 * http_error() - fill a reply with an error: the body is a JSON array of strings, outermost first.
 * @inner: NULL for an array of one
 */
void http_error(struct http_reply *reply, int status, const char *code, const char *outer,
	const char *inner);

#endif
