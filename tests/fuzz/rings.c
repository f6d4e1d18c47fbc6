/* SPDX-License-Identifier: Apache-2.0 */
/* The hostile driver; see tests/fuzz/rings.h. */
#include "tests/fuzz/rings.h"

#include "base/log.h"

#include <assert.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define BYTES (RINGS_PAGES * PAGE_SIZE)

int __real_view_iov(const struct view *v, gpa_t gpa, uint64_t len, struct iovec *iov, unsigned n);
int __wrap_view_iov(const struct view *v, gpa_t gpa, uint64_t len, struct iovec *iov, unsigned n);

static struct rings *running;

static void share(struct rings *r, unsigned int page, bool shared)
{
	uint8_t *byte = r->ledger + PAGE_SIZE + page / 8, bit = (uint8_t)(1u << page % 8);

	*byte = (uint8_t)(shared ? *byte | bit : *byte & ~bit);
}

static void rings_tick(struct rings *r)
{
	for (unsigned int i = 0; i < RINGS_LATER; i++) {
		struct rings_later *l = &r->later[i];

		if (!l->in || --l->in)
			continue;
		if (l->shares)
			share(r, l->data[0] / 2 % RINGS_PAGES, !(l->data[0] & 1));
		else
			memcpy(r->mem + l->off, l->data, l->len);
	}
}

int __wrap_view_iov(const struct view *v, gpa_t gpa, uint64_t len, struct iovec *iov, unsigned n)
{
	int rc = __real_view_iov(v, gpa, len, iov, n);

	if (running)
		rings_tick(running);
	return rc;
}

void rings_open(struct rings *r)
{
	const struct view_spec spec = {0, BYTES, 0, 0};
	const struct ledger_header header = {.magic = LEDGER_MAGIC, .n_pages = RINGS_PAGES};
	int mem = memfd_create("guest", 0), ledger = memfd_create("ledger", 0);
	struct err e = ERR_INIT;
	int rc = ftruncate(mem, BYTES) | ftruncate(ledger, 2 * PAGE_SIZE);

	log_set_level(LOG_ERROR);
	r->mem = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, mem, 0);
	r->ledger = mmap(NULL, 2 * PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, ledger, 0);
	assert(!rc && r->mem != MAP_FAILED && r->ledger != MAP_FAILED);
	memcpy(r->ledger, &header, sizeof(header));
	rc = view_init(&r->view, ledger, &e) | view_add(&r->view, &spec, mem, &e);
	assert(!rc);
	close(mem);
	close(ledger);
}

/* put_later() - note a change for later, if there is room. */
static void put_later(struct rings *r, struct bytes *in, bool shares)
{
	struct rings_later l = {.in = (uint8_t)(bytes_u8(in) % 32 + 1), .shares = shares};

	if (shares) {
		l.data[0] = bytes_u8(in);
	} else {
		l.len = bytes_u8(in) % sizeof(l.data);
		l.off = bytes_u16(in) % (BYTES - sizeof(l.data));
		bytes_copy(in, l.data, l.len);
	}
	for (unsigned int i = 0; i < RINGS_LATER && !in->failed; i++) {
		if (r->later[i].in)
			continue;
		r->later[i] = l;
		return;
	}
}

/* step() - run one record. Return: false at the end of the program. */
static bool step(struct rings *r, struct bytes *in)
{
	uint8_t kind = bytes_u8(in);
	uint16_t off;
	size_t len;

	if (in->failed)
		return false;
	if (kind >= 192) {
		r->device->ops->kicked(&r->q[kind % r->device->n_queues], 0);
	} else if (kind >= 128) {
		share(r, kind / 2 % RINGS_PAGES, !(kind & 1));
	} else if (kind >= 98) {
		off = bytes_u16(in);
		if (r->event)
			r->event(off);
	} else if (kind >= 96) {
		put_later(r, in, kind == 97);
	} else {
		off = bytes_u16(in) % BYTES;
		len = (size_t)min_u64(min_u64(kind, in->left), BYTES - off);
		bytes_copy(in, r->mem + off, len);
	}
	if (r->settle)
		r->settle();
	return true;
}

static void start_queue(struct rings *r, unsigned int i, uint8_t options)
{
	struct virtq *q = &r->q[i];
	bool packed = options & RINGS_PACKED;

	memset(r->records[i], options & RINGS_GARBAGE ? (int)(0x21 * i + 0x41) : 0,
		sizeof(r->records[i]));
	if (options & RINGS_GARBAGE) { /* with the right version and size */
		((uint16_t *)r->records[i])[4] = 1;
		((uint16_t *)r->records[i])[5] = RINGS_NUM;
	}
	r->inflight[i] = (struct inflight){0};
	if (options & RINGS_RECORD && packed)
		r->inflight[i].packed = (void *)r->records[i];
	else if (options & RINGS_RECORD)
		r->inflight[i].split = (void *)r->records[i];
	*q = (struct virtq){
		.view = &r->view,
		.tag = "fuzz",
		.device = r->device,
		.broken = &r->broken,
		.index = (uint16_t)i,
		.num = RINGS_NUM,
		.base = packed ? 0x80008000u : 0,
		.desc = gpa_of(i * PAGE_SIZE),
		.avail = gpa_of(i * PAGE_SIZE + 0x200),
		.used = gpa_of(i * PAGE_SIZE + 0x300),
		.call_fd = -1,
		.err_fd = -1,
		.kick = {.fd = -1},
		.inflight = &r->inflight[i],
	};
	if (virtq_start(q,
		    (options & RINGS_EVENT_IDX ? VIRTIO_F_EVENT_IDX : 0) |
			    (options & RINGS_INDIRECT ? VIRTIO_F_INDIRECT_DESC : 0) |
			    (packed ? VIRTIO_F_RING_PACKED : 0)) < 0)
		abort(); /* these are rings */
	r->device->ops->kicked(q, 0);
}

void rings_run(struct rings *r, uint8_t options, struct bytes *program)
{
	bool sane = !(options & RINGS_RECORD) || !(options & RINGS_GARBAGE);

	r->broken = false;
	memset(r->mem, 0, BYTES);
	memset(r->ledger + PAGE_SIZE, 0xff, RINGS_PAGES / 8);
	memset(r->later, 0, sizeof(r->later));
	running = r;
	for (unsigned int i = 0; i < r->device->n_queues; i++)
		start_queue(r, i, options);
	while (step(r, program) && !r->broken)
		continue;
	running = NULL;
	for (unsigned int i = 0; i < r->device->n_queues; i++) {
		struct virtq *q = &r->q[i];

		r->device->ops->drain(q);
		/* Every chain was used once or given back, unless the ring broke. */
		assert(!q->in_flight && (r->broken || !sane || q->next_used == q->next_avail));
		virtq_stop(q);
	}
	if (r->settle)
		r->settle();
}
