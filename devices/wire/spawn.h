/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The spawner's protocol: one request and one reply, each one message of a SOCK_SEQPACKET pair.
 *
 * A request carries descriptors in this order:
 *   1. the device's end of the vhost-user socket pair (SOCK_STREAM);
 *   2. the ledger for device processes, if SPAWN_LEDGER is set;
 *   3. the device's own: blk: the image; rng: the source; console: input, output.
 * They stay the requester's, who may close them once the reply is there. A reply of status 0
 * carries one descriptor, a pidfd of the device process: readable when that has ended.
 * When the requester's end of the pair is closed, the spawner and all its children end.
 */
#ifndef DEVICES_WIRE_SPAWN_H
#define DEVICES_WIRE_SPAWN_H

#include <assert.h>
#include <stdint.h>

#define SPAWN_MAGIC    0x77617073u /* "spaw" */
#define SPAWN_FDS_MAX  4u
#define SPAWN_NAME_MAX 32u /* with the NUL */

enum spawn_kind { SPAWN_BLK = 1, SPAWN_RNG, SPAWN_CONSOLE };

/* flags */
#define SPAWN_LEDGER      0x1u /* a ledger descriptor comes along; else all memory counts as shared */
#define SPAWN_READ_ONLY   0x2u  /* blk: refuse writes */
#define SPAWN_DIRECT      0x4u  /* blk: the image was opened with O_DIRECT */
#define SPAWN_BEST_EFFORT 0x8u  /* go on where a part of the jail can't be had, and log it */
#define SPAWN_LOG_FILTER  0x10u /* log forbidden system calls instead of killing */
#define SPAWN_FLAGS       0x1fu

struct spawn_request {
	uint32_t magic;            /* SPAWN_MAGIC */
	uint16_t kind;             /* enum spawn_kind */
	uint16_t n_queues;         /* blk: 1 to 64; 0 means 1 */
	uint32_t flags;            /* SPAWN_* */
	uint32_t log_level;        /* enum log_level */
	char name[SPAWN_NAME_MAX]; /* id for log lines, as "disk0"; ends with NUL */
	char serial[20];           /* blk: answer to GET_ID, padded with NUL */
	uint32_t reserved;         /* 0 */
};
static_assert(sizeof(struct spawn_request) == 72, "spawn: request");

struct spawn_reply {
	int32_t status; /* 0 or negative errno */
	int32_t pid;
	char text[120]; /* why, if status is not 0; ends with NUL */
};
static_assert(sizeof(struct spawn_reply) == 128, "spawn: reply");

#endif
