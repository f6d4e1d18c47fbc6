/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The record of chains in flight; see devices/back/inflight.h. Stores that must not change places
 * are release stores: what a killed process had stored stays, and nothing later than it.
 */
#include "devices/back/inflight.h"

#include "base/num.h"
#include "devices/back/inflight_packed.h"
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
	struct vhost_user_inflight_queue *q = f->split;
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
	q = f->split;
	*f = (struct inflight){.split = q, .num = num};
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

/* A chain of either kind of record. */
static bool chain_in_flight(const struct inflight *f, uint16_t i)
{
	return f->packed ? LOAD(f->packed->desc[i].inflight) : LOAD(f->split->desc[i].inflight);
}

static uint64_t chain_counter(const struct inflight *f, uint16_t i)
{
	return f->packed ? LOAD(f->packed->desc[i].counter) : LOAD(f->split->desc[i].counter);
}

bool inflight_next(struct inflight *f, uint16_t *number)
{
	uint64_t best = f->again_end;

	if (!inflight_left(f))
		return false;
	for (uint16_t i = 0; i < f->num; i++) {
		uint64_t counter = chain_counter(f, i);

		if (!chain_in_flight(f, i) || counter < f->again || counter >= best)
			continue;
		best = counter;
		*number = i;
	}
	f->again = best == f->again_end ? best : best + 1;
	return best != f->again_end;
}

bool inflight_undo(struct inflight *f, uint16_t number)
{
	if (!f || (!f->split && !f->packed) || number >= f->num)
		return false;
	if (chain_counter(f, number) < f->again_end) {
		f->again = chain_counter(f, number);
		return true;
	}
	if (f->packed)
		inflight_packed_untake(f, number);
	else
		STORE(f->split->desc[number].inflight, 0);
	return false;
}
