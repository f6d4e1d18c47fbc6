/* SPDX-License-Identifier: Apache-2.0 */
/* The virtqueue walker; see devices/back/virtq.h. */
#include "devices/back/virtq.h"

#include "base/log.h"
#include "devices/back/inflight.h"
#include "devices/back/queue_stats.h"
#include "devices/wire/virtio_ring.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

/* Where the parts of a split ring lie (spec 2.7.6, 2.7.8). */
static gpa_t avail_idx_at(const struct virtq *q)
{
	return gpa_plus(q->avail, offsetof(struct vring_avail, idx));
}

static gpa_t avail_ring_at(const struct virtq *q, uint16_t pos)
{
	return gpa_plus(q->avail, sizeof(struct vring_avail) + 2u * (pos & (q->num - 1u)));
}

static gpa_t used_event_at(const struct virtq *q)
{
	return gpa_plus(q->avail, sizeof(struct vring_avail) + 2u * q->num);
}

static gpa_t used_idx_at(const struct virtq *q)
{
	return gpa_plus(q->used, offsetof(struct vring_used, idx));
}

static gpa_t used_ring_at(const struct virtq *q, uint16_t pos)
{
	return gpa_plus(q->used, sizeof(struct vring_used) + 8u * (pos & (q->num - 1u)));
}

static gpa_t avail_event_at(const struct virtq *q)
{
	return gpa_plus(q->used, sizeof(struct vring_used) + 8u * q->num);
}

/* signal_fd() - add one to an eventfd of the front end, if it gave one. */
static void signal_fd(const struct virtq *q, int fd, const char *what)
{
	const uint64_t one = 1;

	if (fd >= 0 && write(fd, &one, sizeof(one)) < 0)
		log_limited(LOG_WARN, q->tag, "queue %u: %s eventfd: %s", q->index, what,
			strerror(errno));
}

void virtq_poke(struct virtq *q)
{
	signal_fd(q, q->kick.fd, "kick");
}

void virtq_break(struct virtq *q, const char *why)
{
	if (*q->broken)
		return;
	*q->broken = true;
	queue_stats_refuse(q->stats);
	log_limited(LOG_WARN, q->tag, "queue %u: %s; device needs reset", q->index, why);
	signal_fd(q, q->err_fd, "err");
}

/* virtq_bad() - break the queue. Return: -EPROTO. */
static int virtq_bad(struct virtq *q, const char *why)
{
	virtq_break(q, why);
	return -EPROTO;
}

int virtq_start(struct virtq *q, uint64_t features)
{
	uint16_t unfinished;

	assert(!q->in_flight);
	q->event_idx = features & VIRTIO_F_EVENT_IDX;
	q->indirect = features & VIRTIO_F_INDIRECT_DESC;
	q->signalled_any = q->pushed = false;
	if (!q->num || q->num > VIRTQ_NUM_MAX || (q->num & (q->num - 1u)))
		return virtq_bad(q, "size is not a power of two up to 1024");
	if (q->desc.v % 16 || q->avail.v % 2 || q->used.v % 4)
		return virtq_bad(q, "ring is misaligned (spec 2.7)");
	if (view_load16(q->view, used_idx_at(q), &q->next_used) < 0)
		return virtq_bad(q, "used ring is not in shared memory");
	if (inflight_begin(q->inflight, q->num, q->next_used, &unfinished)) {
		q->next_avail = (uint16_t)(q->next_used + unfinished);
		q->pushed = true; /* perhaps, and the driver was not told */
	}
	q->running = true;
	return 0;
}

void virtq_stop(struct virtq *q)
{
	assert(!q->in_flight);
	q->running = false;
}

/* A walk along one chain: where descriptors come from, and how many may still come. */
struct walk {
	gpa_t table;
	uint32_t entries; /* descriptors in table */
	uint32_t left;    /* descriptors that the chain may still have */
	bool in_indirect;
};

/* chain_add() - resolve one buffer at the end of the chain. Return: NULL or what is wrong. */
static const char *chain_add(struct chain *c, const struct virtq *q, const struct vring_desc *d)
{
	unsigned int have = c->n_out + c->n_in;
	bool in = d->flags & VRING_DESC_F_WRITE;
	int n;

	if (!d->len)
		return "buffer of no bytes";
	if (!in && c->n_in)
		return "readable buffer after a writable one (spec 2.7.4.2)";
	if (c->out_len + c->in_len + d->len > GIB(4))
		return "chain longer than 4 GiB (spec 2.7.5)";
	n = view_iov(q->view, gpa_of(d->addr), d->len, &c->iov[have], VIRTQ_CHAIN_MAX - have);
	if (n < 0)
		return n == -E2BIG ? "chain of too many segments" : "buffer not in shared memory";
	if (in) {
		c->n_in = (uint16_t)(c->n_in + n);
		c->in_len += d->len;
	} else {
		c->n_out = (uint16_t)(c->n_out + n);
		c->out_len += d->len;
	}
	return NULL;
}

/* walk_indirect() - go on in an indirect table (spec 2.7.5.3). Return: NULL or what is wrong. */
static const char *walk_indirect(struct walk *w, const struct virtq *q, const struct vring_desc *d)
{
	if (!q->indirect)
		return "indirect descriptor without the feature";
	if (w->in_indirect)
		return "indirect descriptor in an indirect table (spec 2.7.5.3.1)";
	if (d->flags & VRING_DESC_F_NEXT)
		return "indirect descriptor with next (spec 2.7.5.3.1)";
	if (!d->len || d->len % sizeof(*d))
		return "indirect table of broken size (spec 2.7.5.3)";
	if (d->len / sizeof(*d) > q->num)
		return "indirect table longer than the queue (spec 2.7.5.3.1)";
	w->table = gpa_of(d->addr);
	w->entries = (uint32_t)(d->len / sizeof(*d));
	w->left++; /* the descriptor that names the table is no buffer */
	w->in_indirect = true;
	return NULL;
}

/* virtq_walk() - collect the chain at head. Return: NULL or what is wrong. */
static const char *virtq_walk(const struct virtq *q, struct chain *c, uint16_t head)
{
	struct walk w = {.table = q->desc, .entries = q->num, .left = q->num};
	uint16_t at = head;
	struct vring_desc d;
	const char *wrong;

	do {
		if (!w.left--)
			return "chain longer than the queue, or looped (spec 2.7.5.3.1)";
		if (at >= w.entries)
			return "descriptor index out of range";
		if (view_read(q->view, gpa_plus(w.table, sizeof(d) * at), &d, sizeof(d)) < 0)
			return "descriptor not in shared memory";
		if (d.flags & VRING_DESC_F_INDIRECT) {
			wrong = walk_indirect(&w, q, &d);
			d.flags = VRING_DESC_F_NEXT;
			d.next = 0;
		} else {
			wrong = chain_add(c, q, &d);
		}
		if (wrong)
			return wrong;
		at = d.next;
	} while (d.flags & VRING_DESC_F_NEXT);
	return NULL;
}

int virtq_pop(struct virtq *q, struct chain *c)
{
	const char *wrong;
	uint16_t avail;
	bool again;

	if (*q->broken)
		return -EPROTO;
	if (!q->running)
		return 0;
	/* Acquire: the entries and descriptors that idx announces are read after it. */
	if (view_load16(q->view, avail_idx_at(q), &avail) < 0)
		return virtq_bad(q, "available ring not in shared memory");
	again = inflight_next(q->inflight, &c->head);
	if (!again && avail == q->next_avail)
		return 0;
	if ((uint16_t)(avail - q->next_avail) > q->num)
		return virtq_bad(q, "available index jumps (spec 2.7.13)");
	if (q->in_flight >= q->num)
		return virtq_bad(q, "more chains in flight than the queue has descriptors");
	if (!again && view_load16(q->view, avail_ring_at(q, q->next_avail), &c->head) < 0)
		return virtq_bad(q, "available ring not in shared memory");
	c->n_out = c->n_in = 0;
	c->out_len = c->in_len = 0;
	wrong = virtq_walk(q, c, c->head);
	if (wrong)
		return virtq_bad(q, wrong);
	if (!again && !inflight_add(q->inflight, c->head))
		return virtq_bad(q, "chain that is in flight already");
	q->next_avail = (uint16_t)(q->next_avail + !again);
	q->in_flight++;
	queue_stats_take(q->stats, c->head);
	return 1;
}

void virtq_unpop(struct virtq *q)
{
	assert(q->in_flight);
	if (!inflight_undo(q->inflight))
		q->next_avail--;
	q->in_flight--;
}

void virtq_push_all(struct virtq *q, const struct virtq_done *done, unsigned int n)
{
	assert(q->in_flight >= n);
	q->in_flight -= n;
	if (*q->broken || !n)
		return;
	for (unsigned int i = 0; i < n; i++) {
		struct vring_used_elem elem = {.id = done[i].head, .len = done[i].written};
		gpa_t at = used_ring_at(q, (uint16_t)(q->next_used + i));

		if (view_write(q->view, at, &elem, sizeof(elem)) < 0) {
			virtq_break(q, "used ring not in shared memory");
			return;
		}
		inflight_batch(q->inflight, done[i].head);
	}
	/* Release: the entries, and the data before them, are there when idx says so. */
	if (view_store16(q->view, used_idx_at(q), (uint16_t)(q->next_used + n)) < 0) {
		virtq_break(q, "used ring not in shared memory");
		return;
	}
	q->next_used = (uint16_t)(q->next_used + n);
	q->pushed = true;
	for (unsigned int i = 0; i < n; i++) {
		inflight_clear(q->inflight, done[i].head);
		queue_stats_finish(q->stats, done[i].head);
	}
	inflight_commit(q->inflight, q->next_used);
}

void virtq_push(struct virtq *q, uint16_t head, uint32_t written)
{
	const struct virtq_done done = {.head = head, .written = written};

	virtq_push_all(q, &done, 1);
}

/* virtq_wants_call() - does the driver want an interrupt for what was pushed (spec 2.7.7)? */
static bool virtq_wants_call(struct virtq *q)
{
	uint16_t word, was = q->signalled_used, now = q->next_used;
	bool any = q->signalled_any;

	/* Our used idx must be visible before we look: the driver does it the other way around. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (view_load16(q->view, q->event_idx ? used_event_at(q) : q->avail, &word) < 0) {
		virtq_break(q, "available ring not in shared memory");
		return false;
	}
	if (!q->event_idx)
		return !(word & VRING_AVAIL_F_NO_INTERRUPT);
	q->signalled_used = now;
	q->signalled_any = true;
	return !any || (uint16_t)(now - word - 1) < (uint16_t)(now - was);
}

void virtq_notify(struct virtq *q)
{
	bool pushed = q->pushed;

	q->pushed = false;
	if (pushed && !*q->broken && q->running && virtq_wants_call(q)) {
		queue_stats_call(q->stats);
		signal_fd(q, q->call_fd, "call");
	}
}

bool virtq_kicks(struct virtq *q, bool on)
{
	uint16_t avail;
	int rc;

	if (*q->broken || !q->running)
		return false;
	if (q->event_idx) /* off: an avail_event that is left behind asks for nothing */
		rc = on ? view_store16(q->view, avail_event_at(q), q->next_avail) : 0;
	else
		rc = view_store16(q->view, q->used, (uint16_t)(on ? 0 : VRING_USED_F_NO_NOTIFY));
	if (rc == 0 && on) {
		/* The wish must be visible before the last look, or a kick is lost (spec 2.7.10).
		 */
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
		rc = view_load16(q->view, avail_idx_at(q), &avail);
	}
	if (rc < 0)
		virtq_break(q, "ring not in shared memory");
	return rc == 0 && on && (avail != q->next_avail || inflight_left(q->inflight));
}

/* A place in a list of segments. */
struct cursor {
	const struct iovec *iov;
	unsigned int n;
	uint64_t off; /* in iov[0] and beyond */
};

/* cursor_next() - the memory at the cursor. Return: bytes there, at most len; 0 at the end. */
static uint64_t cursor_next(struct cursor *at, uint64_t len, void **host)
{
	while (at->n && at->off >= at->iov->iov_len) {
		at->off -= at->iov->iov_len;
		at->iov++;
		at->n--;
	}
	if (!at->n)
		return 0;
	*host = (uint8_t *)at->iov->iov_base + at->off;
	len = min_u64(len, at->iov->iov_len - at->off);
	at->off += len;
	return len;
}

uint64_t virtq_copy_out(const struct chain *c, uint64_t off, void *dst, uint64_t len)
{
	struct cursor at = {.iov = c->iov, .n = c->n_out, .off = off};
	uint64_t done = 0, part;
	void *host;

	while (done < len && (part = cursor_next(&at, len - done, &host)) > 0) {
		memcpy((uint8_t *)dst + done, host, part);
		done += part;
	}
	__asm__ volatile("" : : "r"(dst) : "memory"); /* one fetch: see view_read() */
	return done;
}

uint64_t virtq_copy_in(const struct chain *c, uint64_t off, const void *src, uint64_t len)
{
	struct cursor at = {.iov = c->iov + c->n_out, .n = c->n_in, .off = off};
	uint64_t done = 0, part;
	void *host;

	while (done < len && (part = cursor_next(&at, len - done, &host)) > 0) {
		memcpy(host, (const uint8_t *)src + done, part);
		done += part;
	}
	return done;
}
