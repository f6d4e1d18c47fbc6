/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pseudoterminals and sockets in a terminal's place; see vmm/outlet.h.
 *
 * A pseudoterminal is handed out as it is; its other end stays open here, or the guest would see
 * errors while nobody has opened it. A socket's clients come and go, so what is handed out is one
 * end of a pair, and this moves bytes between the other end and the client.
 */
#include "vmm/outlet.h"

#include "base/fd.h"
#include "base/log.h"
#include "base/num.h"
#include "vmm/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

struct outlet {
	struct loop *loop;
	const char *flag;
	int fd;                        /* handed out */
	int terminal;                  /* its other end; -1: this is a socket */
	char name[32];                 /* of the pseudoterminal */
	struct listener listener;      /* a socket's from here on */
	struct loop_source knock;      /* the listener */
	struct loop_source pair;       /* the other end of fd */
	struct loop_source client;     /* fd -1: there is none */
	uint32_t pair_for, client_for; /* events that are waited for */
	bool client_quiet;             /* it will send no more */
	size_t typed_at, typed;        /* of input[]: what the guest has not taken */
	uint8_t input[256];
	size_t kept_at, kept; /* of output[], a ring */
	uint8_t output[OUTLET_KEPT];
};

/* outlet_watch() - wait for what there is use for. */
static void outlet_watch(struct outlet *o)
{
	uint32_t pair = EPOLLIN | (o->typed ? (uint32_t)EPOLLOUT : 0);
	uint32_t client = (o->kept ? (uint32_t)EPOLLOUT : 0) |
		(o->typed || o->client_quiet ? 0 : (uint32_t)EPOLLIN);

	if (pair != o->pair_for && loop_modify(o->loop, &o->pair, pair) == 0)
		o->pair_for = pair;
	if (o->client.added && client != o->client_for &&
		loop_modify(o->loop, &o->client, client) == 0)
		o->client_for = client;
}

static void outlet_drop_client(struct outlet *o)
{
	loop_remove(o->loop, &o->client);
	fd_drop(&o->client.fd);
	o->typed = 0;
}

/* outlet_keep() - output waits for a client; the oldest goes when there is too much. */
static void outlet_keep(struct outlet *o, const uint8_t *from, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		o->output[(o->kept_at + o->kept) % OUTLET_KEPT] = from[i];
		if (o->kept < OUTLET_KEPT)
			o->kept++;
		else
			o->kept_at = (o->kept_at + 1) % OUTLET_KEPT;
	}
}

/* outlet_send() - give the client what it takes now. */
static void outlet_send(struct outlet *o)
{
	while (o->kept && o->client.fd >= 0) {
		size_t n = (size_t)min_u64(o->kept, OUTLET_KEPT - o->kept_at);
		ssize_t put = write(o->client.fd, o->output + o->kept_at, n);

		if (put < 0 && errno == EAGAIN)
			return;
		if (put < 0) {
			outlet_drop_client(o);
			return;
		}
		o->kept_at = (o->kept_at + (size_t)put) % OUTLET_KEPT;
		o->kept -= (size_t)put;
	}
}

/* outlet_type() - give the guest what it takes now. */
static void outlet_type(struct outlet *o)
{
	ssize_t put = o->typed ? write(o->pair.fd, o->input + o->typed_at, o->typed) : 0;

	if (put <= 0)
		return;
	o->typed_at += (size_t)put;
	o->typed -= (size_t)put;
}

/* outlet_take() - Return: whether the guest's side had output. */
static bool outlet_take(struct outlet *o)
{
	uint8_t buf[4096];
	ssize_t n = read(o->pair.fd, buf, sizeof(buf));

	if (n > 0)
		outlet_keep(o, buf, (size_t)n);
	return n > 0;
}

static void outlet_on_pair(void *ctx, uint32_t events)
{
	struct outlet *o = ctx;

	if (events & EPOLLIN)
		outlet_take(o);
	outlet_type(o);
	outlet_send(o);
	outlet_watch(o);
}

static void outlet_on_client(void *ctx, uint32_t events)
{
	struct outlet *o = ctx;
	ssize_t n = 0;

	if (events & EPOLLIN && !o->typed)
		n = read(o->client.fd, o->input, sizeof(o->input));
	if (n > 0) {
		o->typed_at = 0;
		o->typed = (size_t)n;
		outlet_type(o);
	} else if (events & (EPOLLHUP | EPOLLERR)) {
		outlet_drop_client(o);
	} else if (events & EPOLLIN) {
		o->client_quiet = n == 0;
	}
	outlet_send(o);
	outlet_watch(o);
}

static void outlet_on_knock(void *ctx, uint32_t events)
{
	struct outlet *o = ctx;
	cleanup_fd int fd = accept4(o->listener.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	struct err e = ERR_INIT;

	(void)events;
	if (fd < 0)
		return;
	if (o->client.fd >= 0) {
		log_limited(LOG_WARN, o->flag, "a client is turned away: there is one already");
		return;
	}
	o->client.fd = fd;
	o->client_for = EPOLLIN;
	o->client_quiet = false;
	if (loop_add(o->loop, &o->client, EPOLLIN, &e) < 0) {
		log_limited(LOG_WARN, o->flag, "client: %s", e.text);
		o->client.fd = -1;
		return;
	}
	fd_take(&fd);
	outlet_send(o);
	outlet_watch(o);
}

static int outlet_open_terminal(struct outlet *o, struct err *e)
{
	struct termios raw;
	unsigned int number;

	o->fd = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
	if (o->fd < 0)
		return err_sys(e, errno, "--%s: /dev/ptmx", o->flag);
	if (ioctl(o->fd, TIOCSPTLCK, &(int){0}) < 0 || ioctl(o->fd, TIOCGPTN, &number) < 0)
		return err_sys(e, errno, "--%s: pseudoterminal", o->flag);
	o->terminal = ioctl(o->fd, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (o->terminal < 0 || tcgetattr(o->terminal, &raw) < 0)
		return err_sys(e, errno, "--%s: pseudoterminal", o->flag);
	cfmakeraw(&raw);
	if (tcsetattr(o->terminal, TCSANOW, &raw) < 0)
		return err_sys(e, errno, "--%s: pseudoterminal", o->flag);
	snprintf(o->name, sizeof(o->name), "/dev/pts/%u", number);
	log_warn(o->flag, "terminal %s", o->name); /* nobody would find it otherwise */
	return 0;
}

static int outlet_open_socket(struct outlet *o, const char *path, struct err *e)
{
	cleanup_free char *where = NULL;
	int ends[2], rc;

	if (asprintf(&where, "path=%s", path) < 0)
		return err_sys(e, ENOMEM, "--%s", o->flag);
	rc = listener_open(&o->listener, o->flag, where, e);
	if (rc)
		return rc;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) < 0)
		return err_sys(e, errno, "--%s: socket pair", o->flag);
	o->fd = ends[0];
	o->pair = (struct loop_source){.fd = ends[1], .fn = outlet_on_pair, .ctx = o};
	o->pair_for = EPOLLIN;
	o->knock = (struct loop_source){.fd = o->listener.fd, .fn = outlet_on_knock, .ctx = o};
	rc = loop_add(o->loop, &o->pair, EPOLLIN, e);
	return rc ? rc : loop_add(o->loop, &o->knock, EPOLLIN, e);
}

int outlet_create(struct outlet **out, const char *flag, const struct stream_config *c,
	struct loop *loop, struct err *e)
{
	struct outlet *o;
	int rc;

	*out = NULL;
	if (c->mode != STREAM_PTY && c->mode != STREAM_SOCKET)
		return 0;
	o = calloc(1, sizeof(*o));
	if (!o)
		return err_sys(e, ENOMEM, "--%s", flag);
	o->loop = loop;
	o->flag = flag;
	o->fd = o->terminal = -1;
	o->listener = (struct listener){.fd = -1, .lock = -1};
	o->pair.fd = -1;
	o->client = (struct loop_source){.fd = -1, .fn = outlet_on_client, .ctx = o};
	rc = c->mode == STREAM_PTY ? outlet_open_terminal(o, e)
				   : outlet_open_socket(o, c->socket, e);
	if (rc) {
		outlet_destroy(o);
		return rc;
	}
	*out = o;
	return 0;
}

void outlet_destroy(struct outlet *o)
{
	if (!o)
		return;
	while (o->client.fd >= 0 && outlet_take(o))
		outlet_send(o);
	outlet_drop_client(o);
	loop_remove(o->loop, &o->pair);
	loop_remove(o->loop, &o->knock);
	listener_close(&o->listener);
	fd_drop(&o->pair.fd);
	fd_drop(&o->terminal);
	fd_drop(&o->fd);
	free(o);
}

int outlet_fd(const struct outlet *o)
{
	return o ? o->fd : -1;
}

const char *outlet_terminal(const struct outlet *o)
{
	return o && o->terminal >= 0 ? o->name : NULL;
}
