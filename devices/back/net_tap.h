/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ioctls of a tap that a device process makes: what it can offload, what the driver takes, and
 * which queues of a tap with several are in use. A socket of messages (another program's, that
 * passes frames behind a virtio_net_header) can do none of that; what is neither is refused, as
 * nobody knows where its frames end.
 * Pure but for the ioctls; no state.
 */
#ifndef DEVICES_BACK_NET_TAP_H
#define DEVICES_BACK_NET_TAP_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * net_tap_prepare() - make a descriptor non-blocking, have it pass virtio_net_headers of 12 bytes
 * and deliver nothing that is offloaded.
 * @offloads: SPAWN_OFFLOAD_* that are wanted
 * @features: out: the VIRTIO_NET_F_* that follow from what is wanted and what the tap can do
 * Return: 0 or -errno; -ENOTTY: it is no tap and no such socket.
 */
int net_tap_prepare(int fd, unsigned int offloads, uint64_t *features, struct err *e) MUST_CHECK;

/* net_tap_set() - have the tap deliver what the driver takes by `features`. Return: 0 or -errno. */
int net_tap_set(int fd, uint64_t features);

/* net_tap_attach() - take one queue of a tap into use or out of it. Return: 0 or -errno. */
int net_tap_attach(int fd, bool on);

#endif
