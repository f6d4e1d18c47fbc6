/* SPDX-License-Identifier: Apache-2.0 */
/* virtio-mem; see devices/back/mem.h. */
#include "devices/back/mem.h"

#include "base/fd.h"
#include "base/log.h"
#include "devices/back/queue_stats.h"
#include "devices/wire/virtio_mem.h"
#include "memory/shared_area.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#define CHAINS_AT_ONCE 16u

struct mem {
	struct back_device base;
	struct loop *loop;
	struct shared_area area;
	struct mem_state *state; /* in area */
	uint64_t addr, region;   /* as of the state when the process began */
	uint64_t plugged;
	int changed_fd;
	struct chain chain;
};

/* Blocks of the region. */
struct blocks {
	uint64_t first, n;
};

/* mem_blocks() - spec 5.15.6.2: whole blocks within the usable region. Return: are they? */
static bool mem_blocks(const struct mem *m, const struct virtio_mem_request *r, struct blocks *out)
{
	uint64_t off = r->addr - m->addr, len = (uint64_t)r->nb_blocks * VIRTIO_MEM_BLOCK;

	*out = (struct blocks){off / VIRTIO_MEM_BLOCK, r->nb_blocks};
	return r->addr >= m->addr && len && is_aligned(off, VIRTIO_MEM_BLOCK) &&
		range_in(off, len, m->region);
}

/* mem_plugged_of() - Return: how many of them are plugged. */
static uint64_t mem_plugged_of(const struct mem *m, const struct blocks *b)
{
	uint64_t n = 0;

	for (uint64_t i = 0; i < b->n; i++)
		n += m->state->blocks[b->first + i] != 0;
	return n;
}

/* mem_release() - give the blocks' memory back to the host. Return: 0 or -errno. */
static int mem_release(struct mem *m, struct virtq *q, const struct blocks *b)
{
	uint64_t len = b->n * VIRTIO_MEM_BLOCK;
	struct iovec iov;
	int rc = view_iov(q->view, gpa_of(m->addr + b->first * VIRTIO_MEM_BLOCK), len, &iov, 1);

	if (rc == 1)
		rc = madvise(iov.iov_base, iov.iov_len, MADV_REMOVE) < 0 ? -errno : 0;
	if (rc) {
		queue_stats_error(q->stats);
		log_limited(
			LOG_WARN, m->base.name, "memory can't be given back: %s", strerror(-rc));
		return rc;
	}
	queue_stats_move(q->stats, true, len);
	return 0;
}

/* mem_set() - commit: the blocks are plugged, or are not. */
static void mem_set(struct mem *m, const struct blocks *b, bool plugged)
{
	uint64_t before = mem_plugged_of(m, b), now = plugged ? b->n : 0;
	const uint64_t one = 1;

	memset(m->state->blocks + b->first, plugged, b->n);
	m->plugged = m->plugged + (now - before) * VIRTIO_MEM_BLOCK;
	__atomic_store_n(&m->state->plugged, m->plugged, __ATOMIC_RELAXED);
	if (write(m->changed_fd, &one, sizeof(one)) < 0 && errno != EAGAIN)
		log_limited(LOG_WARN, m->base.name, "the monitor is not told: %s", strerror(errno));
}

/* mem_plug() - spec 5.15.6.3. Return: the response. */
static uint16_t mem_plug(struct mem *m, const struct blocks *b, bool again)
{
	uint64_t more = (b->n - mem_plugged_of(m, b)) * VIRTIO_MEM_BLOCK;

	if (!again && more != b->n * VIRTIO_MEM_BLOCK)
		return VIRTIO_MEM_RESP_ERROR;
	if (m->plugged + more > __atomic_load_n(&m->state->wanted, __ATOMIC_RELAXED))
		return VIRTIO_MEM_RESP_NACK;
	mem_set(m, b, true);
	return VIRTIO_MEM_RESP_ACK;
}

/* mem_unplug() - spec 5.15.6.4. Return: the response. */
static uint16_t mem_unplug(struct mem *m, struct virtq *q, const struct blocks *b, bool again)
{
	if (!again && mem_plugged_of(m, b) != b->n)
		return VIRTIO_MEM_RESP_ERROR;
	if (mem_release(m, q, b))
		return VIRTIO_MEM_RESP_BUSY;
	mem_set(m, b, false);
	return VIRTIO_MEM_RESP_ACK;
}

static uint16_t mem_state_of(const struct mem *m, const struct blocks *b)
{
	uint64_t n = mem_plugged_of(m, b);

	if (!n)
		return VIRTIO_MEM_UNPLUGGED;
	return n == b->n ? VIRTIO_MEM_PLUGGED : VIRTIO_MEM_MIXED;
}

/* mem_request() - carry one out. @again: a process began with it and died. */
static struct virtio_mem_response mem_request(
	struct mem *m, struct virtq *q, const struct virtio_mem_request *r, bool again)
{
	const struct blocks all = {0, m->region / VIRTIO_MEM_BLOCK};
	struct virtio_mem_response resp = {.type = VIRTIO_MEM_RESP_ERROR};
	struct blocks b;

	if (r->type == VIRTIO_MEM_REQ_UNPLUG_ALL) { /* spec 5.15.6.5 */
		resp.type = mem_unplug(m, q, &all, true);
	} else if (!mem_blocks(m, r, &b)) {
		queue_stats_refuse(q->stats);
	} else if (r->type == VIRTIO_MEM_REQ_PLUG) {
		resp.type = mem_plug(m, &b, again);
	} else if (r->type == VIRTIO_MEM_REQ_UNPLUG) {
		resp.type = mem_unplug(m, q, &b, again);
	} else if (r->type == VIRTIO_MEM_REQ_STATE) { /* spec 5.15.6.6 */
		resp.type = VIRTIO_MEM_RESP_ACK;
		resp.state = mem_state_of(m, &b);
	}
	return resp;
}

/* mem_chain() - Return: what is wrong with it, NULL if it was answered. */
static const char *mem_chain(struct mem *m, struct virtq *q, const struct chain *c)
{
	struct virtio_mem_request r = {0};
	struct virtio_mem_response resp;
	bool again;

	if (c->out_len < sizeof(r))
		return "short request (spec 5.15.6)";
	if (c->in_len < sizeof(resp))
		return "no room for a response (spec 5.15.6)";
	virtq_copy_out(c, 0, &r, sizeof(r));
	again = m->state->stepping && !memcmp(&m->state->step, &r, sizeof(r));
	m->state->step = r;
	__atomic_store_n(&m->state->stepping, 1, __ATOMIC_RELEASE);
	resp = mem_request(m, q, &r, again);
	virtq_copy_in(c, 0, &resp, sizeof(resp));
	return NULL;
}

static void mem_kicked(void *queue, uint32_t events)
{
	struct virtq *q = queue;
	struct mem *m = q->device;
	unsigned int budget = CHAINS_AT_ONCE;

	(void)events;
	while (budget && virtq_pop(q, &m->chain) > 0) {
		const char *wrong = mem_chain(m, q, &m->chain);

		if (wrong)
			virtq_break(q, wrong);
		virtq_push(q, m->chain.head, wrong ? 0 : sizeof(struct virtio_mem_response));
		__atomic_store_n(&m->state->stepping, 0, __ATOMIC_RELEASE);
		budget--;
	}
	virtq_notify(q);
	if (!budget)
		virtq_poke(q);
}

static void mem_drain(struct virtq *q)
{
	(void)q; /* nothing stays in flight */
}

static void mem_config_bytes(struct back_device *dev, uint8_t *bytes)
{
	struct mem *m = (struct mem *)dev;
	const struct virtio_mem_config config = {
		.block_size = VIRTIO_MEM_BLOCK,
		.addr = m->addr,
		.region_size = m->region,
		.usable_region_size = m->region,
		.plugged_size = m->plugged,
		.requested_size = __atomic_load_n(&m->state->wanted, __ATOMIC_RELAXED),
	};

	memcpy(bytes, &config, sizeof(config));
}

static void mem_set_features(struct back_device *dev, uint64_t features)
{
	(void)dev, (void)features;
}

static const struct back_device_ops ops = {
	.kicked = mem_kicked,
	.drain = mem_drain,
	.config = mem_config_bytes,
	.set_features = mem_set_features,
};

/* mem_open_state() - map it and believe nothing in it that doesn't fit. Return: 0 or -errno. */
static int mem_open_state(struct mem *m, int fd, struct err *e)
{
	uint64_t blocks;
	int rc = shared_area_map(&m->area, fd, 0, sizeof(*m->state), e);

	if (rc)
		return rc;
	m->state = m->area.at;
	m->addr = m->state->addr;
	m->region = m->state->region;
	blocks = m->region / VIRTIO_MEM_BLOCK;
	if (!is_aligned(m->addr | m->region, VIRTIO_MEM_BLOCK) || m->addr + m->region < m->addr)
		return err_set(e, EINVAL, "memory device: region that can't be");
	rc = shared_area_map(&m->area, fd, 0, sizeof(*m->state) + blocks, e);
	if (rc)
		return rc;
	m->state = m->area.at;
	m->plugged = mem_plugged_of(m, &(struct blocks){0, blocks}) * VIRTIO_MEM_BLOCK;
	__atomic_store_n(&m->state->plugged, m->plugged, __ATOMIC_RELAXED);
	return 0;
}

int mem_create(struct mem **out, const struct mem_config *config, struct err *e)
{
	struct mem *m = calloc(1, sizeof(*m));
	cleanup_fd int state_fd = config->state_fd;
	int changed_fd = config->changed_fd;

	*out = NULL;
	if (!m) {
		fd_drop(&changed_fd);
		return err_sys(e, ENOMEM, "memory device");
	}
	m->loop = config->loop;
	m->changed_fd = changed_fd;
	m->base = (struct back_device){.ops = &ops,
		.name = config->name,
		.features = VIRTIO_MEM_F_UNPLUGGED_INACCESSIBLE,
		.n_queues = 1};
	if (mem_open_state(m, state_fd, e) < 0) {
		mem_destroy(m);
		return -e->code;
	}
	*out = m;
	return 0;
}

void mem_destroy(struct mem *m)
{
	if (!m)
		return;
	shared_area_close(&m->area);
	fd_drop(&m->changed_fd);
	free(m);
}

struct back_device *mem_device(struct mem *m)
{
	return &m->base;
}
