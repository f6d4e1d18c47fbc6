/* SPDX-License-Identifier: Apache-2.0 */
/* The client of a daemon's API, against a server of the test's. */
#include "vmm/api/http_client.h"

#include "base/fd.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define WAITS 3 /* the server answers when the client has waited so often */

static char folder[] = "/tmp/http-client-XXXXXX", path[64];

struct server {
	const char *answer;
	int listen, go[2];
	char request[256];
	pthread_t thread;
};

static void *serve(void *ctx)
{
	struct server *s = ctx;
	cleanup_fd int fd = accept(s->listen, NULL, NULL);
	char byte;

	for (size_t len = 0; !strstr(s->request, "\r\n\r\n");) {
		ssize_t n = recv(fd, s->request + len, sizeof(s->request) - 1 - len, 0);

		assert_true(n > 0);
		len += (size_t)n;
	}
	assert_int_equal(read(s->go[0], &byte, 1), 1);
	assert_int_equal(fd_write_full(fd, s->answer, strlen(s->answer)), 0);
	return NULL;
}

static void server_up(struct server *s, const char *answer)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};

	*s = (struct server){.answer = answer, .listen = socket(AF_UNIX, SOCK_STREAM, 0)};
	memcpy(addr.sun_path, path, strlen(path) + 1);
	unlink(path);
	assert_int_equal(bind(s->listen, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(listen(s->listen, 1), 0);
	assert_int_equal(pipe(s->go), 0);
	assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
}

static void server_go(struct server *s)
{
	assert_int_equal(write(s->go[1], "", 1), 1);
}

static void server_down(struct server *s)
{
	pthread_join(s->thread, NULL);
	close(s->listen);
	close(s->go[0]);
	close(s->go[1]);
}

struct waiter {
	struct server *server;
	unsigned int times;
};

static void waiting(void *ctx)
{
	struct waiter *w = ctx;

	if (++w->times == WAITS)
		server_go(w->server);
}

static void http_client_tells_that_it_waits(void **state)
{
	struct server s;
	struct waiter w = {.server = &s};
	struct http_call call = {.socket = path,
		.method = "PUT",
		.path = "/api/v1/vm.boot",
		.waiting = waiting,
		.ctx = &w,
		.wait_ms = 1};
	struct http_answer a;

	(void)state;
	server_up(&s, "HTTP/1.1 204 No Content\r\n\r\n");
	assert_int_equal(http_client_call(&a, &call), 0);
	assert_int_equal(a.status, 204);
	assert_null(a.body);
	assert_true(w.times >= WAITS);
	server_down(&s);
}

static void http_client_sends_a_body_and_reads_one(void **state)
{
	struct http_call call = {
		.socket = path, .method = "PUT", .path = "/p", .body = "{\"a\":1}"};
	struct http_answer a;
	struct server s;

	(void)state;
	server_up(&s, "HTTP/1.1 400 Bad Request\r\nContent-Length: 5\r\n\r\n[\"x\"]");
	server_go(&s);
	assert_int_equal(http_client_call(&a, &call), 0);
	assert_int_equal(a.status, 400);
	assert_string_equal(a.body, "[\"x\"]");
	free(a.body);
	server_down(&s);
	assert_non_null(strstr(s.request, "PUT /p HTTP/1.1\r\n"));
	assert_non_null(strstr(s.request, "Content-Length: 7\r\n"));
}

static void http_client_names_what_is_no_answer(void **state)
{
	static const struct {
		const char *answer;
		int rc;
	} rows[] = {
		{"SSH-2.0-x\r\n", -EPROTO},
		{"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort", -EPIPE},
		{"", -EPIPE},
	};
	struct http_call call = {.socket = path, .method = "GET", .path = "/"};
	struct http_answer a;
	char longer[200];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct server s;

		server_up(&s, rows[i].answer);
		server_go(&s);
		assert_int_equal(http_client_call(&a, &call), rows[i].rc);
		assert_null(a.body);
		server_down(&s);
	}
	unlink(path);
	assert_int_equal(http_client_call(&a, &call), -ENOENT);
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = 0;
	call.socket = longer;
	assert_int_equal(http_client_call(&a, &call), -ENAMETOOLONG);
}

static int group_setup(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof(path), "%s/s", folder);
	return 0;
}

static int group_teardown(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(http_client_tells_that_it_waits),
		cmocka_unit_test(http_client_sends_a_body_and_reads_one),
		cmocka_unit_test(http_client_names_what_is_no_answer),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
