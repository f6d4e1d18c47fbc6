/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One HTTP connection: the input arrives in pieces of a size that its first byte says, then the
 * client closes its half. Every answer is well-formed, there is one per request that was handled
 * and at most one refusal, and the connection ends.
 */
#include "base/fd.h"
#include "vmm/api/http_conn.h"

#include "tests/fuzz/fuzz.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define INPUT_MAX 8192

struct run {
	unsigned int handled;
	unsigned int answered;
	bool gone;
};

static void handle(void *ctx, const struct http_request *req, struct http_reply *reply)
{
	struct run *run = ctx;

	assert(req->method && req->path && strlen(req->body) <= req->body_len);
	assert(req->body_len <= HTTP_BODY_MAX && !req->n_fds);
	run->handled++;
	reply->status = 204;
}

static void gone(void *ctx, struct http_conn *conn)
{
	struct run *run = ctx;

	http_conn_destroy(conn);
	run->gone = true;
}

/* drain() - read all answers that are there; each begins with the version */
static void drain(struct run *run, int fd)
{
	char data[65536];
	ssize_t n = recv(fd, data, sizeof(data) - 1, MSG_DONTWAIT);

	if (n <= 0)
		return;
	data[n] = '\0';
	assert(!run->handled || !strncmp(data, "HTTP/1.1 ", 9));
	for (const char *at = data; (at = strstr(at, "\r\n\r\n")); at += 4)
		run->answered++;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct run run = {0};
	struct http_conn_desc desc = {.fn = handle, .ctx = &run, .gone = gone, .gone_ctx = &run};
	struct http_conn *conn;
	struct err e = ERR_INIT;
	size_t piece = len ? (size_t)data[0] + 1 : 1;
	int sv[2];

	if (len > INPUT_MAX || socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, sv) ||
		loop_create(&desc.loop, &e))
		return 0;
	assert(!http_conn_create(&conn, &desc, sv[0], &e));
	for (size_t at = 1; at < len && !run.gone; at += piece) {
		size_t n = piece < len - at ? piece : len - at;

		assert(send(sv[1], data + at, n, MSG_NOSIGNAL) == (ssize_t)n);
		assert(!loop_run_once(desc.loop, 0));
		drain(&run, sv[1]);
	}
	shutdown(sv[1], SHUT_WR);
	for (int i = 0; i < 4 && !run.gone; i++) {
		assert(!loop_run_once(desc.loop, 0));
		drain(&run, sv[1]);
	}
	assert(run.gone && run.answered >= run.handled);
	loop_destroy(desc.loop);
	close(sv[1]);
	return 0;
}
