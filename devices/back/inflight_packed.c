/* SPDX-License-Identifier: Apache-2.0 */
/* The record for packed rings; see devices/back/inflight_packed.h. */
#include "devices/back/inflight_packed.h"

#include "devices/back/virtq.h"
#include "devices/wire/vhost_user_inflight.h"

#include <string.h>

#define STORE(to, value) __atomic_store_n(&(to), (value), __ATOMIC_RELEASE)
#define LOAD(from)       __atomic_load_n(&(from), __ATOMIC_ACQUIRE)

size_t inflight_packed_bytes(uint16_t num)
{
	size_t len = sizeof(struct vhost_user_inflight_packed) +
		num * sizeof(struct vhost_user_inflight_packed_desc);

	return (size_t)align_up(len, VHOST_USER_INFLIGHT_ALIGN);
}

/* A used position, counted as in virtq.h modulo 2 * num, in the fields of the record. */
static uint16_t record_used(const struct inflight *f)
{
	const struct vhost_user_inflight_packed *r = f->packed;

	return (uint16_t)((LOAD(r->used_idx) & (f->num - 1u)) |
		(LOAD(r->used_wrap_counter) ? 0 : f->num));
}

static void record_set_used(struct inflight *f, uint16_t used)
{
	STORE(f->packed->used_idx, (uint16_t)(used & (f->num - 1u)));
	STORE(f->packed->used_wrap_counter, !(used & f->num));
}

/* record_complete() - what the record says now is what a successor goes on with. */
static void record_complete(struct inflight *f)
{
	STORE(f->packed->complete, LOAD(f->packed->free_head) | (uint32_t)record_used(f) << 16);
}

/* record_make() - a fresh record; all entries are free. */
static void record_make(struct inflight *f, uint16_t used)
{
	struct vhost_user_inflight_packed *r = f->packed;

	memset(r, 0, inflight_packed_bytes(f->num));
	r->desc_num = f->num;
	for (uint16_t i = 0; i < f->num; i++)
		r->desc[i].next = (uint16_t)(i + 1);
	record_set_used(f, used);
	record_complete(f);
	STORE(r->version, VHOST_USER_INFLIGHT_VERSION);
}

/* record_relink() - make a list of all entries that no chain in flight has. */
static void record_relink(struct inflight *f)
{
	struct vhost_user_inflight_packed *r = f->packed;
	uint16_t free_head = f->num;
	bool taken[VIRTQ_NUM_MAX] = {false};

	for (uint16_t i = 0; i < f->num; i++) {
		uint16_t left = LOAD(r->desc[i].inflight) ? LOAD(r->desc[i].num) : 0;

		for (uint16_t at = i; left && at < f->num; left--) {
			taken[at] = true;
			at = LOAD(r->desc[at].next);
		}
	}
	for (uint16_t i = f->num; i-- > 0;) {
		if (taken[i])
			continue;
		STORE(r->desc[i].next, free_head);
		free_head = i;
	}
	STORE(r->free_head, free_head);
	record_complete(f);
}

/* record_mend() - finish the last batch if the driver was told of it, else undo it. */
static void record_mend(struct inflight *f, bool announced)
{
	struct vhost_user_inflight_packed *r = f->packed;
	uint32_t complete = LOAD(r->complete);
	uint16_t entry;

	if (record_used(f) != complete >> 16 && announced) {
		record_complete(f);
	} else {
		STORE(r->free_head, (uint16_t)complete);
		record_set_used(f, (uint16_t)(complete >> 16));
	}
	entry = LOAD(r->free_head);
	for (uint16_t i = 0; i < f->num && entry < f->num; i++) {
		STORE(r->desc[entry].inflight, 0);
		entry = LOAD(r->desc[entry].next);
	}
	record_relink(f);
}

static bool record_is_used(const struct vhost_user_inflight_packed *r, uint16_t num)
{
	return r && LOAD(r->version) == VHOST_USER_INFLIGHT_VERSION && LOAD(r->desc_num) == num;
}

uint16_t inflight_packed_position(const struct inflight *f, uint16_t num, uint16_t used)
{
	if (!f || !record_is_used(f->packed, num))
		return used;
	return (uint16_t)(LOAD(f->packed->complete) >> 16);
}

bool inflight_packed_begin(
	struct inflight *f, uint16_t num, bool announced, uint16_t *used, uint16_t *slots)
{
	struct vhost_user_inflight_packed *r;

	*slots = 0;
	if (!f)
		return false;
	r = f->packed;
	*f = (struct inflight){.packed = r, .num = num};
	if (!r)
		return false;
	if (!record_is_used(r, num)) {
		record_make(f, *used);
		return false;
	}
	record_mend(f, announced);
	*used = record_used(f);
	for (uint16_t i = 0; i < num; i++) {
		uint64_t counter = LOAD(r->desc[i].counter);

		if (!LOAD(r->desc[i].inflight))
			continue;
		*slots = (uint16_t)(*slots + LOAD(r->desc[i].num));
		f->counter = max_u64(f->counter, counter + 1);
	}
	f->again_end = f->counter;
	return true;
}

bool inflight_packed_add(struct inflight *f, struct chain_head *head,
	const struct vhost_user_inflight_packed_desc *d)
{
	struct vhost_user_inflight_packed *r = f->packed;
	uint16_t entry = LOAD(r->free_head);

	if (entry >= f->num)
		return false;
	if (!head->slots) {
		head->entry = entry;
		STORE(r->desc[entry].num, 0);
	}
	r->desc[entry].id = d->id;
	r->desc[entry].flags = d->flags;
	r->desc[entry].len = d->len;
	r->desc[entry].addr = d->addr;
	STORE(r->desc[head->entry].last, entry);
	STORE(r->desc[head->entry].num, (uint16_t)(head->slots + 1));
	STORE(r->free_head, LOAD(r->desc[entry].next));
	return true;
}

void inflight_packed_taken(struct inflight *f, const struct chain_head *head)
{
	struct vhost_user_inflight_packed *r = f ? f->packed : NULL;

	if (!r)
		return;
	STORE(r->desc[head->entry].counter, f->counter++);
	STORE(r->desc[head->entry].inflight, 1);
	record_complete(f);
}

void inflight_packed_untake(struct inflight *f, uint16_t entry)
{
	struct vhost_user_inflight_packed *r = f->packed;
	uint16_t last = LOAD(r->desc[entry].last);

	STORE(r->desc[entry].inflight, 0);
	if (last >= f->num)
		return;
	STORE(r->desc[last].next, LOAD(r->free_head));
	STORE(r->free_head, entry);
	record_complete(f);
}

struct vhost_user_inflight_packed_desc inflight_packed_get(const struct inflight *f, uint16_t entry)
{
	struct vhost_user_inflight_packed_desc d = {0};

	if (entry < f->num)
		memcpy(&d, &f->packed->desc[entry], sizeof(d));
	return d;
}

void inflight_packed_put(struct inflight *f, const struct virtq_done *done, unsigned int n)
{
	struct vhost_user_inflight_packed *r = f ? f->packed : NULL;
	uint16_t used;

	if (!r)
		return;
	used = record_used(f);
	for (unsigned int i = 0; i < n; i++) {
		uint16_t last = LOAD(r->desc[done[i].head.entry].last);

		used = (uint16_t)(used + done[i].head.slots);
		if (last >= f->num)
			continue;
		STORE(r->desc[last].next, LOAD(r->free_head));
		STORE(r->free_head, done[i].head.entry);
	}
	record_set_used(f, used);
}

void inflight_packed_done(struct inflight *f, const struct virtq_done *done, unsigned int n)
{
	struct vhost_user_inflight_packed *r = f ? f->packed : NULL;

	for (unsigned int i = 0; r && i < n; i++)
		STORE(r->desc[done[i].head.entry].inflight, 0);
	if (r)
		record_complete(f);
}
