/* SPDX-License-Identifier: Apache-2.0 */
/*
 * struct inflight_store: the memory of a device's records of chains in flight. A fresh one is
 * offered to the front end (GET_INFLIGHT_FD), which keeps it and gives it, or the one of a process
 * that died, before the queues start (SET_INFLIGHT_FD).
 */
#ifndef DEVICES_BACK_INFLIGHT_STORE_H
#define DEVICES_BACK_INFLIGHT_STORE_H

#include "base/err.h"
#include "devices/wire/vhost_user.h"
#include "memory/shared_area.h"

struct vhost_user_inflight_packed;
struct vhost_user_inflight_queue;

struct inflight_store {
	int fresh_fd;
	uint16_t max_queues, max_size;
	struct shared_area fresh, used;
	uint16_t n_queues, queue_size; /* of `used` */
};

/* inflight_store_init() - for up to n_queues of up to queue_size entries. Return: 0 or -errno. */
int inflight_store_init(
	struct inflight_store *s, uint16_t n_queues, uint16_t queue_size, struct err *e) MUST_CHECK;

/* inflight_store_fini() - Pair of the above; allowed after its failure. */
void inflight_store_fini(struct inflight_store *s);

/*
 * inflight_store_offer() - a fresh record for m->num_queues of m->queue_size entries; m says where.
 * Return: its descriptor, which stays the store's, or -errno.
 */
int inflight_store_offer(
	struct inflight_store *s, struct vhost_user_inflight *m, struct err *e) MUST_CHECK;

/* inflight_store_take() - use the record in fd, which stays the caller's. Return: 0 or -errno. */
int inflight_store_take(struct inflight_store *s, const struct vhost_user_inflight *m, int fd,
	struct err *e) MUST_CHECK;

/* inflight_store_split() - Return: the record of a ring of num entries, NULL if none was given. */
struct vhost_user_inflight_queue *inflight_store_split(
	const struct inflight_store *s, uint16_t index, uint16_t num);

/* inflight_store_packed() - the same for packed rings. */
struct vhost_user_inflight_packed *inflight_store_packed(
	const struct inflight_store *s, uint16_t index, uint16_t num);

#endif
