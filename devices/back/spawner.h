/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The spawner: a small process with one thread that starts device processes on request, also long
 * after the monitor has locked itself down. It is forked before any guest memory exists, so nothing
 * that it forks can hold private memory. Protocol: devices/wire/spawn.h.
 */
#ifndef DEVICES_BACK_SPAWNER_H
#define DEVICES_BACK_SPAWNER_H

#include "base/err.h"

#include <sys/types.h>

/*
 * spawner_start() - fork the spawner. Call it before KVM or guest memory is opened, while the
 * process has one thread.
 * @sock: the requester's end of the SOCK_SEQPACKET pair, the caller's now; closing it ends the
 *        spawner and all its children. They end with the calling thread, too.
 * @pid: the spawner's, for the caller to wait for
 * Return: 0 or -errno.
 */
int spawner_start(int *sock, pid_t *pid, struct err *e) MUST_CHECK;

#endif
