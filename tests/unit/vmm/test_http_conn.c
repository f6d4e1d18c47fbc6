/* SPDX-License-Identifier: Apache-2.0 */
/* One connection of the HTTP server over a socket pair: forms of requests, forms of replies. */
#include "base/fd.h"
#include "tests/unit/unit.h"
#include "vmm/api/http_conn.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

struct pair {
	struct loop *loop;
	struct http_conn *conn;
	int client;
	unsigned int requests;
	size_t fds; /* with the last request */
	bool take;  /* the handler takes the first descriptor */
	int taken;
	bool gone;
	bool forgotten;  /* a late reply has nobody to go to */
	char out[65536]; /* what the client has received */
	size_t out_len;
};

/* The reply says what the request was. */
static void echo(void *ctx, const struct http_request *req, struct http_reply *reply)
{
	struct pair *p = ctx;

	p->requests++;
	p->fds = req->n_fds;
	if (p->take)
		p->taken = fd_take(&req->fds[0]);
	if (!strcmp(req->path, "/late")) {
		reply->later = p;
	} else if (!strcmp(req->path, "/none")) {
		reply->status = 204;
	} else if (!strcmp(req->path, "/busy")) {
		http_error(reply, 429, "busy", "later", "caf\xc3\xa9 \xff");
	} else {
		reply->status = 200;
		if (asprintf(&reply->body, "\"%s %s %zu\"", req->method, req->path, req->body_len) <
			0)
			abort();
	}
}

static void forget(void *ctx, void *later)
{
	struct pair *p = ctx;

	assert_ptr_equal(later, p);
	p->forgotten = true;
}

static void gone(void *ctx, struct http_conn *conn)
{
	struct pair *p = ctx;

	p->gone = true;
	http_conn_destroy(conn);
	p->conn = NULL;
}

static int setup(void **state)
{
	struct pair *p = calloc(1, sizeof(*p));
	struct http_conn_desc desc = {
		.fn = echo, .forget = forget, .ctx = p, .gone = gone, .gone_ctx = p};
	struct err e = ERR_INIT;
	int sv[2];

	assert_non_null(p);
	p->taken = -1;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, sv), 0);
	assert_int_equal(loop_create(&p->loop, &e), 0);
	desc.loop = p->loop;
	assert_int_equal(http_conn_create(&p->conn, &desc, sv[0], &e), 0);
	p->client = sv[1];
	*state = p;
	return 0;
}

static int teardown(void **state)
{
	struct pair *p = *state;

	http_conn_destroy(p->conn);
	loop_destroy(p->loop);
	fd_drop(&p->client);
	fd_drop(&p->taken);
	free(p);
	return 0;
}

/* pump() - let the server work until it has nothing to do; collect what it sent */
static void pump(struct pair *p)
{
	for (int i = 0; i < 200; i++) {
		ssize_t n =
			recv(p->client, p->out + p->out_len, sizeof(p->out) - 1 - p->out_len, 0);

		if (n > 0)
			p->out_len += (size_t)n;
		assert_int_equal(loop_run_once(p->loop, 0), 0);
	}
	p->out[p->out_len] = '\0';
}

static void give(struct pair *p, const char *text)
{
	assert_int_equal(fd_write_full(p->client, text, strlen(text)), 0);
	pump(p);
}

static void http_conn_replies_in_the_exact_form(void **state)
{
	struct pair *p = *state;

	give(p, "GET /x HTTP/1.1\r\nHost: localhost\r\n\r\n");
	assert_string_equal(p->out,
		"HTTP/1.1 200 \r\nServer: Cloister API\r\nConnection: keep-alive\r\n"
		"Content-Type: application/json\r\nContent-Length: 10\r\n\r\n\"GET /x 0\"");
	p->out_len = 0;
	give(p, "PUT /none HTTP/1.1\r\nContent-Length: 0\r\n\r\n");
	assert_string_equal(
		p->out, "HTTP/1.1 204 \r\nServer: Cloister API\r\nConnection: keep-alive\r\n\r\n");
	p->out_len = 0;
	give(p, "PUT http://localhost/busy HTTP/1.1\r\n\r\n");
	assert_string_equal(p->out,
		"HTTP/1.1 429 Too Many Requests\r\nServer: Cloister API\r\nConnection: keep-alive\r\n"
		"X-Cloister-Error: busy\r\nContent-Type: application/json\r\nContent-Length: 20\r\n\r\n"
		"[\"later\", \"caf?? ?\"]");
}

static void http_conn_takes_requests_in_pieces_and_in_bunches(void **state)
{
	static const char request[] = "PUT /a HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello";
	struct pair *p = *state;

	for (size_t i = 0; i < sizeof(request) - 1; i++) {
		assert_int_equal(fd_write_full(p->client, &request[i], 1), 0);
		assert_int_equal(loop_run_once(p->loop, 0), 0);
	}
	pump(p);
	assert_int_equal(p->requests, 1);
	assert_non_null(strstr(p->out, "\"PUT /a 5\""));
	p->out_len = 0;
	give(p, "GET /1 HTTP/1.1\r\n\r\nPUT /2 HTTP/1.1\r\nContent-Length: 1\r\n\r\nxGET /3 HTTP/1.1\r\n\r\n");
	assert_int_equal(p->requests, 4);
	assert_true(strstr(p->out, "/1 0") < strstr(p->out, "/2 1"));
	assert_true(strstr(p->out, "/2 1") < strstr(p->out, "/3 0"));
	give(p, "PUT /c HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
	assert_non_null(strstr(p->out, "\"PUT /c 5\""));
	assert_false(p->gone);
}

static void http_conn_refuses_and_closes(void **state)
{
	static const struct {
		const char *request, *status, *code;
	} cases[] = {
		{"NONSENSE\r\n\r\n", "400", "bad-request"},
		{"GET /x HTTP/9.9\r\n\r\n", "400", "bad-request"},
		{"PUT /x HTTP/1.1\r\nContent-Length: 4194305\r\n\r\n", "413", "too-large"},
		{"CONNECT x:1 HTTP/1.1\r\n\r\n", "400", "bad-request"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct pair *p = *state;
		char want[64];

		give(p, cases[i].request);
		give(p, "GET /x HTTP/1.1\r\n\r\n");
		snprintf(want, sizeof(want), "HTTP/1.1 %s \r\n", cases[i].status);
		assert_int_equal(strncmp(p->out, want, strlen(want)), 0);
		snprintf(want, sizeof(want), "X-Cloister-Error: %s\r\n", cases[i].code);
		assert_non_null(strstr(p->out, want));
		assert_null(strstr(p->out + 9, "HTTP/1.1"));
		assert_int_equal(p->requests, 0);
		fd_drop(&p->client);
		pump(p);
		assert_true(p->gone);
		teardown(state);
		setup(state);
	}
}

static void http_conn_says_continue_when_asked(void **state)
{
	struct pair *p = *state;

	give(p, "PUT /x HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
	assert_int_equal(strncmp(p->out, "HTTP/1.1 100 \r\n", 15), 0);
	assert_int_equal(p->requests, 0);
	give(p, "ab");
	assert_int_equal(p->requests, 1);
}

static void http_conn_closes_descriptors_that_nobody_takes(void **state)
{
	struct pair *p = *state;
	int fds[2], pipes[2];
	char byte;

	assert_int_equal(pipe(pipes), 0);
	fds[0] = fds[1] = pipes[1];
	assert_int_equal(fd_send(p->client, "PUT /x HTTP/1.1\r\n", 17, fds, 2), 0);
	pump(p);
	fd_drop(&pipes[1]);
	assert_int_equal(p->requests, 0);
	give(p, "Content-Length: 1\r\n\r\n");
	give(p, "x");
	assert_int_equal(p->fds, 2);
	/* All writers are gone, so the pipe is at its end. */
	assert_int_equal(read(pipes[0], &byte, 1), 0);
	fd_drop(&pipes[0]);
}

static void http_conn_leaves_a_taken_descriptor_open(void **state)
{
	struct pair *p = *state;
	int pipes[2];
	char byte;

	assert_int_equal(pipe(pipes), 0);
	p->take = true;
	assert_int_equal(fd_send(p->client, "GET /x HTTP/1.1\r\n\r\n", 19, &pipes[1], 1), 0);
	pump(p);
	fd_drop(&pipes[1]);
	assert_true(p->taken >= 0);
	assert_int_equal(write(p->taken, "a", 1), 1);
	assert_int_equal(read(pipes[0], &byte, 1), 1);
	fd_drop(&pipes[0]);
}

static void http_conn_answers_a_client_that_closed_its_half(void **state)
{
	struct pair *p = *state;

	assert_int_equal(fd_write_full(p->client, "GET /x HTTP/1.1\r\n\r\n", 19), 0);
	shutdown(p->client, SHUT_WR);
	pump(p);
	assert_non_null(strstr(p->out, "\"GET /x 0\""));
	assert_true(p->gone);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

#define LATE "PUT /late HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}"

static void http_conn_serves_what_is_behind_a_late_reply_after_it(void **state)
{
	struct pair *p = *state;
	struct http_reply reply = {.status = 204};

	give(p, LATE "GET /a HTTP/1.1\r\n\r\n" LATE "GET /b HT");
	give(p, "TP/1.1\r\n\r\n");
	assert_int_equal(p->requests, 1);
	assert_int_equal(p->out_len, 0);
	http_answer(p->conn, &reply);
	pump(p);
	assert_int_equal(p->requests, 3);
	assert_non_null(strstr(p->out, "204 \r\n"));
	assert_non_null(strstr(p->out, "\"GET /a 0\""));
	assert_null(strstr(p->out, "/b"));
	reply = (struct http_reply){.status = 200, .body = strdup("[1]")};
	http_answer(p->conn, &reply);
	pump(p);
	assert_int_equal(p->requests, 4);
	assert_non_null(strstr(p->out, "[1]"));
	assert_non_null(strstr(p->out, "\"GET /b 0\""));
}

static void http_conn_closes_after_a_late_reply_when_asked(void **state)
{
	struct pair *p = *state;
	struct http_reply reply = {.status = 204};

	give(p,
		"PUT /late HTTP/1.1\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}"
		"GET /a HTTP/1.1\r\n\r\n");
	http_answer(p->conn, &reply);
	pump(p);
	assert_non_null(strstr(p->out, "Connection: close"));
	assert_int_equal(p->requests, 1);
	fd_drop(&p->client);
	for (int i = 0; i < 10 && !p->gone; i++)
		assert_int_equal(loop_run_once(p->loop, 0), 0);
	assert_true(p->gone);
	assert_false(p->forgotten);
}

static void http_conn_forgets_a_late_reply_when_the_client_goes(void **state)
{
	struct pair *p = *state;

	give(p, LATE);
	assert_false(p->gone);
	fd_drop(&p->client);
	for (int i = 0; i < 10 && !p->gone; i++)
		assert_int_equal(loop_run_once(p->loop, 0), 0);
	assert_true(p->gone);
	assert_true(p->forgotten);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(http_conn_replies_in_the_exact_form),
		CASE(http_conn_takes_requests_in_pieces_and_in_bunches),
		CASE(http_conn_refuses_and_closes),
		CASE(http_conn_says_continue_when_asked),
		CASE(http_conn_closes_descriptors_that_nobody_takes),
		CASE(http_conn_leaves_a_taken_descriptor_open),
		CASE(http_conn_answers_a_client_that_closed_its_half),
		CASE(http_conn_serves_what_is_behind_a_late_reply_after_it),
		CASE(http_conn_closes_after_a_late_reply_when_asked),
		CASE(http_conn_forgets_a_late_reply_when_the_client_goes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
