/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The spawner's protocol: one request and one reply, each one message of a SOCK_SEQPACKET pair.
 *
 * A request carries descriptors in this order:
 *   1. the device's end of the vhost-user socket pair (SOCK_STREAM);
 *   2. the ledger for device processes, if SPAWN_LEDGER is set;
 *   3. the area of its counters (devices/wire/counters.h), if SPAWN_COUNTERS is set;
 *   4. the device's own: blk: the image; rng: the source; console: input, output;
 *      balloon: its struct balloon_state, an eventfd that says that it changed;
 *      mem: its struct mem_state, likewise an eventfd;
 *      net: a queue of the tap for each pair of queues;
 *      vsock: none: the spawner listens on `path` and dials (wire/vsock_dial.h).
 * They stay the requester's, who may close them once the reply is there. A reply of status 0
 * carries one descriptor, a pidfd of the device process: readable when that has ended.
 * When the requester's end of the pair is closed, the spawner and all its children end.
 */
#ifndef DEVICES_WIRE_SPAWN_H
#define DEVICES_WIRE_SPAWN_H

#include <assert.h>
#include <stdint.h>

#define SPAWN_MAGIC    0x77617073u /* "spaw" */
#define SPAWN_TAPS_MAX 16u         /* net: queue pairs of one device */
#define SPAWN_FDS_MAX  (3u + SPAWN_TAPS_MAX)
#define SPAWN_NAME_MAX 32u /* with the NUL */
#define SPAWN_PATH_MAX 108u

enum spawn_kind {
	SPAWN_BLK = 1,
	SPAWN_RNG,
	SPAWN_CONSOLE,
	SPAWN_NET,
	SPAWN_VSOCK,
	SPAWN_BALLOON,
	SPAWN_MEM
};

/* net: what a tap may leave to the guest, and the guest to it */
#define SPAWN_OFFLOAD_CSUM 0x1u /* partial checksums; the others need it */
#define SPAWN_OFFLOAD_TSO  0x2u
#define SPAWN_OFFLOAD_UFO  0x4u /* UDP: fragmentation and, where a tap knows it, segmentation */

/* flags */
#define SPAWN_LEDGER      0x1u /* a ledger descriptor comes along; else all memory counts as shared */
#define SPAWN_READ_ONLY   0x2u  /* blk: refuse writes */
#define SPAWN_BEST_EFFORT 0x8u  /* go on where a part of the jail can't be had, and log it */
#define SPAWN_COUNTERS    0x10u /* a descriptor for its counters comes along */
#define SPAWN_FLAGS       0x1bu

/* A token bucket (devices/back/token_bucket.h); all 0: no limit. */
struct spawn_limit {
	uint64_t size;           /* tokens in a full bucket */
	uint64_t one_time_burst; /* tokens beyond that, once */
	uint64_t refill_ms;      /* time in which `size` tokens come back */
};
static_assert(sizeof(struct spawn_limit) == 24, "spawn: limit");

struct spawn_limits {
	struct spawn_limit bytes, ops;
};
static_assert(sizeof(struct spawn_limits) == 48, "spawn: limits");

struct spawn_request {
	uint32_t magic;             /* SPAWN_MAGIC */
	uint16_t kind;              /* enum spawn_kind */
	uint16_t n_queues;          /* blk: 1 to 64; 0 means 1; net: two per tap, and one */
	uint32_t flags;             /* SPAWN_* */
	uint32_t log_level;         /* enum log_level */
	char name[SPAWN_NAME_MAX];  /* id for log lines, as "disk0"; ends with NUL */
	char serial[20];            /* blk: answer to GET_ID, padded with NUL */
	uint32_t cid;               /* vsock: the guest's */
	uint8_t mac[6];             /* net: the guest's address */
	uint16_t mtu;               /* net: 0: not told to the guest */
	struct spawn_limits limits; /* blk: all requests; net: each direction */
	char path[SPAWN_PATH_MAX];  /* vsock: of the socket to listen on; ends with NUL */
	uint32_t offloads;          /* net: SPAWN_OFFLOAD_* */
	uint64_t reserved;          /* 0 */
};
static_assert(sizeof(struct spawn_request) == 248, "spawn: request");

struct spawn_reply {
	int32_t status; /* 0 or negative errno */
	int32_t pid;
	char text[120]; /* why, if status is not 0; ends with NUL */
};
static_assert(sizeof(struct spawn_reply) == 128, "spawn: reply");

#endif
