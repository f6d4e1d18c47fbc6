/* SPDX-License-Identifier: Apache-2.0 */
/* Payloads of vhost-user messages. Include devices/wire/vhost_user.h instead of this. */
#ifndef DEVICES_WIRE_VHOST_USER_PAYLOAD_H
#define DEVICES_WIRE_VHOST_USER_PAYLOAD_H

#include <assert.h>
#include <stdint.h>

#define VHOST_USER_TABLE_REGIONS 8u   /* regions of one SET_MEM_TABLE */
#define VHOST_USER_CONFIG_MAX    256u /* bytes of device configuration */

struct vhost_user_vring_state { /* SET_VRING_NUM, BASE, ENABLE; GET_VRING_BASE */
	uint32_t index;
	uint32_t num;
};
static_assert(sizeof(struct vhost_user_vring_state) == 8, "vhost-user: vring state");

struct vhost_user_vring_addr { /* SET_VRING_ADDR; addresses are front-end user addresses */
	uint32_t index;
	uint32_t flags; /* bit 0: log the used ring (not offered) */
	uint64_t desc;
	uint64_t used;
	uint64_t avail;
	uint64_t log;
};
static_assert(sizeof(struct vhost_user_vring_addr) == 40, "vhost-user: vring address");

struct vhost_user_region {
	uint64_t gpa;
	uint64_t size;
	uint64_t user_addr;   /* where the front end has it mapped */
	uint64_t mmap_offset; /* where it begins in the descriptor */
};
static_assert(sizeof(struct vhost_user_region) == 32, "vhost-user: memory region");

struct vhost_user_mem_table { /* SET_MEM_TABLE, one descriptor per region; size 8 + 32 * n */
	uint32_t n_regions;
	uint32_t padding;
	struct vhost_user_region regions[VHOST_USER_TABLE_REGIONS];
};
static_assert(sizeof(struct vhost_user_mem_table) == 264, "vhost-user: memory regions");

struct vhost_user_mem_reg { /* ADD_MEM_REG (one descriptor), REM_MEM_REG */
	uint64_t padding;
	struct vhost_user_region region;
};
static_assert(sizeof(struct vhost_user_mem_reg) == 40, "vhost-user: single memory region");

/*
 * GET_CONFIG, SET_CONFIG: size 12 + size of the payload. A GET_CONFIG that fails is answered with a
 * message of size 0.
 */
struct vhost_user_config {
	uint32_t offset;
	uint32_t size;
	uint32_t flags; /* 0: guest's write; 1: live migration */
	uint8_t bytes[VHOST_USER_CONFIG_MAX];
};
static_assert(sizeof(struct vhost_user_config) == 268, "vhost-user: configuration");

struct vhost_user_inflight { /* GET/SET_INFLIGHT_FD; size 20 or, padded, 24 */
	uint64_t mmap_size;
	uint64_t mmap_offset;
	uint16_t num_queues;
	uint16_t queue_size;
	uint32_t padding;
};
static_assert(sizeof(struct vhost_user_inflight) == 24, "vhost-user: inflight");

union vhost_user_payload {
	uint64_t u64;
	struct vhost_user_vring_state state;
	struct vhost_user_vring_addr addr;
	struct vhost_user_mem_table table;
	struct vhost_user_mem_reg region;
	struct vhost_user_config config;
	struct vhost_user_inflight inflight;
};

#endif
