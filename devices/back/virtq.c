/* SPDX-License-Identifier: Apache-2.0 */
/* The virtqueue walker; see devices/back/virtq.h. */
#include "devices/back/virtq.h"

#include "base/log.h"
#include "devices/back/inflight.h"
#include "devices/back/inflight_packed.h"
#include "devices/back/queue_stats.h"
#include "devices/wire/vhost_user_inflight.h"
#include "devices/wire/virtio_ring.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>

/* A word that both sides change: fetched or stored once, and in its place among all others. */
#define LOAD(from)       __atomic_load_n(&(from), __ATOMIC_ACQUIRE)
#define STORE(to, value) __atomic_store_n(&(to), (value), __ATOMIC_RELEASE)

void virtq_poke(struct virtq *q)
{
	if (q->kick.fd >= 0 && eventfd_write(q->kick.fd, 1) < 0)
		log_limited(LOG_WARN, q->tag, "queue %u: kick: %s", q->index, strerror(errno));
}

void virtq_break(struct virtq *q, const char *why)
{
	if (*q->broken)
		return;
	*q->broken = true;
	queue_stats_refuse(q->stats);
	log_limited(LOG_WARN, q->tag, "queue %u: %s; device needs reset", q->index, why);
	if (q->err_fd >= 0 && eventfd_write(q->err_fd, 1) < 0)
		log_limited(LOG_WARN, q->tag, "queue %u: err: %s", q->index, strerror(errno));
}

/* virtq_bad() - break the queue. Return: -EPROTO. */
static int virtq_bad(struct virtq *q, const char *why)
{
	virtq_break(q, why);
	return -EPROTO;
}

/* A position in a packed ring as it goes over the wire: bit 15 is the wrap counter (spec 2.8.14).
 */
static uint16_t packed_position(const struct virtq *q, uint16_t at)
{
	return (uint16_t)((at & (q->num - 1u)) | (at & q->num ? 0 : VRING_PACKED_WRAP));
}

static uint16_t packed_count(const struct virtq *q, uint16_t position)
{
	return (uint16_t)((position & (q->num - 1u)) | (position & VRING_PACKED_WRAP ? 0 : q->num));
}

/* packed_available() - do the flags of the entry at that position make it ours (spec 2.8.1)? */
static bool packed_available(const struct virtq *q, uint16_t flags, uint16_t at)
{
	return (flags & VRING_PACKED_DESC_F_BOTH) ==
		(at & q->num ? VRING_DESC_F_USED : VRING_DESC_F_AVAIL);
}

/*
 * virtq_begin() - take the positions from base, used ring and record, and look that the ring is in
 * guest memory. Return: 0 or -EPROTO.
 */
static int virtq_begin(struct virtq *q)
{
	struct vring_packed_desc *ring;
	struct vring_used *used;
	uint16_t unfinished, at;
	struct iovec v;
	bool again;

	if (view_iov(q->view, q->packed ? q->desc : q->used,
		    q->packed ? VRING_DESC_BYTES(q->num) : VRING_USED_BYTES(q->num), &v, 1) != 1)
		return virtq_bad(q, "ring is not in shared memory");
	if (q->packed) {
		q->next_avail = packed_count(q, (uint16_t)q->base);
		q->next_used = packed_count(q, (uint16_t)(q->base >> 16));
		at = inflight_packed_position(q->inflight, q->num, q->next_used);
		ring = v.iov_base;
		again = inflight_packed_begin(q->inflight, q->num,
			!packed_available(q, LOAD(ring[at & (q->num - 1u)].flags), at),
			&q->next_used, &unfinished);
	} else {
		used = v.iov_base;
		q->next_avail = (uint16_t)q->base;
		q->next_used = LOAD(used->idx);
		again = inflight_begin(q->inflight, q->num, q->next_used, &unfinished);
	}
	if (again) {
		q->next_avail = (uint16_t)(q->next_used + unfinished);
		q->pushed = 1; /* perhaps, and the driver was not told */
	}
	return 0;
}

int virtq_start(struct virtq *q, uint64_t features)
{
	assert(!q->in_flight);
	q->packed = features & VIRTIO_F_RING_PACKED;
	q->event_idx = features & VIRTIO_F_EVENT_IDX;
	q->indirect = features & VIRTIO_F_INDIRECT_DESC;
	q->told = q->quiet = false;
	q->pushed = 0;
	if (!q->num || q->num > VIRTQ_NUM_MAX || (q->num & (q->num - 1u)))
		return virtq_bad(q, "size is not a power of two up to 1024");
	if (q->desc.v % 16 || q->avail.v % (q->packed ? 4 : 2) || q->used.v % 4)
		return virtq_bad(q, "ring is misaligned (spec 2.7, 2.8.10.1)");
	if (virtq_begin(q) < 0)
		return -EPROTO;
	q->running = true;
	return 0;
}

void virtq_stop(struct virtq *q)
{
	assert(!q->in_flight);
	q->running = false;
	q->base = q->next_avail;
	if (q->packed)
		q->base = packed_position(q, q->next_avail) |
			(uint32_t)packed_position(q, q->next_used) << 16;
}

/* A walk along one chain: where it is, in the ring or in the indirect table behind it. */
struct walk {
	gpa_t table;
	uint32_t bytes; /* of the table */
	uint32_t left;  /* descriptors that the chain may still have */
	uint16_t at;
	uint16_t flags;  /* packed: of the first descriptor; they said that it is available */
	uint8_t nesting; /* tables that were entered */
	bool chained;    /* the descriptor that names the table has a next one */
	bool again;      /* packed: descriptors come from the record */
	bool ended;
};

/*
 * split_take() - where the next chain begins (spec 2.7.13). If there is none the driver is asked
 * for a kick, and then looked for once more: one that came in between is not announced.
 * Return: 1, 0 if there is none, or -EPROTO.
 */
static int split_take(struct virtq *q, struct walk *w)
{
	struct inflight *f = q->inflight;
	struct vring_avail *avail;
	struct vring_used *used;
	struct iovec v[2];
	uint16_t idx;

	if (view_iov(q->view, q->avail, VRING_AVAIL_BYTES(q->num), &v[0], 1) != 1 ||
		view_iov(q->view, q->used, VRING_USED_BYTES(q->num), &v[1], 1) != 1)
		return virtq_bad(q, "ring is not in shared memory");
	avail = v[0].iov_base;
	used = v[1].iov_base;
	idx = LOAD(avail->idx);
	if (idx == q->next_avail) {
		if (q->event_idx)
			STORE(*VRING_AVAIL_EVENT(used, q->num), q->next_avail);
		else
			STORE(used->flags, 0);
		q->quiet = false;
		/* The wish must be visible before the last look, or a kick is lost. */
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
		idx = LOAD(avail->idx);
		if (idx == q->next_avail)
			return 0;
	}
	if ((uint16_t)(idx - q->next_avail) > q->num)
		return virtq_bad(q, "available index jumps (spec 2.7.13)");
	if (!q->event_idx && !q->quiet) {
		STORE(used->flags, VRING_USED_F_NO_NOTIFY);
		q->quiet = true;
	}
	w->at = LOAD(avail->ring[q->next_avail & (q->num - 1u)]);
	if (f && f->split && w->at < q->num) {
		struct vhost_user_inflight_desc *d = &f->split->desc[w->at];

		if (LOAD(d->inflight))
			return virtq_bad(q, "chain that is in flight already");
		STORE(d->counter, f->counter++);
		STORE(d->inflight, 1);
	}
	return 1;
}

/* packed_ask() - store both fields of the device's area at once. */
static void packed_ask(uint32_t *area, const struct vring_packed_event *event)
{
	uint32_t word;

	memcpy(&word, event, sizeof(word));
	STORE(*area, word);
}

/* packed_take() - the same for packed rings (spec 2.8.1, 2.8.21). */
static int packed_take(struct virtq *q, struct walk *w)
{
	struct vring_packed_event event = {.off_wrap = packed_position(q, q->next_avail),
		.flags = q->event_idx ? VRING_PACKED_EVENT_DESC : VRING_PACKED_EVENT_ENABLE};
	struct vring_packed_desc *desc;
	struct iovec v[2];

	if (view_iov(q->view, q->desc, VRING_DESC_BYTES(q->num), &v[0], 1) != 1 ||
		view_iov(q->view, q->used, sizeof(event), &v[1], 1) != 1)
		return virtq_bad(q, "ring is not in shared memory");
	w->at = (uint16_t)(q->next_avail & (q->num - 1u));
	desc = (struct vring_packed_desc *)v[0].iov_base + w->at;
	w->flags = LOAD(desc->flags);
	if (!packed_available(q, w->flags, q->next_avail)) {
		packed_ask(v[1].iov_base, &event);
		q->quiet = false;
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
		w->flags = LOAD(desc->flags);
		if (!packed_available(q, w->flags, q->next_avail))
			return 0;
	}
	if ((uint16_t)(q->next_avail - q->next_used) >= q->num)
		return virtq_bad(q, "descriptor that is in flight already is available again");
	if (!q->event_idx && !q->quiet) {
		event.flags = VRING_PACKED_EVENT_DISABLE;
		packed_ask(v[1].iov_base, &event);
		q->quiet = true;
	}
	return 1;
}

/*
 * packed_fetch() - bring a descriptor of a packed ring, or of a table there, into the form of a
 * split one, and note it in the record. Return: NULL or what is wrong.
 */
static const char *packed_fetch(
	const struct virtq *q, struct walk *w, struct vring_desc *d, struct chain_head *head)
{
	struct vhost_user_inflight_packed_desc p = {
		.addr = d->addr, .len = d->len, .id = d->flags, .flags = d->next};
	struct inflight *f = q->inflight;

	if (w->nesting) { /* the table is the chain; flags but WRITE are reserved (spec 2.8.7) */
		d->next = (uint16_t)(w->at + 1);
		d->flags = p.flags & VRING_DESC_F_WRITE;
		if (d->next < w->bytes / sizeof(*d))
			d->flags = (uint16_t)(d->flags | VRING_DESC_F_NEXT);
		return NULL;
	}
	if (w->again)
		p = inflight_packed_get(f, w->at);
	else if (!head->slots)
		p.flags = w->flags;
	if ((p.flags & VRING_DESC_F_INDIRECT) && head->slots)
		return "indirect descriptor in a list (spec 2.8.19)";
	if (!w->again && f && f->packed && !inflight_packed_add(f, head, &p))
		return "more descriptors than the record has";
	d->addr = p.addr;
	d->len = p.len;
	d->flags = p.flags;
	d->next = w->again ? p.next : (uint16_t)((w->at + 1u) & (q->num - 1u));
	head->id = p.id; /* the last one counts (spec 2.8.6) */
	head->slots++;
	return NULL;
}

/*
 * virtq_walk() - collect descriptors of a chain until it ends, or until it goes on in an indirect
 * table, where the next call takes it up. Return: NULL or what is wrong.
 */
static const char *virtq_walk(const struct virtq *q, struct walk *w, struct chain *c)
{
	const char *wrong = NULL;
	struct vring_desc d;
	struct iovec v;

	if (w->nesting && (!q->indirect || w->nesting > 1))
		return "indirect descriptor in a table, or not negotiated (spec 2.7.5.3.1)";
	if (w->nesting && w->chained)
		return "indirect descriptor with next (spec 2.7.5.3.1)";
	if (!w->bytes || w->bytes % sizeof(d) || w->bytes / sizeof(d) > q->num)
		return "indirect table of broken size (spec 2.7.5.3)";
	if (view_iov(q->view, w->table, w->bytes, &v, 1) != 1)
		return "descriptors are not in shared memory";
	do {
		unsigned int have = c->n_out + c->n_in;
		int n;

		if (w->at >= w->bytes / sizeof(d))
			return "descriptor index out of range";
		if (!w->left--)
			return "chain longer than the queue, or looped (spec 2.7.5.3.1, 2.8.17)";
		memcpy(&d, (const uint8_t *)v.iov_base + sizeof(d) * w->at, sizeof(d));
		/* The copy is what counts: the compiler must not go back to guest memory. */
		__asm__ volatile("" : : "r"(&d) : "memory");
		if (q->packed && (wrong = packed_fetch(q, w, &d, &c->head)))
			return wrong;
		if (d.flags & VRING_DESC_F_INDIRECT) {
			*w = (struct walk){.table = gpa_of(d.addr),
				.bytes = d.len,
				.left = w->left + 1, /* the one that names the table is no buffer */
				.nesting = (uint8_t)(w->nesting + 1),
				.chained = d.flags & VRING_DESC_F_NEXT};
			return NULL;
		}
		if (!(d.flags & VRING_DESC_F_WRITE) && c->n_in)
			return "readable buffer after a writable one (spec 2.7.4.2, 2.8.17)";
		if (c->out_len + c->in_len + d.len > GIB(4))
			return "chain longer than 4 GiB (spec 2.7.5)";
		n = view_iov(q->view, gpa_of(d.addr), d.len, &c->iov[have], VIRTQ_CHAIN_MAX - have);
		if (n < 0)
			return n == -E2BIG ? "chain of too many segments"
					   : "buffer empty or not in shared memory";
		if (d.flags & VRING_DESC_F_WRITE) {
			c->n_in = (uint16_t)(c->n_in + n);
			c->in_len += d.len;
		} else {
			c->n_out = (uint16_t)(c->n_out + n);
			c->out_len += d.len;
		}
		w->at = d.next;
	} while (d.flags & VRING_DESC_F_NEXT);
	w->ended = true;
	return NULL;
}

int virtq_pop(struct virtq *q, struct chain *c)
{
	struct walk w = {.table = q->desc, .bytes = VRING_DESC_BYTES(q->num), .left = q->num};
	bool again = inflight_left(q->inflight);
	const char *wrong;
	int got;

	if (*q->broken)
		return -EPROTO;
	if (!q->running)
		return 0;
	if (again)
		got = inflight_next(q->inflight, &w.at);
	else
		got = q->packed ? packed_take(q, &w) : split_take(q, &w);
	if (got <= 0)
		return got;
	if (q->in_flight >= q->num)
		return virtq_bad(q, "more chains in flight than the queue has descriptors");
	w.again = again && q->packed;
	c->head = (struct chain_head){.id = w.at, .slots = !q->packed, .entry = w.at};
	c->n_out = c->n_in = 0;
	c->out_len = c->in_len = 0;
	do
		wrong = virtq_walk(q, &w, c);
	while (!wrong && !w.ended);
	if (wrong)
		return virtq_bad(q, wrong);
	if (!again) {
		q->next_avail = (uint16_t)(q->next_avail + c->head.slots);
		if (q->packed && (uint16_t)(q->next_avail - q->next_used) > q->num)
			return virtq_bad(q, "list that reaches into descriptors in flight");
		if (q->packed)
			inflight_packed_taken(q->inflight, &c->head);
	}
	q->in_flight++;
	queue_stats_take(q->stats, c->head.id);
	return 1;
}

void virtq_unpop(struct virtq *q, struct chain_head head)
{
	assert(q->in_flight);
	if (!inflight_undo(q->inflight, q->packed ? head.entry : head.id))
		q->next_avail = (uint16_t)(q->next_avail - head.slots);
	q->in_flight--;
}

/* packed_wanted() - does the driver want to hear of the last entries (spec 2.8.10)? */
static bool packed_wanted(const struct virtq *q, const uint32_t *area, uint32_t pushed)
{
	uint32_t word = LOAD(*area); /* both fields at once */
	struct vring_packed_event event;
	uint16_t behind;

	memcpy(&event, &word, sizeof(event));
	if ((event.flags & VRING_PACKED_EVENT_MASK) != VRING_PACKED_EVENT_DESC)
		return !(event.flags & VRING_PACKED_EVENT_DISABLE);
	behind = (uint16_t)(q->next_used - packed_count(q, event.off_wrap) - 1);
	return (behind & (2u * q->num - 1)) < pushed;
}

/* packed_put() - write used descriptors, the first one's flags last (spec 2.8.9). */
static void packed_put(struct virtq *q, struct vring_packed_desc *ring,
	const struct virtq_done *done, unsigned int n)
{
	uint16_t at = q->next_used, first = 0;

	inflight_packed_put(q->inflight, done, n);
	for (unsigned int i = 0; i < n; i++) {
		struct vring_packed_desc *d = &ring[at & (q->num - 1u)];
		uint16_t flags = at & q->num ? 0 : VRING_PACKED_DESC_F_BOTH;

		if (done[i].written)
			flags |= VRING_DESC_F_WRITE;
		d->id = done[i].head.id;
		d->len = done[i].written;
		if (i)
			STORE(d->flags, flags);
		else
			first = flags;
		at = (uint16_t)(at + done[i].head.slots);
	}
	STORE(ring[q->next_used & (q->num - 1u)].flags, first);
	q->pushed += (uint16_t)(at - q->next_used);
	q->next_used = at;
	inflight_packed_done(q->inflight, done, n);
	for (unsigned int i = 0; i < n; i++)
		queue_stats_finish(q->stats, done[i].head.id);
}

void virtq_push_all(struct virtq *q, const struct virtq_done *done, unsigned int n)
{
	struct vhost_user_inflight_queue *record = q->inflight ? q->inflight->split : NULL;
	struct vring_used *used;
	struct iovec v;

	assert(q->in_flight >= n);
	q->in_flight -= n;
	if (*q->broken || !n)
		return;
	if (view_iov(q->view, q->packed ? q->desc : q->used,
		    q->packed ? VRING_DESC_BYTES(q->num) : VRING_USED_BYTES(q->num), &v, 1) != 1) {
		virtq_break(q, "used ring is not in shared memory");
		return;
	}
	if (q->packed) {
		packed_put(q, v.iov_base, done, n);
		return;
	}
	used = v.iov_base;
	for (unsigned int i = 0; i < n; i++) {
		used->ring[(q->next_used + i) & (q->num - 1u)] =
			(struct vring_used_elem){done[i].head.id, done[i].written};
		if (record) {
			STORE(record->desc[done[i].head.id].next, LOAD(record->last_batch_head));
			STORE(record->last_batch_head, done[i].head.id);
		}
	}
	q->next_used = (uint16_t)(q->next_used + n);
	q->pushed += n;
	/* The entries, and the data before them, are there when the index says so. */
	STORE(used->idx, q->next_used);
	for (unsigned int i = 0; i < n; i++) {
		queue_stats_finish(q->stats, done[i].head.id);
		if (record)
			STORE(record->desc[done[i].head.id].inflight, 0);
	}
	if (record)
		STORE(record->used_idx, q->next_used);
}

void virtq_notify(struct virtq *q)
{
	uint32_t pushed = q->pushed;
	struct iovec v;
	bool wanted;

	q->pushed = 0;
	if (!pushed || *q->broken || !q->running)
		return;
	/* What was pushed must be visible before we look: the driver does it the other way around.
	 */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (view_iov(q->view, q->avail,
		    q->packed ? sizeof(struct vring_packed_event) : VRING_AVAIL_BYTES(q->num), &v,
		    1) != 1) {
		virtq_break(q, "driver's area is not in shared memory");
		return;
	}
	if (q->packed) {
		wanted = packed_wanted(q, v.iov_base, pushed);
	} else if (q->event_idx) { /* spec 2.7.7.2: is the entry that it named among the new ones?
				    */
		uint16_t event = LOAD(*VRING_USED_EVENT(v.iov_base, q->num));

		wanted = (uint16_t)(q->next_used - event - 1) < pushed;
	} else {
		struct vring_avail *avail = v.iov_base;

		wanted = !(LOAD(avail->flags) & VRING_AVAIL_F_NO_INTERRUPT);
	}
	wanted |= q->event_idx && !q->told;
	q->told = true;
	if (wanted)
		queue_stats_call(q->stats);
	if (wanted && q->call_fd >= 0 && eventfd_write(q->call_fd, 1) < 0)
		log_limited(LOG_WARN, q->tag, "queue %u: call: %s", q->index, strerror(errno));
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
	__asm__ volatile("" : : "r"(dst) : "memory"); /* one fetch: only */
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
