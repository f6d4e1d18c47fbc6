/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The published vhost-user protocol between a front end (the monitor, or another VMM) and a back
 * end (a device process, or another project's). Message: struct vhost_user_header, then `size`
 * bytes of payload; descriptors ride on the header's bytes as SCM_RIGHTS. Little endian here.
 *
 * There is no message "the guest's ring is broken". A Cloister back end then stops the queue and
 * writes 1 to the queue's err eventfd (SET_VRING_ERR); the front end answers with
 * DEVICE_NEEDS_RESET in the guest's status and a configuration interrupt (spec 2.1.2). The back end
 * takes no more requests from any queue until RESET_DEVICE, or GET_VRING_BASE and a new
 * SET_VRING_ADDR.
 */
#ifndef DEVICES_WIRE_VHOST_USER_H
#define DEVICES_WIRE_VHOST_USER_H

#include <assert.h>
#include <stdint.h>

#define VHOST_USER_MSGS(ROW)                                                                       \
	ROW(GET_FEATURES, 1)                                                                       \
	ROW(SET_FEATURES, 2)                                                                       \
	ROW(SET_OWNER, 3)                                                                          \
	ROW(RESET_OWNER, 4)                                                                        \
	ROW(SET_MEM_TABLE, 5)                                                                      \
	ROW(SET_LOG_BASE, 6)                                                                       \
	ROW(SET_LOG_FD, 7)                                                                         \
	ROW(SET_VRING_NUM, 8)                                                                      \
	ROW(SET_VRING_ADDR, 9)                                                                     \
	ROW(SET_VRING_BASE, 10)                                                                    \
	ROW(GET_VRING_BASE, 11)                                                                    \
	ROW(SET_VRING_KICK, 12)                                                                    \
	ROW(SET_VRING_CALL, 13)                                                                    \
	ROW(SET_VRING_ERR, 14)                                                                     \
	ROW(GET_PROTOCOL_FEATURES, 15)                                                             \
	ROW(SET_PROTOCOL_FEATURES, 16)                                                             \
	ROW(GET_QUEUE_NUM, 17)                                                                     \
	ROW(SET_VRING_ENABLE, 18)                                                                  \
	ROW(SET_BACKEND_REQ_FD, 21)                                                                \
	ROW(GET_CONFIG, 24)                                                                        \
	ROW(SET_CONFIG, 25)                                                                        \
	ROW(GET_INFLIGHT_FD, 31)                                                                   \
	ROW(SET_INFLIGHT_FD, 32)                                                                   \
	ROW(RESET_DEVICE, 34)                                                                      \
	ROW(GET_MAX_MEM_SLOTS, 36)                                                                 \
	ROW(ADD_MEM_REG, 37)                                                                       \
	ROW(REM_MEM_REG, 38)                                                                       \
	ROW(SET_STATUS, 39)                                                                        \
	ROW(GET_STATUS, 40)

#define VHOST_USER_ENUM_ROW(name, id) VHOST_USER_##name = (id),
enum vhost_user_msg_id { VHOST_USER_MSGS(VHOST_USER_ENUM_ROW) };

/* Back end to front end, on the socket of SET_BACKEND_REQ_FD. */
#define VHOST_USER_BACKEND_CONFIG_CHANGE 2u

/* Feature bits of GET/SET_FEATURES that are the protocol's, not virtio's (masks). */
#define VHOST_F_LOG_ALL                (UINT64_C(1) << 26)
#define VHOST_USER_F_PROTOCOL_FEATURES (UINT64_C(1) << 30)

/* GET/SET_PROTOCOL_FEATURES (masks) */
#define VHOST_USER_PROTOCOL_F_MQ                  (UINT64_C(1) << 0)
#define VHOST_USER_PROTOCOL_F_LOG_SHMFD           (UINT64_C(1) << 1)
#define VHOST_USER_PROTOCOL_F_REPLY_ACK           (UINT64_C(1) << 3)
#define VHOST_USER_PROTOCOL_F_BACKEND_REQ         (UINT64_C(1) << 5)
#define VHOST_USER_PROTOCOL_F_CONFIG              (UINT64_C(1) << 9)
#define VHOST_USER_PROTOCOL_F_INFLIGHT_SHMFD      (UINT64_C(1) << 12)
#define VHOST_USER_PROTOCOL_F_RESET_DEVICE        (UINT64_C(1) << 13)
#define VHOST_USER_PROTOCOL_F_CONFIGURE_MEM_SLOTS (UINT64_C(1) << 15)
#define VHOST_USER_PROTOCOL_F_STATUS              (UINT64_C(1) << 16)

struct vhost_user_header {
	uint32_t request; /* enum vhost_user_msg_id */
	uint32_t flags;   /* VHOST_USER_VERSION | VHOST_USER_REPLY | VHOST_USER_NEED_REPLY */
	uint32_t size;    /* bytes of payload */
};
static_assert(sizeof(struct vhost_user_header) == 12, "vhost-user: header");
#define VHOST_USER_VERSION      1u
#define VHOST_USER_VERSION_MASK 3u
#define VHOST_USER_REPLY        4u
#define VHOST_USER_NEED_REPLY   8u /* REPLY_ACK: answer a u64, 0 = done, else failed */

/* u64 of SET_VRING_KICK, CALL, ERR: bits 0-7 queue; VHOST_USER_NO_FD: no descriptor comes along. */
#define VHOST_USER_VRING_INDEX 0xffu
#define VHOST_USER_NO_FD       0x100u

#include "devices/wire/vhost_user_payload.h"

#endif
