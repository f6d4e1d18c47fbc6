/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opening of taps, for the device processes that serve them. What is on the host's side is set up
 * here: name, address, MTU, up. What goes between tap and guest (headers, offloads) is the device
 * process's to set, see devices/back/net_tap.h.
 */
#ifndef VMM_TAP_H
#define VMM_TAP_H

#include "vmm/nic.h"

/*
 * tap_queues() - open a queue of a tap for each pair of queues, or copy the descriptors that the
 * config has.
 * @fds: room for NIC_TAPS_MAX; out: num_queues / 2 descriptors, the caller's
 * @mtu: out: what the guest is to be told, 0: nothing
 * Return: 0, or -errno and no descriptor is open.
 */
int tap_queues(const struct nic_config *n, int *fds, uint16_t *mtu, struct err *e) MUST_CHECK;

#endif
