/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The record of a packed ring's chains in flight: what struct inflight is for split rings, plus the
 * descriptors themselves, since used ones overwrite them in the ring. The invariants are those of
 * devices/back/inflight.h, and with no record all these do nothing. Threads: one.
 */
#ifndef DEVICES_BACK_INFLIGHT_PACKED_H
#define DEVICES_BACK_INFLIGHT_PACKED_H

#include "devices/back/inflight.h"

struct chain_head;
struct virtq_done;
struct vhost_user_inflight_packed_desc;

/* inflight_packed_bytes() - Return: the size of the record of a ring of num entries. */
size_t inflight_packed_bytes(uint16_t num);

/*
 * inflight_packed_position() - where the ring's next used entry was at the last complete change of
 * the record, counted as in virtq.h; `used` if there is no record yet.
 */
uint16_t inflight_packed_position(const struct inflight *f, uint16_t num, uint16_t used);

/*
 * inflight_packed_begin() - a ring of num entries starts.
 * @announced: the entry at that position is no longer available to us: a batch was announced
 * @used: the position of the next used entry; where a dead process has left off
 * @slots: entries of the ring that its chains in flight take
 * Return: true if it goes on after a process that died.
 */
bool inflight_packed_begin(
	struct inflight *f, uint16_t num, bool announced, uint16_t *used, uint16_t *slots);

/*
 * inflight_packed_add() - a descriptor (id, flags, len, addr of d) of the chain that is being
 * taken; slots of head counts those before it. Return: false if the record is full.
 */
bool inflight_packed_add(struct inflight *f, struct chain_head *head,
	const struct vhost_user_inflight_packed_desc *d);

/* inflight_packed_taken() - the chain is complete, and in flight from now on. */
void inflight_packed_taken(struct inflight *f, const struct chain_head *head);

/* inflight_packed_untake() - it is given back untouched. */
void inflight_packed_untake(struct inflight *f, uint16_t entry);

/*
 * inflight_packed_get() - a copy of a descriptor of the record; next is the entry behind it. Of an
 * entry that there is none of it is all zeros.
 */
struct vhost_user_inflight_packed_desc inflight_packed_get(
	const struct inflight *f, uint16_t entry);

/* inflight_packed_put() - a batch of chains will be announced by the store that follows. */
void inflight_packed_put(struct inflight *f, const struct virtq_done *done, unsigned int n);

/* inflight_packed_done() - the batch is announced. */
void inflight_packed_done(struct inflight *f, const struct virtq_done *done, unsigned int n);

#endif
