/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The spawner: a small process with one thread that starts device processes on request, also long
 * after the monitor has locked itself down. It is forked before any guest memory exists, so nothing
 * that it forks can hold private memory. Protocol: devices/wire/spawn.h.
 */
#ifndef DEVICES_BACK_SPAWNER_H
#define DEVICES_BACK_SPAWNER_H

#include "base/err.h"
#include "seccomp/filter.h"

#include <sys/types.h>

/*
 * spawner_start() - fork the spawner. Call it before KVM or guest memory is opened, while the
 * process has one thread.
 * @sock: the requester's end of the SOCK_SEQPACKET pair, the caller's now; closing it ends the
 *        spawner and all its children. They end with the calling thread, too.
 * @pid: the spawner's, for the caller to wait for
 * @mode: what a forbidden system call ends in, in the spawner and in all its children
 * Return: 0 or -errno.
 */
int spawner_start(int *sock, pid_t *pid, enum filter_mode mode, struct err *e) MUST_CHECK;

#endif
