/* SPDX-License-Identifier: Apache-2.0 */
/*
 * virtio-vsock under a hostile driver (tests/fuzz/rings.h), with clients of the host's that come,
 * send and go, and a dialer that connects the guest, or doesn't. Events say which.
 */
#include "base/fd.h"
#include "devices/back/vsock.h"
#include "devices/wire/vsock_dial.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/rings.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define CLIENTS 4u

static struct rings rings;
static int dialer;
static int clients[CLIENTS] = {-1, -1, -1, -1};
static struct sockaddr_un listener_name;
static socklen_t listener_len;

static void connect_client(int *fd, uint8_t port)
{
	char line[32];
	int n = snprintf(line, sizeof(line), "CONNECT %u\n", port);

	fd_drop(fd);
	*fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (connect(*fd, (struct sockaddr *)&listener_name, listener_len) == 0)
		(void)!send(*fd, line, (size_t)n, MSG_NOSIGNAL);
}

/* answer_dial() - connect the guest to the host's client `fd`, or fail. */
static void answer_dial(int *fd, bool ok)
{
	struct vsock_dial_request req;
	struct vsock_dial_reply reply;
	int pair[2];

	if (recv(dialer, &req, sizeof(req), MSG_DONTWAIT) != sizeof(req))
		return;
	reply = (struct vsock_dial_reply){req.cookie, ok ? 0 : -111};
	if (!ok) {
		(void)!fd_send(dialer, &reply, sizeof(reply), NULL, 0);
		return;
	}
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair))
		abort();
	(void)!fd_send(dialer, &reply, sizeof(reply), &pair[1], 1);
	close(pair[1]);
	fd_drop(fd);
	*fd = pair[0];
}

static void event(uint16_t what)
{
	int *fd = &clients[what / 8 % CLIENTS];
	static uint8_t bytes[4096];
	size_t len = what >> 5;

	switch (what % 8) {
	case 0:
		connect_client(fd, (uint8_t)len);
		break;
	case 1:
		(void)!send(*fd, bytes, len, MSG_NOSIGNAL);
		break;
	case 2:
		(void)!recv(*fd, bytes, len, 0);
		break;
	case 3:
		shutdown(*fd, (int)(len % 3));
		break;
	case 4:
		fd_drop(fd);
		break;
	case 5:
		answer_dial(fd, len % 2);
		break;
	default:
		break;
	}
	for (unsigned int i = 0; i < 4; i++)
		(void)!loop_run_once(rings.loop, 0);
}

static void settle(void)
{
	for (unsigned int i = 0; i < rings.device->n_queues; i++)
		assert(!rings.q[i].in_flight);
}

static struct vsock *make(void)
{
	struct vsock_config config = {.name = "fuzz", .cid = 3, .loop = rings.loop};
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	struct err e = ERR_INIT;
	struct vsock *vsock;
	int pair[2];

	config.listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	listener_len = sizeof(listener_name);
	if (bind(config.listen_fd, (struct sockaddr *)&name, sizeof(name.sun_family)) ||
		listen(config.listen_fd, 16) ||
		getsockname(config.listen_fd, (struct sockaddr *)&listener_name, &listener_len) ||
		socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair))
		abort();
	dialer = pair[0];
	config.dial_fd = pair[1];
	if (vsock_create(&vsock, &config, &e))
		abort();
	return vsock;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct vsock *vsock; /* made once */
	struct bytes in = bytes_of(data, len);
	uint8_t options = bytes_u8(&in);
	struct err e = ERR_INIT;

	if (!vsock) {
		rings_open(&rings);
		if (loop_create(&rings.loop, &e))
			abort();
		vsock = make();
	}
	rings.device = vsock_device(vsock);
	rings.device->ops->set_features(rings.device, 0); /* a driver begins anew */
	rings.event = event;
	rings.settle = settle;
	rings_run(&rings, options, &in);
	for (unsigned int i = 0; i < CLIENTS; i++)
		fd_drop(&clients[i]);
	while (recv(dialer, &(struct vsock_dial_request){0}, 8, MSG_DONTWAIT) > 0)
		continue;
	return 0;
}
