/* SPDX-License-Identifier: Apache-2.0 */
/*
 * struct virtq: one virtqueue seen from the device; the only code that walks rings, split (spec
 * 2.7) or packed (spec 2.8). Devices get chains that are checked and copied, and can't tell which.
 *
 * Invariants:
 * 1. The parts of a ring are looked up in the view, and the ledger with it, in each call that uses
 *    them. A word of the driver's is fetched once, before it is checked and used.
 * 2. A popped chain has 1 to `num` buffers, all mapped and shared, readable ones first; it is
 *    pushed once or given back by virtq_unpop(); popped - pushed == in_flight.
 * 3. A ring that breaks the rules breaks the queue: it is logged, the err eventfd is signalled (see
 *    devices/wire/vhost_user.h), and no queue of the device gives or takes another chain.
 * 4. Size, addresses and features are fixed while the queue runs.
 * Threads: one. Nothing here allocates.
 */
#ifndef DEVICES_BACK_VIRTQ_H
#define DEVICES_BACK_VIRTQ_H

#include "base/loop.h"
#include "devices/wire/virtio.h"
#include "memory/view.h"

struct inflight;
struct queue_stats;

#define VIRTQ_NUM_MAX   1024u /* entries of a ring */
#define VIRTQ_CHAIN_MAX 128u  /* segments of a chain in this process's memory */

/* Implemented here, so every device offers them. */
#define VIRTQ_FEATURES (VIRTIO_F_INDIRECT_DESC | VIRTIO_F_EVENT_IDX | VIRTIO_F_RING_PACKED)

struct virtq {
	/* Set by the owner (the vhost-user server) before virtq_start(); -1: no descriptor. */
	const struct view *view;
	const char *tag;         /* for log lines */
	void *device;            /* the device's own struct */
	bool *broken;            /* one for all queues of a device */
	uint16_t index, num;     /* a power of two, for packed rings too */
	gpa_t desc, avail, used; /* packed: the ring, the driver's area, the device's area */
	int call_fd, err_fd;
	struct loop_source kick;
	struct inflight *inflight; /* the record of chains in flight; NULL: none */
	struct queue_stats *stats; /* NULL: nothing is counted */
	uint32_t base;             /* where to begin, and after virtq_stop() where to go on */
	/* The queue's own. */
	bool running, packed, event_idx, indirect;
	bool told;  /* the driver was interrupted once, or asked not to be */
	bool quiet; /* the driver was asked not to kick */
	/* Positions count on, modulo num it is the entry. Packed: wrap is 1 in the even laps. */
	uint16_t next_avail; /* next entry of the available ring to take */
	uint16_t next_used;  /* next entry of the used ring to fill */
	uint32_t pushed;     /* entries used since the last virtq_notify() */
	uint32_t in_flight;  /* popped - pushed */
};

/* What names a chain when it is pushed. */
struct chain_head {
	uint16_t id;    /* split: the first descriptor; packed: the driver's name for it */
	uint16_t slots; /* entries of the ring that it takes */
	uint16_t entry; /* packed: where the record has it */
};

/* One request of the driver: n_out readable segments, then n_in writable ones. */
struct chain {
	struct chain_head head;
	uint16_t n_out, n_in;
	uint64_t out_len, in_len; /* bytes; their sum is at most 4 GiB */
	struct iovec iov[VIRTQ_CHAIN_MAX];
};

/* A finished chain: written says how many bytes of its writable part now hold data. */
struct virtq_done {
	struct chain_head head;
	uint32_t written;
};

/*
 * virtq_start() - check size, addresses and ring state, and run from base on, or from where a
 * process that died left off: virtq_pop() then gives its chains first.
 * @features: what the driver acknowledged
 * Return: 0, or -EPROTO and the queue is broken.
 */
int virtq_start(struct virtq *q, uint64_t features);

/* virtq_stop() - take no more chains; the device has drained. */
void virtq_stop(struct virtq *q);

/*
 * virtq_pop() - take the next chain.
 * Return: 1; 0 if there is none (the driver will kick when there is) or the queue doesn't run;
 * -EPROTO if it is broken.
 */
int virtq_pop(struct virtq *q, struct chain *c) MUST_CHECK;

/* virtq_unpop() - give the chain popped last back; it will be popped (and read) again. */
void virtq_unpop(struct virtq *q, struct chain_head head);

/* virtq_push_all() - finish n chains; the driver sees all of them or none. */
void virtq_push_all(struct virtq *q, const struct virtq_done *done, unsigned int n);

/* virtq_push() - finish a chain. */
static inline void virtq_push(struct virtq *q, struct chain_head head, uint32_t written)
{
	virtq_push_all(q, &(struct virtq_done){head, written}, 1);
}

/* virtq_notify() - after virtq_push(): interrupt the driver if it wants that. */
void virtq_notify(struct virtq *q);

/* virtq_poke() - have the device's kicked() called again by the loop. */
void virtq_poke(struct virtq *q);

/* virtq_break() - the driver broke a rule: see invariant 3. */
void virtq_break(struct virtq *q, const char *why);

/* Copy from offset off of the readable part, or to the writable one. Return: bytes copied. */
uint64_t virtq_copy_out(const struct chain *c, uint64_t off, void *dst, uint64_t len);
uint64_t virtq_copy_in(const struct chain *c, uint64_t off, const void *src, uint64_t len);

#endif
