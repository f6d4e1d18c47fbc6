/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The record of chains in flight of vhost-user (INFLIGHT_SHMFD), for split rings: in memory that
 * the front end keeps when a back end dies. Each queue's part begins at a multiple of
 * VHOST_USER_INFLIGHT_ALIGN.
 */
#ifndef DEVICES_WIRE_VHOST_USER_INFLIGHT_H
#define DEVICES_WIRE_VHOST_USER_INFLIGHT_H

#include <assert.h>
#include <stdint.h>

#define VHOST_USER_INFLIGHT_VERSION 1u
#define VHOST_USER_INFLIGHT_ALIGN   64u

struct vhost_user_inflight_desc { /* of the chain whose head has this number */
	uint8_t inflight;
	uint8_t padding[5];
	uint16_t next;    /* head of the chain finished before it in the same batch */
	uint64_t counter; /* order in which chains were taken */
};
static_assert(sizeof(struct vhost_user_inflight_desc) == 16, "vhost-user: DescStateSplit");

struct vhost_user_inflight_queue {
	uint64_t features; /* unused */
	uint16_t version;  /* 0: the queue has not been started */
	uint16_t desc_num;
	uint16_t last_batch_head;
	uint16_t used_idx; /* of the ring, when the last batch was complete */
	struct vhost_user_inflight_desc desc[];
};
static_assert(sizeof(struct vhost_user_inflight_queue) == 16, "vhost-user: QueueRegionSplit");

#endif
