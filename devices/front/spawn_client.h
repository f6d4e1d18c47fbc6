/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asking the spawner for a device process (devices/wire/spawn.h). Main thread; a call waits for the
 * spawner's answer at most SPAWN_TIMEOUT_MS. The spawner is trusted as the monitor itself is, but
 * its answer is checked all the same.
 */
#ifndef DEVICES_FRONT_SPAWN_CLIENT_H
#define DEVICES_FRONT_SPAWN_CLIENT_H

#include "base/err.h"
#include "devices/wire/spawn.h"

#include <sys/types.h>

#define SPAWN_TIMEOUT_MS 5000

/* What to start. The descriptors stay the caller's, who may close them after the call. */
struct spawn_desc {
	enum spawn_kind kind;
	uint32_t
		flags; /* SPAWN_* but SPAWN_LEDGER, SPAWN_COUNTERS, which follow from descriptors */
	uint16_t n_queues;
	const char *name;        /* shorter than SPAWN_NAME_MAX */
	const char *serial;      /* blk: up to 20 bytes; NULL: none */
	uint32_t cid;            /* vsock */
	const char *path;        /* vsock: of the listening socket; NULL: none */
	int ledger_fd;           /* -1: all memory is shared */
	int counters_fd;         /* -1: nothing is counted */
	int fds[SPAWN_TAPS_MAX]; /* the device's own, in the order that wire/spawn.h states */
	unsigned int n_fds;
	uint8_t mac[6];             /* net */
	uint16_t mtu;               /* net; 0: not told to the guest */
	uint32_t offloads;          /* net: SPAWN_OFFLOAD_* */
	struct spawn_limits limits; /* blk, net */
};

/* A device process; both descriptors are the caller's. */
struct spawn_child {
	int sock; /* vhost-user, connected */
	int pidfd;
	pid_t pid;
};

/*
 * spawn_device() - start a device process.
 * @spawner: the requester's end of the spawner's SOCK_SEQPACKET pair
 * Return: 0; -EINVAL (name, serial), -EPROTO (a strange answer), -ETIMEDOUT, or the errno that the
 * spawner names. After -EPROTO and -ETIMEDOUT the spawner is not to be used any more.
 */
int spawn_device(int spawner, const struct spawn_desc *desc, struct spawn_child *child,
	struct err *e) MUST_CHECK;

#endif
