/* SPDX-License-Identifier: Apache-2.0 */
/*
 * struct inflight: the record of one ring's chains in flight, in memory that outlives this process
 * (devices/wire/vhost_user_inflight.h). virtq.c marks chains in it; this is what a successor does.
 * What is particular to packed rings is in inflight_packed.h.
 * When the process dies at any point, the next one
 * finds in it every chain that was taken and not given back, and takes them again in their order.
 *
 * Invariants:
 * 1. A chain is marked before anything is done for it, and cleared only when the driver can see
 *    that it is finished.
 * 2. The content was perhaps written by a process gone wild: no number in it is trusted, and the
 *    worst that can come of it is that chains are lost or done twice.
 * Without a record (NULL) or its memory (both pointers NULL) nothing is recorded. Threads: one.
 */
#ifndef DEVICES_BACK_INFLIGHT_H
#define DEVICES_BACK_INFLIGHT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vhost_user_inflight_packed;
struct vhost_user_inflight_queue;

struct inflight {
	/* Shared; at most one of them is not NULL. */
	struct vhost_user_inflight_queue *split;
	struct vhost_user_inflight_packed *packed;
	uint16_t num;              /* entries of the ring */
	uint64_t counter;          /* of the next chain to be taken */
	uint64_t again, again_end; /* counters of chains of the dead that are still to be taken */
};

/* inflight_bytes() - Return: the size of the record of a ring of num entries. */
size_t inflight_bytes(uint16_t num);

/*
 * inflight_begin() - a ring of num entries starts; its used index is `used`.
 * Return: true if it goes on after a process that died; *n is the number of chains in flight.
 */
bool inflight_begin(struct inflight *f, uint16_t num, uint16_t used, uint16_t *n);

/*
 * inflight_next() - take the next chain of the dead.
 * Return: false if there is none left, else its number in the record: the head of a split chain.
 */
bool inflight_next(struct inflight *f, uint16_t *number);

/* inflight_left() - Return: true if chains of the dead are left. */
static inline bool inflight_left(const struct inflight *f)
{
	return f && f->again != f->again_end;
}

/*
 * inflight_undo() - the chain taken last, which has that number, is given back untouched.
 * Return: true if it is one of the dead's, which inflight_next() will give again.
 */
bool inflight_undo(struct inflight *f, uint16_t number);

#endif
