/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The record of chains in flight of vhost-user (INFLIGHT_SHMFD), for split and for packed
 * rings: in memory that the front end keeps when a back end dies. Each queue's part begins at a
 * multiple of VHOST_USER_INFLIGHT_ALIGN; both kinds have their version in the same place.
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

struct vhost_user_inflight_packed_desc { /* a descriptor of the ring, as it was fetched */
	uint8_t inflight;                /* this and the next four: of the first one of a chain */
	uint8_t padding;
	uint16_t next;    /* of the chain, or of the free ones */
	uint16_t last;    /* of the chain */
	uint16_t num;     /* descriptors of the chain */
	uint64_t counter; /* order in which chains were taken */
	uint16_t id;
	uint16_t flags;
	uint32_t len;
	uint64_t addr;
};
static_assert(sizeof(struct vhost_user_inflight_packed_desc) == 32, "vhost-user: DescStatePacked");

struct vhost_user_inflight_packed {
	uint64_t features; /* unused */
	uint16_t version;  /* 0: the queue has not been started */
	uint16_t desc_num;
	uint16_t free_head, old_free_head;
	uint16_t used_idx, old_used_idx; /* of the ring */
	uint8_t used_wrap_counter, old_used_wrap_counter;
	uint8_t padding[2];
	/*
	 * Ours, in place of the three old_ fields: free_head, and above it the used position, when
	 * the last change was complete. One word, so that no kill can come between its parts.
	 */
	uint32_t complete;
	uint8_t padding2[4];
	struct vhost_user_inflight_packed_desc desc[];
};
static_assert(sizeof(struct vhost_user_inflight_packed) == 32, "vhost-user: QueueRegionPacked");

#endif
