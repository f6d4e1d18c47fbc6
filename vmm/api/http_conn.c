/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One client of the HTTP server; see vmm/api/http_conn.h.
 *
 * Life: requests are read and answered in order; after a malformed or refused one, or one that asks
 * for it, the connection lingers: the sending side is shut down and what still comes is dropped,
 * until the client closes. Closing at once would take the reply from a client that is still
 * sending.
 */
#include "vmm/api/http_conn.h"

#include "base/fd.h"

#include <errno.h>
#include <http_parser.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#define CHUNK         16384
#define URL_MAX       512
#define NAME_MAX_SEEN 16 /* of header names; longer ones are none that we look for */

struct http_conn {
	struct http_conn_desc desc;
	struct loop_source source;
	http_parser parser;
	char url[URL_MAX];
	size_t url_len;
	char name[NAME_MAX_SEEN]; /* of the header that is being read */
	size_t name_len;
	bool name_done;
	bool expect; /* the client waits for "100 Continue" */
	char *body;
	size_t body_len, body_room;
	int fds[HTTP_FDS_MAX];
	size_t n_fds;
	char *out;
	size_t out_at, out_len, out_room;
	int refuse; /* status of the reply to a request that can't go on, 0: none */
	bool last;  /* no further request is answered */
	bool lingering, eof;
	void *later; /* a reply is late: nothing is read meanwhile */
	bool over;   /* the request that is served was the last one */
	char *held;  /* what came behind it */
	size_t held_len;
};

/* --- output --- */

/* http_conn_put() - append to the output; without memory the connection ends */
static void http_conn_put(struct http_conn *c, const void *data, size_t len)
{
	if (c->out_room - c->out_len < len) {
		size_t room = (c->out_len + len) * 2;
		char *out = realloc(c->out, room);

		if (!out) {
			c->eof = true;
			return;
		}
		c->out = out;
		c->out_room = room;
	}
	memcpy(c->out + c->out_len, data, len);
	c->out_len += len;
}

static void http_conn_reply(struct http_conn *c, const struct http_reply *r)
{
	size_t body_len = r->body ? strlen(r->body) : 0;
	char head[512];
	int n;

	n = snprintf(head, sizeof(head),
		"HTTP/1.1 %d %s\r\nServer: Cloister API\r\nConnection: %s\r\n", r->status,
		r->status == 429 ? "Too Many Requests" : "", c->last ? "close" : "keep-alive");
	if (r->code)
		n += snprintf(
			head + n, sizeof(head) - (size_t)n, "X-Cloister-Error: %.64s\r\n", r->code);
	if (r->status != 204 && r->status != 100)
		n += snprintf(head + n, sizeof(head) - (size_t)n,
			"Content-Type: %.64s\r\nContent-Length: %zu\r\n",
			r->type ? r->type : "application/json", body_len);
	n += snprintf(head + n, sizeof(head) - (size_t)n, "\r\n");
	http_conn_put(c, head, (size_t)n);
	if (body_len)
		http_conn_put(c, r->body, body_len);
}

static void http_conn_fail(struct http_conn *c, int status, const char *code, const char *why)
{
	struct http_reply reply = {0};

	c->last = true;
	http_error(&reply, status, code, "The request can't be served", why);
	http_conn_reply(c, &reply);
	free(reply.body);
}

/* --- one request --- */

static void http_conn_drop_fds(struct http_conn *c)
{
	while (c->n_fds)
		fd_drop(&c->fds[--c->n_fds]);
}

static int http_conn_begin(http_parser *p)
{
	struct http_conn *c = p->data;

	c->url_len = c->name_len = 0;
	c->name_done = c->expect = false;
	return 0;
}

static int http_conn_url(http_parser *p, const char *at, size_t len)
{
	struct http_conn *c = p->data;

	if (len >= URL_MAX - c->url_len) {
		c->refuse = 400;
		return -1;
	}
	memcpy(c->url + c->url_len, at, len);
	c->url_len += len;
	c->url[c->url_len] = '\0';
	return 0;
}

static int http_conn_name(http_parser *p, const char *at, size_t len)
{
	struct http_conn *c = p->data;

	if (c->name_done)
		c->name_len = 0;
	c->name_done = false;
	if (len > NAME_MAX_SEEN - 1 - c->name_len)
		len = NAME_MAX_SEEN - 1 - c->name_len;
	memcpy(c->name + c->name_len, at, len);
	c->name_len += len;
	c->name[c->name_len] = '\0';
	return 0;
}

static int http_conn_value(http_parser *p, const char *at, size_t len)
{
	struct http_conn *c = p->data;

	(void)at, (void)len;
	c->name_done = true;
	if (!strcasecmp(c->name, "expect"))
		c->expect = true;
	return 0;
}

static int http_conn_head_done(http_parser *p)
{
	struct http_conn *c = p->data;

	if (p->http_major != 1 || p->http_minor > 1)
		return -1;
	if ((p->flags & F_CONTENTLENGTH) && p->content_length > HTTP_BODY_MAX) {
		c->refuse = 413;
		return -1;
	}
	if (c->expect)
		http_conn_reply(c, &(struct http_reply){.status = 100});
	return 0;
}

static int http_conn_body(http_parser *p, const char *at, size_t len)
{
	struct http_conn *c = p->data;

	if (len > HTTP_BODY_MAX - c->body_len) {
		c->refuse = 413;
		return -1;
	}
	if (c->body_room - c->body_len <= len) {
		size_t room = (c->body_len + len) * 2 + 1;
		char *body = realloc(c->body, room);

		if (!body)
			return -1;
		c->body = body;
		c->body_room = room;
	}
	memcpy(c->body + c->body_len, at, len);
	c->body_len += len;
	c->body[c->body_len] = '\0';
	return 0;
}

/* http_conn_path() - the path of a request target in either form; "" if it has none */
static const char *http_conn_path(struct http_conn *c)
{
	struct http_parser_url u;

	http_parser_url_init(&u);
	if (http_parser_parse_url(c->url, c->url_len, 0, &u) || !(u.field_set & 1 << UF_PATH) ||
		(u.field_set & 1 << UF_QUERY))
		return "";
	c->url[u.field_data[UF_PATH].off + u.field_data[UF_PATH].len] = '\0';
	return c->url + u.field_data[UF_PATH].off;
}

/* http_conn_done() - a request is over: its reply, which is freed, and an end of what it brought */
static void http_conn_done(struct http_conn *c, struct http_reply *reply)
{
	c->last = c->over;
	http_conn_reply(c, reply);
	free(take_ptr(reply->body));
	free(take_ptr(c->body));
	c->body_len = c->body_room = 0;
	http_conn_drop_fds(c);
}

static int http_conn_complete(http_parser *p)
{
	struct http_conn *c = p->data;
	struct http_reply reply = {0};
	struct http_request req = {
		.method = http_method_str((enum http_method)p->method),
		.path = http_conn_path(c),
		.body = c->body ? c->body : "",
		.body_len = c->body_len,
		.fds = c->fds,
		.n_fds = c->n_fds,
		.conn = c,
	};

	if (p->upgrade)
		return -1;
	c->over = !http_should_keep_alive(p);
	c->desc.fn(c->desc.ctx, &req, &reply);
	c->later = reply.later;
	if (!c->later)
		http_conn_done(c, &reply);
	if (c->later || c->last)
		http_parser_pause(p, 1);
	return 0;
}

/* --- events --- */

/* http_conn_hold() - keep what came behind a request whose reply is late */
static void http_conn_hold(struct http_conn *c, const char *data, size_t len)
{
	c->held = len ? malloc(len) : NULL;
	c->held_len = c->held ? len : 0;
	c->eof |= len && !c->held;
	if (c->held)
		memcpy(c->held, data, len);
}

static void http_conn_parse(struct http_conn *c, const char *data, size_t len)
{
	static const http_parser_settings settings = {
		.on_message_begin = http_conn_begin,
		.on_url = http_conn_url,
		.on_header_field = http_conn_name,
		.on_header_value = http_conn_value,
		.on_headers_complete = http_conn_head_done,
		.on_body = http_conn_body,
		.on_message_complete = http_conn_complete,
	};

	size_t n = http_parser_execute(&c->parser, &settings, data, len);

	if (c->later)
		http_conn_hold(c, data + n, len - n);
	if (c->later || c->last)
		return;
	if (c->refuse == 413)
		http_conn_fail(c, 413, "too-large", "the body is larger than 4 MiB");
	else if (HTTP_PARSER_ERRNO(&c->parser) != HPE_OK || c->parser.upgrade)
		http_conn_fail(c, 400, "bad-request",
			http_errno_description(HTTP_PARSER_ERRNO(&c->parser)));
}

static void http_conn_read(struct http_conn *c)
{
	char data[CHUNK];
	size_t n_fds = HTTP_FDS_MAX - c->n_fds;
	ssize_t n;

	if (n_fds > FD_PASS_MAX)
		n_fds = FD_PASS_MAX;
	n = fd_recv(c->source.fd, data, sizeof(data), c->fds + c->n_fds, &n_fds);
	if (n == -EAGAIN)
		return;
	c->n_fds += n_fds;
	if (c->lingering)
		http_conn_drop_fds(c);
	if (n == -EMSGSIZE && !c->lingering)
		http_conn_fail(c, 400, "bad-request", "too many descriptors");
	else if (n <= 0)
		c->eof = true;
	else if (!c->lingering)
		http_conn_parse(c, data, (size_t)n);
}

static void http_conn_flush(struct http_conn *c)
{
	while (c->out_at < c->out_len) {
		ssize_t n = send(
			c->source.fd, c->out + c->out_at, c->out_len - c->out_at, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			c->eof |= errno != EAGAIN;
			break;
		}
		c->out_at += (size_t)n;
	}
	if (c->out_at < c->out_len)
		return;
	free(take_ptr(c->out));
	c->out_at = c->out_len = c->out_room = 0;
	if (c->last && !c->lingering) {
		c->lingering = true;
		shutdown(c->source.fd, SHUT_WR);
	}
}

/* http_conn_settle() - write what can be written; wait for what comes next, or end */
static void http_conn_settle(struct http_conn *c, bool broken)
{
	uint32_t next;

	http_conn_flush(c);
	/* Half closed: the client still reads, and gets what is due to it. */
	next = c->out_len ? EPOLLOUT : c->later ? 0 : EPOLLIN;
	if ((c->eof && !c->out_len && !c->later) || (broken && next != EPOLLIN) ||
		loop_modify(c->desc.loop, &c->source, next))
		c->desc.gone(c->desc.gone_ctx, c);
}

static void http_conn_event(void *ctx, uint32_t events)
{
	struct http_conn *c = ctx;

	if (!c->out_len && !c->later)
		http_conn_read(c);
	http_conn_settle(c, events & (EPOLLHUP | EPOLLERR));
}

void http_answer(struct http_conn *c, struct http_reply *reply)
{
	cleanup_free char *held = take_ptr(c->held);

	c->later = NULL;
	http_conn_done(c, reply);
	if (!c->last) {
		http_parser_pause(&c->parser, 0);
		if (c->held_len)
			http_conn_parse(c, held, c->held_len);
	}
	http_conn_settle(c, false);
}

int http_conn_create(
	struct http_conn **out, const struct http_conn_desc *desc, int fd, struct err *e)
{
	struct http_conn *c = calloc(1, sizeof(*c));

	*out = NULL;
	if (!c) {
		close(fd);
		return err_sys(e, ENOMEM, "connection");
	}
	c->desc = *desc;
	c->source = (struct loop_source){.fd = fd, .fn = http_conn_event, .ctx = c};
	http_parser_init(&c->parser, HTTP_REQUEST);
	c->parser.data = c;
	if (loop_add(desc->loop, &c->source, EPOLLIN, e)) {
		http_conn_destroy(c);
		return -e->code;
	}
	*out = c;
	return 0;
}

void http_conn_destroy(struct http_conn *c)
{
	if (!c)
		return;
	if (c->later)
		c->desc.forget(c->desc.ctx, c->later);
	loop_remove(c->desc.loop, &c->source);
	fd_drop(&c->source.fd);
	free(c->held);
	http_conn_drop_fds(c);
	free(c->body);
	free(c->out);
	free(c);
}
