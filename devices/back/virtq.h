/* SPDX-License-Identifier: Apache-2.0 */
/*
 * struct virtq: one virtqueue seen from the device; the only code that walks rings. Devices get
 * chains that are checked and copied. Split rings (spec 2.7) for now; what is particular to them
 * stays in virtq.c, behind these functions.
 *
 * Invariants:
 * 1. Each field of the driver's is fetched once (through the view) before it is checked and used.
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

/* The features that this file implements; every device offers them. */
#define VIRTQ_FEATURES (VIRTIO_F_INDIRECT_DESC | VIRTIO_F_EVENT_IDX)

struct virtq {
	/* Set by the owner (the vhost-user server) before virtq_start(); -1: no descriptor. */
	const struct view *view;
	const char *tag; /* for log lines */
	void *device;    /* the device's own struct */
	bool *broken;    /* one for all queues of a device */
	uint16_t index;
	uint16_t num;
	gpa_t desc, avail, used;
	int call_fd, err_fd;
	struct loop_source kick;
	struct inflight *inflight; /* the record of chains in flight; NULL: none */
	struct queue_stats *stats; /* NULL: nothing is counted */
	/* The queue's own. */
	bool running;
	bool event_idx, indirect;
	bool signalled_any;      /* signalled_used says something */
	bool pushed;             /* since the last virtq_notify() */
	uint16_t next_avail;     /* next entry of the available ring to take; the vring base */
	uint16_t next_used;      /* next entry of the used ring to fill */
	uint16_t signalled_used; /* next_used at the last look at the driver's used_event */
	uint32_t in_flight;      /* popped - pushed */
};

/* One request of the driver: n_out readable segments, then n_in writable ones. */
struct chain {
	uint16_t head; /* names the chain when it is pushed */
	uint16_t n_out, n_in;
	uint64_t out_len, in_len; /* bytes; their sum is at most 4 GiB */
	struct iovec iov[VIRTQ_CHAIN_MAX];
};

/* A finished chain: written says how many bytes of its writable part now hold data. */
struct virtq_done {
	uint16_t head;
	uint32_t written;
};

/*
 * virtq_start() - check size, addresses and ring state, and run from next_avail on, or from where
 * a process that died left off: virtq_pop() then gives its chains first.
 * @features: what the driver acknowledged
 * Return: 0, or -EPROTO and the queue is broken.
 */
int virtq_start(struct virtq *q, uint64_t features);

/* virtq_stop() - take no more chains; in_flight must be 0 (the device has drained). */
void virtq_stop(struct virtq *q);

/*
 * virtq_pop() - take the next chain.
 * Return: 1; 0 if there is none (or the queue doesn't run); -EPROTO if the queue is broken.
 */
int virtq_pop(struct virtq *q, struct chain *c) MUST_CHECK;

/* virtq_unpop() - give the chain popped last back; it will be popped (and read) again. */
void virtq_unpop(struct virtq *q);

/* virtq_push() - finish a chain. */
void virtq_push(struct virtq *q, uint16_t head, uint32_t written);

/* virtq_push_all() - finish n chains; the driver sees all of them or none. */
void virtq_push_all(struct virtq *q, const struct virtq_done *done, unsigned int n);

/* virtq_notify() - interrupt the driver if it wants that for what was pushed. After virtq_push().
 */
void virtq_notify(struct virtq *q);

/*
 * virtq_kicks() - tell the driver whether kicks are wanted. Off is a hint.
 * Return: true if on and chains are there that no kick will announce: pop again.
 */
bool virtq_kicks(struct virtq *q, bool on);

/* virtq_poke() - have the device's kicked() called again by the loop. */
void virtq_poke(struct virtq *q);

/* virtq_break() - the driver broke a rule: see invariant 3. */
void virtq_break(struct virtq *q, const char *why);

/* virtq_copy_out() - copy from offset off of the readable part to dst. Return: bytes copied. */
uint64_t virtq_copy_out(const struct chain *c, uint64_t off, void *dst, uint64_t len);

/* virtq_copy_in() - copy src to offset off of the writable part. Return: bytes copied. */
uint64_t virtq_copy_in(const struct chain *c, uint64_t off, const void *src, uint64_t len);

#endif
