/* SPDX-License-Identifier: Apache-2.0 */
/* Both ends of a test of vsock; see guests/streams/streams.h. */
#include "guests/streams/streams.h"

#include <linux/vm_sockets.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WORKERS 8
#define FDS_MAX 300
#define CHUNK   65536
#define TEXT    16

static const char *host_path; /* NULL: the guest */

struct served {
	bool sums;
	struct streams_sum sum;
};

void streams_init(const char *path)
{
	host_path = path;
}

double streams_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static _Noreturn void give_up(const char *what)
{
	perror(what);
	exit(1);
}

int streams_listen(unsigned int port)
{
	struct sockaddr_vm vm = {
		.svm_family = AF_VSOCK, .svm_port = port, .svm_cid = VMADDR_CID_ANY};
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	int fd = socket(host_path ? AF_UNIX : AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC, 0), rc;

	if (host_path) {
		snprintf(un.sun_path, sizeof(un.sun_path), "%s_%u", host_path, port + STREAMS_HOST);
		unlink(un.sun_path);
		rc = bind(fd, (struct sockaddr *)&un, sizeof(un));
	} else {
		rc = bind(fd, (struct sockaddr *)&vm, sizeof(vm));
	}
	if (fd < 0 || rc || listen(fd, 128))
		give_up("listen");
	return fd;
}

/* say_connect() - Return: true if the guest has accepted. */
static bool say_connect(int fd, unsigned int port)
{
	char line[40];
	size_t n = 0;

	dprintf(fd, "CONNECT %u\n", port);
	while (n < sizeof(line) - 1 && read(fd, line + n, 1) == 1)
		if (line[n++] == '\n')
			break;
	return n > 3 && !memcmp(line, "OK ", 3) && line[n - 1] == '\n';
}

static int connect_to_guest(unsigned int port)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(un.sun_path, sizeof(un.sun_path), "%s", host_path);
	if (!connect(fd, (struct sockaddr *)&un, sizeof(un)) && say_connect(fd, port))
		return fd;
	close(fd);
	return -1;
}

int streams_connect(unsigned int port)
{
	struct sockaddr_vm vm = {.svm_family = AF_VSOCK,
		.svm_port = port + STREAMS_HOST,
		.svm_cid = VMADDR_CID_HOST};
	const struct timeval patience = {.tv_sec = 30}; /* not 2: a lab may be slow */
	int fd;

	if (host_path)
		return connect_to_guest(port);
	fd = socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(fd, AF_VSOCK, SO_VM_SOCKETS_CONNECT_TIMEOUT, &patience, sizeof(patience));
	if (!connect(fd, (struct sockaddr *)&vm, sizeof(vm)))
		return fd;
	perror("streams: connect");
	close(fd);
	return -1;
}

static void sum_add(struct streams_sum *s, const uint8_t *bytes, size_t n)
{
	s->bytes += n;
	for (size_t i = 0; i < n; i++) {
		s->a += bytes[i];
		s->b += s->a;
	}
}

/* serve_one() - there is something to read. Return: false at its end. */
static bool serve_one(int fd, struct served *s)
{
	static uint8_t bytes[CHUNK];
	ssize_t n = read(fd, bytes, sizeof(bytes));

	if (n > 0 && s->sums)
		sum_add(&s->sum, bytes, (size_t)n);
	else if (n > 0)
		return write(fd, bytes, (size_t)n) == n;
	if (n == 0 && s->sums)
		return write(fd, &s->sum, sizeof(s->sum)) < 0;
	return n > 0;
}

_Noreturn void streams_serve(void)
{
	static struct served served[FDS_MAX];
	static struct pollfd fds[FDS_MAX];
	nfds_t n = 2;

	fds[0] = (struct pollfd){streams_listen(STREAMS_ECHO), POLLIN, 0};
	fds[1] = (struct pollfd){streams_listen(STREAMS_SUM), POLLIN, 0};
	for (;;) {
		poll(fds, n, -1);
		for (nfds_t i = n; i-- > 2;)
			if (fds[i].revents && !serve_one(fds[i].fd, &served[i])) {
				close(fds[i].fd);
				fds[i] = fds[--n];
				served[i] = served[n];
			}
		for (nfds_t i = 0; i < 2; i++)
			if (fds[i].revents && n < FDS_MAX) {
				served[n] = (struct served){.sums = i};
				fds[n++] =
					(struct pollfd){accept(fds[i].fd, NULL, NULL), POLLIN, 0};
			}
	}
}

static bool read_all(int fd, void *to, size_t len)
{
	size_t got = 0;
	ssize_t n = 1;

	for (; got < len && n > 0; got += (size_t)n)
		n = read(fd, (char *)to + got, len - got);
	return got == len && n > 0;
}

static bool one_short(unsigned int i)
{
	char text[TEXT + 1], back[TEXT];
	int fd = streams_connect(STREAMS_ECHO);
	bool good;

	snprintf(text, sizeof(text), "%016x", i * 2654435761U);
	good = fd >= 0 && write(fd, text, TEXT) == TEXT && read_all(fd, back, TEXT) &&
		!memcmp(text, back, TEXT);
	if (fd >= 0 && !good)
		perror("streams: no echo");
	if (fd >= 0)
		close(fd);
	return good;
}

unsigned int streams_short(unsigned int n)
{
	unsigned int failed = 0;
	int status;

	for (unsigned int w = 0; w < WORKERS; w++)
		if (!fork()) {
			for (unsigned int i = w; i < n; i += WORKERS)
				failed += !one_short(i);
			_exit(failed > 255 ? 255 : (int)failed);
		}
	for (unsigned int w = 0; w < WORKERS; w++)
		if (wait(&status) > 0)
			failed += WIFEXITED(status) ? (unsigned int)WEXITSTATUS(status) : 1;
	return failed;
}

bool streams_long(uint64_t bytes)
{
	struct streams_sum sum = {0}, seen;
	static uint8_t chunk[CHUNK];
	int fd = streams_connect(STREAMS_SUM);
	bool good = fd >= 0;

	while (good && sum.bytes < bytes) {
		for (size_t i = 0; i < sizeof(chunk); i += 64)
			memset(chunk + i, (int)(sum.bytes >> 16 ^ i >> 6), 64);
		sum_add(&sum, chunk, sizeof(chunk));
		good = write(fd, chunk, sizeof(chunk)) == (ssize_t)sizeof(chunk);
	}
	good = good && !shutdown(fd, SHUT_WR) && read_all(fd, &seen, sizeof(seen)) &&
		!memcmp(&seen, &sum, sizeof(sum)) && read(fd, &seen, 1) == 0;
	close(fd);
	return good;
}
