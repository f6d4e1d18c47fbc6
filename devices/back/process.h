/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A device process: one device of a const table, behind one vhost-user connection, jailed and
 * filtered before the first byte of the front end is looked at.
 */
#ifndef DEVICES_BACK_PROCESS_H
#define DEVICES_BACK_PROCESS_H

#include "base/err.h"
#include "devices/wire/spawn.h"
#include "seccomp/filter.h"

#include <stdbool.h>

#define PROCESS_DIALER_FDS 2u /* devices/back/dialer.h */

/*
 * process_check() - is req, with n_fds descriptors, a request that can be tried?
 * Return: 0 or -EINVAL.
 */
int process_check(const struct spawn_request *req, size_t n_fds, struct err *e) MUST_CHECK;

/* process_dials() - Return: true if a checked request's device needs a dialer. */
bool process_dials(const struct spawn_request *req);

/*
 * process_run() - be the device process for a checked request until the front end goes.
 * @fds: the descriptors of the request and, if it dials, a dialer's for it, which this process
 * owns; all others but stderr are closed
 * @mode: of its filter
 * @report: where the struct spawn_reply goes when the device is ready or has failed; closed then
 * Return: the exit status: 0 if the front end closed the connection.
 */
int process_run(const struct spawn_request *req, const int *fds, int report, enum filter_mode mode);

#endif
