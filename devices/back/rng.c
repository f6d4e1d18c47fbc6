/* SPDX-License-Identifier: Apache-2.0 */
/* virtio-rng; see devices/back/rng.h. */
#include "devices/back/rng.h"

#include "base/fd.h"
#include "base/log.h"
#include "devices/back/queue_stats.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>

#define CHUNKS_AT_ONCE 16u

struct rng {
	struct back_device base;
	struct loop *loop;
	struct loop_source source; /* watched only while the driver waits for it */
	bool ended;
	struct virtq *q; /* the one that waits */
	struct chain chain;
};

/* rng_limit() - cut the writable part to RNG_CHUNK bytes. Return: its segments. */
static int rng_limit(struct chain *c)
{
	struct iovec *iov = c->iov + c->n_out;
	size_t left = RNG_CHUNK;
	int n = 0;

	while (n < c->n_in && left) {
		iov[n].iov_len = (size_t)min_u64(iov[n].iov_len, left);
		left -= iov[n++].iov_len;
	}
	return n;
}

/* rng_wait() - nothing to give now: come back when the source is readable. */
static void rng_wait(struct rng *rng, struct virtq *q)
{
	struct err e = ERR_INIT;

	virtq_unpop(q, rng->chain.head);
	rng->q = q;
	if (rng->source.added)
		return;
	if (loop_add(rng->loop, &rng->source, EPOLLIN, &e) < 0)
		log_limited(LOG_WARN, rng->base.name, "source: %s", e.text);
}

/* rng_fill() - fill one chain. Return: true to go on with the next. */
static bool rng_fill(struct rng *rng, struct virtq *q, struct chain *c)
{
	ssize_t n;

	if (!c->n_in || c->n_out) {
		virtq_break(q, "entropy request that is not all writable (spec 5.4.6.1)");
		virtq_push(q, c->head, 0);
		return false;
	}
	n = readv(rng->source.fd, c->iov, rng_limit(c));
	if (n > 0) {
		queue_stats_move(q->stats, false, (uint64_t)n);
		virtq_push(q, c->head, (uint32_t)n);
		return true;
	}
	if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
		rng_wait(rng, q);
		return false;
	}
	log_warn(rng->base.name, "source: %s", n ? strerror(errno) : "has ended");
	rng->ended = true;
	virtq_unpop(q, c->head);
	return false;
}

/* rng_serve() - give the driver some chunks, then let others have the loop. */
static void rng_serve(struct rng *rng, struct virtq *q)
{
	unsigned int budget = CHUNKS_AT_ONCE;

	while (budget && virtq_pop(q, &rng->chain) > 0 && rng_fill(rng, q, &rng->chain))
		budget--;
	virtq_notify(q);
	if (!budget)
		virtq_poke(q);
}

static void rng_kicked(void *queue, uint32_t events)
{
	struct virtq *q = queue;
	struct rng *rng = q->device;

	(void)events;
	if (!rng->q && !rng->ended)
		rng_serve(rng, q);
}

static void rng_readable(void *ctx, uint32_t events)
{
	struct rng *rng = ctx;
	struct virtq *q = rng->q;

	(void)events;
	loop_remove(rng->loop, &rng->source);
	rng->q = NULL;
	rng_serve(rng, q);
}

static void rng_drain(struct virtq *q)
{
	struct rng *rng = q->device;

	loop_remove(rng->loop, &rng->source);
	rng->q = NULL;
}

static void rng_config(struct back_device *dev, uint8_t *bytes)
{
	(void)dev, (void)bytes; /* spec 5.4.4: none */
}

static void rng_set_features(struct back_device *dev, uint64_t features)
{
	(void)dev, (void)features;
}

static const struct back_device_ops ops = {
	.kicked = rng_kicked,
	.drain = rng_drain,
	.config = rng_config,
	.set_features = rng_set_features,
};

int rng_create(struct rng **out, const struct rng_config *config, struct err *e)
{
	struct rng *rng = calloc(1, sizeof(*rng));
	int fd = config->source_fd, flags;

	*out = NULL;
	if (!rng) {
		fd_drop(&fd);
		return err_sys(e, ENOMEM, "rng");
	}
	rng->base = (struct back_device){.ops = &ops, .name = config->name, .n_queues = 1};
	rng->loop = config->loop;
	rng->source = (struct loop_source){.fd = fd, .fn = rng_readable, .ctx = rng};
	flags = fcntl(fd, F_GETFL);
	if (flags < 0 || (flags & O_ACCMODE) == O_WRONLY ||
		fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0) {
		err_sys(e, flags < 0 ? errno : EBADF, "rng: source is not open for reading");
		rng_destroy(rng);
		return -e->code;
	}
	*out = rng;
	return 0;
}

void rng_destroy(struct rng *rng)
{
	if (!rng)
		return;
	loop_remove(rng->loop, &rng->source);
	fd_drop(&rng->source.fd);
	free(rng);
}

struct back_device *rng_device(struct rng *rng)
{
	return &rng->base;
}
