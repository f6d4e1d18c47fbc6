/* SPDX-License-Identifier: Apache-2.0 */
/* One request to a daemon; see vmm/api/http_client.h. The daemon closes after it, as asked. */
#include "vmm/api/http_client.h"

#include "base/fd.h"

#include <errno.h>
#include <http_parser.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#define ANSWER_MAX (64u << 20)

struct reading {
	struct http_answer *answer;
	size_t len;
	bool done;
};

static int http_client_body(http_parser *p, const char *at, size_t len)
{
	struct reading *r = p->data;
	char *body;

	if (len > ANSWER_MAX - r->len)
		return -1;
	body = realloc(r->answer->body, r->len + len + 1);
	if (!body)
		return -1;
	memcpy(body + r->len, at, len);
	r->len += len;
	body[r->len] = '\0';
	r->answer->body = body;
	return 0;
}

static int http_client_done(http_parser *p)
{
	struct reading *r = p->data;

	r->answer->status = p->status_code;
	r->done = p->status_code != 100;
	return 0;
}

/* http_client_wait() - until there is something to read; errors are left to recv() */
static void http_client_wait(const struct http_call *call, int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	while (call->waiting && !poll(&p, 1, call->wait_ms))
		call->waiting(call->ctx);
}

/* http_client_read() - Return: 0, -EPIPE at an early end, -EPROTO for what is no HTTP, or -errno.
 */
static int http_client_read(struct http_answer *answer, const struct http_call *call, int fd)
{
	static const http_parser_settings settings = {
		.on_body = http_client_body,
		.on_message_complete = http_client_done,
	};
	struct reading r = {.answer = answer};
	http_parser parser;
	char data[16384];

	http_parser_init(&parser, HTTP_RESPONSE);
	parser.data = &r;
	while (!r.done) {
		ssize_t n;

		http_client_wait(call, fd);
		n = recv(fd, data, sizeof(data), 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		http_parser_execute(&parser, &settings, data, (size_t)n);
		if (!n && !r.done)
			return -EPIPE;
		if (HTTP_PARSER_ERRNO(&parser) != HPE_OK)
			return -EPROTO;
	}
	return 0;
}

static int http_client_connect(const char *socket_path)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	cleanup_fd int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	if (strlen(socket_path) >= sizeof(addr.sun_path))
		return -ENAMETOOLONG;
	memcpy(addr.sun_path, socket_path, strlen(socket_path) + 1);
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0)
		return -errno;
	return fd_take(&fd);
}

int http_client_call(struct http_answer *answer, const struct http_call *call)
{
	cleanup_free char *request = NULL;
	cleanup_fd int fd = http_client_connect(call->socket);
	int n, rc;

	*answer = (struct http_answer){0};
	if (fd < 0)
		return fd;
	n = asprintf(&request,
		"%s %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n%s",
		call->method, call->path, call->body ? strlen(call->body) : 0,
		call->body ? call->body : "");
	if (n < 0) {
		request = NULL;
		return -ENOMEM;
	}
	rc = fd_write_full(fd, request, (size_t)n);
	if (!rc)
		rc = http_client_read(answer, call, fd);
	if (rc)
		free(take_ptr(answer->body));
	return rc;
}
