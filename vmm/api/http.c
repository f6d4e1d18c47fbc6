/* SPDX-License-Identifier: Apache-2.0 */
/* The HTTP server: listener and list of clients; see vmm/api/http.h. */
#include "vmm/api/http.h"

#include "base/fd.h"
#include "base/log.h"
#include "vmm/api/http_conn.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

struct http {
	struct http_conn_desc conn;
	struct loop_source listener;
	struct http_conn *conns[HTTP_CONNECTIONS_MAX]; /* NULL: free */
	bool full; /* not accepting: the process is out of descriptors */
};

/* http_text() - a string of bytes that nobody vouches for to be UTF-8 */
static json_t *http_text(const char *text)
{
	json_t *s = json_string(text);
	cleanup_free char *copy = NULL;

	if (s)
		return s;
	copy = strdup(text);
	for (char *at = copy; at && *at; at++)
		if (*at & 0x80)
			*at = '?';
	return copy ? json_string(copy) : json_null();
}

void http_error(struct http_reply *reply, int status, const char *code, const char *outer,
	const char *inner)
{
	json_t *list = json_array();

	json_array_append_new(list, http_text(outer));
	if (inner)
		json_array_append_new(list, http_text(inner));
	reply->status = status;
	reply->code = code;
	reply->body = json_dumps(list, JSON_ENSURE_ASCII);
	json_decref(list);
}

static int http_listen_on(struct http *h, struct err *e)
{
	h->full = false;
	return loop_add(h->conn.loop, &h->listener, EPOLLIN, e);
}

static void http_gone(void *ctx, struct http_conn *conn)
{
	struct http *h = ctx;
	struct err e = ERR_INIT;

	for (size_t i = 0; i < HTTP_CONNECTIONS_MAX; i++)
		if (h->conns[i] == conn)
			h->conns[i] = NULL;
	http_conn_destroy(conn);
	if (h->full && http_listen_on(h, &e))
		log_error("api", "no further clients: %s", e.text);
}

/* http_take() - serve a client, or tell it that there are too many */
static void http_take(struct http *h, int fd)
{
	static const char busy[] =
		"HTTP/1.1 503 \r\nServer: Cloister API\r\nConnection: close\r\n"
		"X-Cloister-Error: busy\r\nContent-Type: application/json\r\nContent-Length: 24\r\n"
		"\r\n[\"Too many connections\"]";
	struct err e = ERR_INIT;
	size_t i = 0;

	while (i < HTTP_CONNECTIONS_MAX && h->conns[i])
		i++;
	if (i == HTTP_CONNECTIONS_MAX) {
		if (send(fd, busy, sizeof(busy) - 1, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
			log_debug("api", "a client beyond the limit did not wait");
		close(fd);
	} else if (http_conn_create(&h->conns[i], &h->conn, fd, &e)) {
		log_warn("api", "client refused: %s", e.text);
	}
}

static bool http_is_idle(const struct http *h)
{
	for (size_t i = 0; i < HTTP_CONNECTIONS_MAX; i++)
		if (h->conns[i])
			return false;
	return true;
}

static void http_accept(void *ctx, uint32_t events)
{
	struct http *h = ctx;
	int fd = accept4(h->listener.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	(void)events;
	if (fd >= 0) {
		http_take(h, fd);
	} else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
		/* The client stays in the queue until another one goes, or, if there is none,
		 * until it can be had. */
		log_limited(LOG_WARN, "api", "no descriptor for a further client");
		if (http_is_idle(h))
			return;
		loop_remove(h->conn.loop, &h->listener);
		h->full = true;
	}
}

int http_create(struct http **out, const struct http_desc *desc, struct err *e)
{
	struct http *h = calloc(1, sizeof(*h));

	*out = NULL;
	if (!h) {
		close(desc->listener);
		return err_sys(e, ENOMEM, "HTTP server");
	}
	h->conn = (struct http_conn_desc){
		.loop = desc->loop,
		.fn = desc->fn,
		.forget = desc->forget,
		.ctx = desc->ctx,
		.gone = http_gone,
		.gone_ctx = h,
	};
	h->listener = (struct loop_source){.fd = desc->listener, .fn = http_accept, .ctx = h};
	if (http_listen_on(h, e)) {
		http_destroy(h);
		return -e->code;
	}
	*out = h;
	return 0;
}

void http_destroy(struct http *h)
{
	if (!h)
		return;
	loop_remove(h->conn.loop, &h->listener);
	fd_drop(&h->listener.fd);
	for (size_t i = 0; i < HTTP_CONNECTIONS_MAX; i++)
		http_conn_destroy(h->conns[i]);
	free(h);
}
