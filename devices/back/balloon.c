/* SPDX-License-Identifier: Apache-2.0 */
/* virtio-balloon; see devices/back/balloon.h. */
#include "devices/back/balloon.h"

#include "base/bytes.h"
#include "base/fd.h"
#include "base/log.h"
#include "devices/back/queue_stats.h"
#include "devices/wire/virtio_balloon.h"
#include "memory/shared_area.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#define CHAINS_AT_ONCE 16u
#define PAGES_AT_ONCE  64u /* page numbers copied out at a time */

/* Adjacent memory of this process to be given back in one call. */
struct run {
	uint8_t *start;
	size_t len;
};

struct balloon {
	struct back_device base;
	struct loop *loop;
	struct shared_area area;
	struct balloon_state *state; /* in area */
	int changed_fd;
	struct chain chain;
};

/* balloon_release() - give a run back to the host. */
static void balloon_release(struct balloon *b, struct virtq *q, struct run *run)
{
	if (run->len && madvise(run->start, run->len, MADV_REMOVE) < 0) {
		queue_stats_error(q->stats);
		log_limited(
			LOG_WARN, b->base.name, "pages can't be given back: %s", strerror(errno));
	} else {
		queue_stats_move(q->stats, true, run->len);
	}
	run->len = 0;
}

/* balloon_collect() - one more piece; a run that it does not touch is released. */
static void balloon_collect(
	struct balloon *b, struct virtq *q, struct run *run, const struct iovec *piece)
{
	uint8_t *at = piece->iov_base;

	if (run->len && at == run->start + run->len) {
		run->len += piece->iov_len;
	} else if (run->len && at + piece->iov_len == run->start) {
		run->start = at;
		run->len += piece->iov_len;
	} else {
		if (run->len)
			balloon_release(b, q, run);
		*run = (struct run){at, piece->iov_len};
	}
}

/* balloon_page() - a page that the guest put into the balloon. */
static void balloon_page(struct balloon *b, struct virtq *q, struct run *run, uint32_t number)
{
	struct iovec iov;

	if (view_iov(q->view, gpa_of((uint64_t)number * VIRTIO_BALLOON_PAGE), VIRTIO_BALLOON_PAGE,
		    &iov, 1) == 1) {
		balloon_collect(b, q, run, &iov);
		return;
	}
	queue_stats_refuse(q->stats);
	log_limited(LOG_WARN, b->base.name, "page %#x is not guest memory", number);
}

/* balloon_inflate() - a chain of page numbers, 32 bits each (spec 5.5.6). */
static void balloon_inflate(struct balloon *b, struct virtq *q, const struct chain *c)
{
	uint8_t numbers[PAGES_AT_ONCE * 4];
	struct run run = {0};

	for (uint64_t off = 0; off + 4 <= c->out_len; off += sizeof(numbers)) {
		uint64_t n = virtq_copy_out(c, off, numbers, sizeof(numbers)) / 4;

		for (uint64_t i = 0; i < n; i++)
			balloon_page(b, q, &run, load_le32(numbers + i * 4));
	}
	if (run.len)
		balloon_release(b, q, &run);
}

/* balloon_report() - a chain of free memory (spec 5.5.6.7): its whole pages are given back. */
static void balloon_report(struct balloon *b, struct virtq *q, const struct chain *c)
{
	struct run run = {0};

	for (unsigned int i = 0; i < c->n_in; i++) {
		uintptr_t start = (uintptr_t)c->iov[i].iov_base;
		uintptr_t end = align_down(start + c->iov[i].iov_len, PAGE_SIZE);

		start = align_up(start, PAGE_SIZE);
		if (start < end)
			balloon_collect(b, q, &run,
				&(struct iovec){(void *)start, end - start}); /* NOLINT */
	}
	if (run.len)
		balloon_release(b, q, &run);
}

/* balloon_chain() - Return: what is wrong with its direction, NULL if it was done. */
static const char *balloon_chain(struct balloon *b, struct virtq *q, const struct chain *c)
{
	if (q->index == VIRTIO_BALLOON_QUEUE_REPORT) {
		if (c->n_out)
			return "readable buffer in the reporting queue (spec 5.5.6.7)";
		balloon_report(b, q, c);
		return NULL;
	}
	if (c->n_in)
		return "writable buffer among page numbers (spec 5.5.6)";
	/* A page that leaves the balloon is the guest's again as soon as it touches it. */
	if (q->index == VIRTIO_BALLOON_QUEUE_INFLATE)
		balloon_inflate(b, q, c);
	return NULL;
}

static void balloon_kicked(void *queue, uint32_t events)
{
	struct virtq *q = queue;
	struct balloon *b = q->device;
	unsigned int budget = CHAINS_AT_ONCE;

	(void)events;
	while (budget && virtq_pop(q, &b->chain) > 0) {
		const char *wrong = balloon_chain(b, q, &b->chain);

		if (wrong)
			virtq_break(q, wrong);
		virtq_push(q, b->chain.head, 0);
		budget--;
	}
	virtq_notify(q);
	if (!budget)
		virtq_poke(q);
}

static void balloon_drain(struct virtq *q)
{
	(void)q; /* nothing stays in flight */
}

static void balloon_config_bytes(struct back_device *dev, uint8_t *bytes)
{
	struct balloon *b = (struct balloon *)dev;
	const struct virtio_balloon_config config = {
		__atomic_load_n(&b->state->wanted, __ATOMIC_RELAXED),
		__atomic_load_n(&b->state->actual, __ATOMIC_RELAXED)};

	memcpy(bytes, &config, sizeof(config));
}

/* balloon_set_config() - spec 5.5.4: the driver writes `actual`, nothing else. */
static bool balloon_set_config(
	struct back_device *dev, uint32_t off, const uint8_t *bytes, uint32_t len)
{
	struct balloon *b = (struct balloon *)dev;
	const uint64_t one = 1;

	if (off != offsetof(struct virtio_balloon_config, actual) || len != sizeof(uint32_t))
		return false;
	__atomic_store_n(&b->state->actual, load_le32(bytes), __ATOMIC_RELAXED);
	return write(b->changed_fd, &one, sizeof(one)) == sizeof(one) || errno == EAGAIN;
}

static void balloon_set_features(struct back_device *dev, uint64_t features)
{
	(void)dev, (void)features;
}

static const struct back_device_ops ops = {
	.kicked = balloon_kicked,
	.drain = balloon_drain,
	.config = balloon_config_bytes,
	.set_config = balloon_set_config,
	.set_features = balloon_set_features,
};

int balloon_create(struct balloon **out, const struct balloon_config *config, struct err *e)
{
	struct balloon *b = calloc(1, sizeof(*b));
	cleanup_fd int state_fd = config->state_fd;
	int changed_fd = config->changed_fd;

	*out = NULL;
	if (!b) {
		fd_drop(&changed_fd);
		return err_sys(e, ENOMEM, "balloon");
	}
	b->loop = config->loop;
	b->changed_fd = changed_fd;
	if (shared_area_map(&b->area, state_fd, 0, sizeof(*b->state), e) < 0) {
		balloon_destroy(b);
		return err_context(e, "balloon");
	}
	b->state = b->area.at;
	b->base = (struct back_device){.ops = &ops, .name = config->name, .n_queues = 2};
	if (b->state->report) {
		b->base.features |= VIRTIO_BALLOON_F_REPORTING;
		b->base.n_queues++;
	}
	if (b->state->deflate_on_oom)
		b->base.features |= VIRTIO_BALLOON_F_DEFLATE_ON_OOM;
	*out = b;
	return 0;
}

void balloon_destroy(struct balloon *b)
{
	if (!b)
		return;
	shared_area_close(&b->area);
	fd_drop(&b->changed_fd);
	free(b);
}

struct back_device *balloon_device(struct balloon *b)
{
	return &b->base;
}
