/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The vhost-user server under a hostile front end. The input is a program of records: four bytes
 * (message, flags, payload size, what descriptors) and the payload. Descriptors: bits 0-3 how many,
 * bits 4-5 the first one of {guest memory, eventfd, pipe, /dev/null}; bit 6: kick queue 0 after it;
 * bit 7: send the payload alone, as raw bytes.
 */
#include "base/bytes.h"
#include "base/fd.h"
#include "base/log.h"
#include "devices/back/vhost_user_server.h"
#include "devices/wire/vhost_user.h"
#include "tests/fuzz/fuzz.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

struct echo {
	struct back_device base;
	struct chain chain;
};

static void echo_kicked(void *queue, uint32_t events)
{
	struct virtq *q = queue;
	struct echo *echo = q->device;

	(void)events;
	while (virtq_pop(q, &echo->chain) > 0)
		virtq_push(q, echo->chain.head, (uint32_t)virtq_copy_in(&echo->chain, 0, "x", 1));
	virtq_notify(q);
}

static void echo_drain(struct virtq *q)
{
	assert(!q->in_flight);
}

static void echo_config(struct back_device *dev, uint8_t *bytes)
{
	(void)dev;
	bytes[0] = 1;
}

static void echo_set_features(struct back_device *dev, uint64_t features)
{
	(void)dev, (void)features;
}

static const struct back_device_ops echo_ops = {
	.kicked = echo_kicked,
	.drain = echo_drain,
	.config = echo_config,
	.set_features = echo_set_features,
};

struct world {
	struct loop *loop;
	struct vhost_user_server *server;
	int sock;
	int fds[8]; /* what messages carry, twice over */
};

static void turn(struct world *w)
{
	uint8_t reply[4096];
	int rc = 0;

	for (int i = 0; i < 3; i++)
		rc |= loop_run_once(w->loop, 0);
	assert(!rc);
	while (recv(w->sock, reply, sizeof(reply), MSG_DONTWAIT) > 0)
		continue;
}

/* step() - run one record. Return: false at the end of the program or of the connection. */
static bool step(struct world *w, struct bytes *in)
{
	struct vhost_user_header h = {.request = bytes_u8(in), .flags = bytes_u8(in)};
	uint8_t size = bytes_u8(in), how = bytes_u8(in);
	size_t len = (size_t)min_u64(size, in->left), head = how & 0x80 ? 0 : sizeof(h);
	uint8_t out[sizeof(h) + 256];

	if (in->failed)
		return false;
	h.size = size;
	memcpy(out, &h, head);
	bytes_copy(in, out + head, len);
	if (head + len && fd_send(w->sock, out, head + len, w->fds + (how >> 4 & 3), how % 5) < 0)
		return false;
	if (how & 0x40)
		(void)eventfd_write(w->fds[1], 1);
	turn(w);
	return vhost_user_server_result(w->server) == -EINPROGRESS;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct echo echo = {.base = {&echo_ops, "fuzz", 0, 2}};
	struct vhost_user_server_config config = {.ledger_fd = -1, .device = &echo.base};
	struct bytes in = bytes_of(data, len);
	struct world w = {0};
	struct err e = ERR_INIT;
	int ends[2], pipes[2];
	int rc = socketpair(AF_UNIX, SOCK_STREAM, 0, ends) | pipe2(pipes, O_NONBLOCK);

	log_set_level(LOG_ERROR); /* and see libFuzzer's -close_fd_mask=2 */
	w.sock = ends[0];
	w.fds[0] = memfd_create("guest", 0);
	w.fds[1] = eventfd(0, EFD_NONBLOCK);
	w.fds[2] = pipes[1];
	w.fds[3] = open("/dev/null", O_RDWR);
	memcpy(w.fds + 4, w.fds, 4 * sizeof(int));
	rc |= ftruncate(w.fds[0], 65536) | loop_create(&w.loop, &e);
	config.loop = w.loop;
	config.sock = ends[1];
	rc |= vhost_user_server_create(&w.server, &config, &e);
	assert(!rc);
	while (step(&w, &in))
		continue;
	vhost_user_server_destroy(w.server);
	loop_destroy(w.loop);
	fd_drop(&w.sock);
	for (int i = 0; i < 4; i++)
		fd_drop(&w.fds[i]);
	fd_drop(&pipes[0]);
	return 0;
}
