/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The virtqueue walker alone, both kinds of ring (tests/fuzz/rings.h), with a device that keeps
 * chains and gives them back in any order: a kick finishes all there are, an event takes one,
 * finishes the oldest or some, gives the newest back, or interrupts.
 */
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/rings.h"

#include <assert.h>
#include <string.h>

#define HELD 8u

static struct {
	struct chain_head head[HELD];
	unsigned int n;
} held;
static struct rings rings;

/* use() - touch what a popped chain names, as a device would. */
static uint32_t use(const struct chain *c)
{
	uint8_t byte = 0;
	uint64_t sum = 0;

	assert(c->n_out + c->n_in > 0 && c->n_out + c->n_in <= VIRTQ_CHAIN_MAX);
	for (unsigned int i = 0; i < c->n_out + c->n_in; i++) {
		const uint8_t *at = c->iov[i].iov_base, *mem = rings.view.regions[0].host;

		assert(c->iov[i].iov_len && at >= mem &&
			range_in((uint64_t)(at - mem), c->iov[i].iov_len, RINGS_PAGES * PAGE_SIZE));
		sum += c->iov[i].iov_len;
	}
	assert(sum == c->out_len + c->in_len);
	(void)virtq_copy_out(c, c->out_len / 2, &byte, 1);
	return (uint32_t)virtq_copy_in(c, c->in_len / 2, "x", 1);
}

static void finish(struct virtq *q, unsigned int n)
{
	struct virtq_done done[HELD];

	for (unsigned int i = 0; i < n; i++)
		done[i] = (struct virtq_done){held.head[i], i};
	virtq_push_all(q, done, n);
	held.n -= n;
	memmove(held.head, held.head + n, held.n * sizeof(held.head[0]));
}

static void kicked(void *queue, uint32_t events)
{
	struct chain c;

	(void)events;
	for (unsigned int i = 0; i < 2 * RINGS_NUM && virtq_pop(queue, &c) > 0; i++)
		virtq_push(queue, c.head, use(&c));
	virtq_notify(queue);
}

static void event(uint16_t what)
{
	struct virtq *q = &rings.q[0];
	struct chain c;

	switch (what % 4) {
	case 0:
		if (held.n < HELD && virtq_pop(q, &c) > 0) {
			use(&c);
			held.head[held.n++] = c.head;
			if (what & 4 && !rings.broken)
				virtq_unpop(q, held.head[--held.n]);
		}
		break;
	case 1:
		finish(q, what / 4 % (held.n + 1));
		break;
	case 2: /* the newest first */
		if (held.n)
			virtq_push(q, held.head[--held.n], 1);
		break;
	default:
		virtq_notify(q);
	}
}

static void drain(struct virtq *q)
{
	finish(q, held.n);
}

static void config(struct back_device *dev, uint8_t *bytes)
{
	(void)dev, (void)bytes;
}

static void set_features(struct back_device *dev, uint64_t features)
{
	(void)dev, (void)features;
}

static const struct back_device_ops ops = {
	.kicked = kicked, .drain = drain, .config = config, .set_features = set_features};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct back_device device = {.ops = &ops, .name = "fuzz", .n_queues = 1};
	struct bytes in = bytes_of(data, len);
	uint8_t options = bytes_u8(&in);

	if (!rings.mem)
		rings_open(&rings);
	rings.device = &device;
	rings.event = event;
	held.n = 0;
	rings_run(&rings, options, &in);
	return 0;
}
