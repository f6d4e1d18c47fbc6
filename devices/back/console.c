/* SPDX-License-Identifier: Apache-2.0 */
/* virtio-console; see devices/back/console.h. */
#include "devices/back/console.h"

#include "base/fd.h"
#include "base/log.h"
#include "devices/back/queue_stats.h"
#include "devices/wire/virtio_console.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>

#define CHAIN_LIMIT (1u << 20) /* bytes of one chain that may go out at once */

struct console {
	struct back_device base;
	struct loop *loop;
	struct loop_source input; /* watched while the driver has buffers and input has not ended */
	struct loop_source output; /* watched while something is buffered */
	bool input_pollable;       /* false: a regular file, always readable */
	bool input_ended, output_failed;
	struct virtq *rx; /* running receive queue that input may go to */
	uint64_t dropped;
	size_t start, used; /* of buffer, a ring */
	struct chain chain;
	uint8_t buffer[CONSOLE_BUFFER];
};

/* console_keep() - buffer what fits of len bytes. */
static void console_keep(struct console *c, const uint8_t *from, size_t len)
{
	size_t fits = (size_t)min_u64(len, CONSOLE_BUFFER - c->used);

	for (size_t i = 0; i < fits; i++)
		c->buffer[(c->start + c->used + i) % CONSOLE_BUFFER] = from[i];
	c->used += fits;
	if (fits == len)
		return;
	c->dropped += len - fits;
	log_limited(LOG_WARN, c->base.name, "output is not read: %llu bytes dropped so far",
		(unsigned long long)c->dropped);
}

/* console_lost() - the reader is gone for good: drop what is and will be there. */
static void console_lost(struct console *c, int code)
{
	log_warn(c->base.name, "output: %s", strerror(code));
	c->output_failed = true;
	c->used = 0;
	loop_remove(c->loop, &c->output);
}

/* console_put() - try to write len bytes now. Return: bytes written, 0 if the reader is slow. */
static size_t console_put(struct console *c, const void *from, size_t len)
{
	ssize_t n = write(c->output.fd, from, len);

	if (n >= 0)
		return (size_t)n;
	if (errno != EAGAIN && errno != EINTR)
		console_lost(c, errno);
	return 0;
}

static void console_writable(void *ctx, uint32_t events)
{
	struct console *c = ctx;
	size_t n = (size_t)min_u64(c->used, CONSOLE_BUFFER - c->start);

	(void)events;
	n = console_put(c, c->buffer + c->start, n);
	c->start = (c->start + n) % CONSOLE_BUFFER;
	c->used -= min_u64(n, c->used);
	if (!c->used)
		loop_remove(c->loop, &c->output);
}

/* console_transmit() - one chain of the driver's: write, buffer or drop it. */
static void console_transmit(struct console *c, const struct chain *chain)
{
	struct err e = ERR_INIT;
	size_t room = CHAIN_LIMIT;

	for (unsigned int i = 0; i < chain->n_out && !c->output_failed; i++) {
		const uint8_t *from = chain->iov[i].iov_base;
		size_t len = chain->iov[i].iov_len, n = 0;

		if (!c->used && room)
			n = console_put(c, from, (size_t)min_u64(len, room));
		room -= n;
		if (!c->output_failed && n < len)
			console_keep(c, from + n, len - n);
	}
	if (c->used && !c->output.added && loop_add(c->loop, &c->output, EPOLLOUT, &e) < 0)
		console_lost(c, e.code);
}

static void console_transmit_queue(struct console *c, struct virtq *q)
{
	unsigned int budget = q->num;

	while (budget && virtq_pop(q, &c->chain) > 0) {
		if (c->chain.n_in) {
			virtq_break(q, "writable buffer in the transmit queue (spec 5.3.6)");
		} else {
			console_transmit(c, &c->chain);
			queue_stats_move(q->stats, true, c->chain.out_len);
		}
		virtq_push(q, c->chain.head, 0);
		budget--;
	}
	virtq_notify(q);
	if (!budget)
		virtq_poke(q);
}

/* console_read() - read into one chain. Return: true if there may be more input. */
static bool console_read(struct console *c, struct virtq *q)
{
	ssize_t n;

	if (c->chain.n_out) {
		virtq_break(q, "readable buffer in the receive queue (spec 5.3.6)");
		virtq_push(q, c->chain.head, 0);
		return false;
	}
	n = readv(c->input.fd, c->chain.iov, c->chain.n_in);
	if (n > 0) {
		queue_stats_move(q->stats, false, (uint64_t)n);
		virtq_push(q, c->chain.head, (uint32_t)n);
		return true;
	}
	virtq_unpop(q, c->chain.head);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (n < 0)
		log_warn(c->base.name, "input: %s", strerror(errno));
	c->input_ended = true;
	return false;
}

/* console_receive() - move input to the driver; watch input only while the driver has buffers. */
static void console_receive(struct console *c)
{
	struct virtq *q = c->rx;
	unsigned int budget = q->num;
	struct err e = ERR_INIT;
	int got = 0;

	while (budget && !c->input_ended && (got = virtq_pop(q, &c->chain)) > 0 &&
		console_read(c, q))
		budget--;
	virtq_notify(q);
	if (!budget)
		virtq_poke(q);
	if (c->input_ended || got <= 0)
		loop_remove(c->loop, &c->input);
	else if (c->input_pollable && !c->input.added &&
		loop_add(c->loop, &c->input, EPOLLIN, &e) < 0)
		c->input_pollable = false;
}

static void console_readable(void *ctx, uint32_t events)
{
	(void)events;
	console_receive(ctx);
}

static void console_kicked(void *queue, uint32_t events)
{
	struct virtq *q = queue;
	struct console *c = q->device;

	(void)events;
	if (q->index == VIRTIO_CONSOLE_QUEUE_TX) {
		console_transmit_queue(c, q);
		return;
	}
	c->rx = q;
	if (!c->input_ended)
		console_receive(c);
}

static void console_drain(struct virtq *q)
{
	struct console *c = q->device;

	if (q->index == VIRTIO_CONSOLE_QUEUE_RX)
		loop_remove(c->loop, &c->input);
}

static void console_config(struct back_device *dev, uint8_t *bytes)
{
	(void)dev,
		(void)bytes; /* spec 5.3.4: every field belongs to a feature that is not offered */
}

static void console_set_features(struct back_device *dev, uint64_t features)
{
	(void)dev, (void)features;
}

static const struct back_device_ops ops = {
	.kicked = console_kicked,
	.drain = console_drain,
	.config = console_config,
	.set_features = console_set_features,
};

static int set_nonblocking(int fd, int wrong_mode, const char *what, struct err *e)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || (flags & O_ACCMODE) == wrong_mode)
		return err_set(e, EBADF, "console: %s is not open for that", what);
	if (fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
		return err_sys(e, errno, "console: %s", what);
	return 0;
}

int console_create(struct console **out, const struct console_config *config, struct err *e)
{
	struct console *c = calloc(1, sizeof(*c));
	int in = config->input_fd, to = config->output_fd;

	*out = NULL;
	if (!c) {
		fd_drop(&in);
		fd_drop(&to);
		return err_sys(e, ENOMEM, "console");
	}
	c->base = (struct back_device){.ops = &ops, .name = config->name, .n_queues = 2};
	c->loop = config->loop;
	c->input = (struct loop_source){.fd = in, .fn = console_readable, .ctx = c};
	c->output = (struct loop_source){.fd = to, .fn = console_writable, .ctx = c};
	c->input_ended = in < 0;
	c->input_pollable = true;
	if ((in >= 0 && set_nonblocking(in, O_WRONLY, "input", e) < 0) ||
		set_nonblocking(to, O_RDONLY, "output", e) < 0) {
		console_destroy(c);
		return -e->code;
	}
	*out = c;
	return 0;
}

void console_destroy(struct console *c)
{
	if (!c)
		return;
	loop_remove(c->loop, &c->input);
	loop_remove(c->loop, &c->output);
	fd_drop(&c->input.fd);
	fd_drop(&c->output.fd);
	free(c);
}

struct back_device *console_device(struct console *c)
{
	return &c->base;
}
