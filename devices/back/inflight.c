/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The record of chains in flight; see devices/back/inflight.h. Stores that must not change places
 * are release stores: what a killed process had stored stays, and nothing later than it.
 */
#include "devices/back/inflight.h"

#include "base/num.h"
#include "devices/wire/vhost_user_inflight.h"

#include <string.h>

#define STORE(to, value) __atomic_store_n(&(to), (value), __ATOMIC_RELEASE)
#define LOAD(from)       __atomic_load_n(&(from), __ATOMIC_ACQUIRE)

size_t inflight_bytes(uint16_t num)
{
	size_t len = sizeof(struct vhost_user_inflight_queue) +
		num * sizeof(struct vhost_user_inflight_desc);

	return (size_t)align_up(len, VHOST_USER_INFLIGHT_ALIGN);
}

/* inflight_finish() - the last batch was perhaps announced and not cleared: clear it. */
static void inflight_finish(struct inflight *f, uint16_t used)
{
	struct vhost_user_inflight_queue *q = f->queue;
	uint16_t batch = (uint16_t)(used - LOAD(q->used_idx)), head = LOAD(q->last_batch_head);

	for (uint16_t i = 0; i < batch && i < f->num && head < f->num; i++) {
		STORE(q->desc[head].inflight, 0);
		head = LOAD(q->desc[head].next);
	}
	STORE(q->used_idx, used);
}

bool inflight_begin(struct inflight *f, uint16_t num, uint16_t used, uint16_t *n)
{
	struct vhost_user_inflight_queue *q;

	*n = 0;
	if (!f)
		return false;
	q = f->queue;
	*f = (struct inflight){.queue = q, .num = num};
	if (!q)
		return false;
	if (LOAD(q->version) != VHOST_USER_INFLIGHT_VERSION || LOAD(q->desc_num) != num) {
		memset(q, 0, inflight_bytes(num));
		q->desc_num = num;
		q->used_idx = used;
		STORE(q->version, VHOST_USER_INFLIGHT_VERSION);
		return false;
	}
	inflight_finish(f, used);
	for (uint16_t i = 0; i < num; i++) {
		uint64_t counter = LOAD(q->desc[i].counter);

		if (!LOAD(q->desc[i].inflight))
			continue;
		(*n)++;
		f->counter = max_u64(f->counter, counter + 1);
	}
	f->again_end = f->counter;
	return true;
}

/*
 * inflight_find() - the chain in flight whose counter in [from, end) is the lowest, or the highest.
 * Return: its head, or f->num.
 */
static uint16_t inflight_find(const struct inflight *f, uint64_t from, uint64_t end, bool highest)
{
	uint16_t found = f->num;
	uint64_t best = 0;

	for (uint16_t i = 0; i < f->num; i++) {
		uint64_t counter = LOAD(f->queue->desc[i].counter);

		if (!LOAD(f->queue->desc[i].inflight) || counter < from || counter >= end)
			continue;
		if (found == f->num || (highest ? counter > best : counter < best)) {
			found = i;
			best = counter;
		}
	}
	return found;
}

bool inflight_next(struct inflight *f, uint16_t *head)
{
	if (!inflight_left(f))
		return false;
	*head = inflight_find(f, f->again, f->again_end, false);
	f->again = *head < f->num ? LOAD(f->queue->desc[*head].counter) + 1 : f->again_end;
	if (f->again > f->again_end)
		f->again = f->again_end;
	return *head < f->num;
}

bool inflight_add(struct inflight *f, uint16_t head)
{
	struct vhost_user_inflight_desc *d;

	if (!f || !f->queue)
		return true;
	d = &f->queue->desc[head];
	if (LOAD(d->inflight))
		return false;
	STORE(d->counter, f->counter++);
	STORE(d->inflight, 1);
	return true;
}

bool inflight_undo(struct inflight *f)
{
	uint16_t head;

	if (!f || !f->queue)
		return false;
	head = inflight_find(f, f->again_end, f->counter, true);
	if (head < f->num) {
		STORE(f->queue->desc[head].inflight, 0);
		return false;
	}
	head = inflight_find(f, 0, f->again, true);
	if (head == f->num)
		return false;
	f->again = LOAD(f->queue->desc[head].counter);
	return true;
}

void inflight_batch(struct inflight *f, uint16_t head)
{
	if (!f || !f->queue || head >= f->num)
		return;
	STORE(f->queue->desc[head].next, LOAD(f->queue->last_batch_head));
	STORE(f->queue->last_batch_head, head);
}

void inflight_clear(struct inflight *f, uint16_t head)
{
	if (f && f->queue && head < f->num)
		STORE(f->queue->desc[head].inflight, 0);
}

void inflight_commit(struct inflight *f, uint16_t used)
{
	if (f && f->queue)
		STORE(f->queue->used_idx, used);
}
