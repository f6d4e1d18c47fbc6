/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The back end's side of a vhost-user connection: takes the front end's messages on a connected
 * unix socket, keeps the view of guest memory and the queues, and starts and stops the device.
 *
 * Invariants:
 * 1. A message that is malformed, unknown, out of order or carries other descriptors than it should
 *    ends the connection with a reason in the log. What the guest chose (ring addresses and sizes)
 *    ends nothing: a queue that can't run is broken as virtq.h says.
 * 2. Memory is unmapped, and features change, only while the device is drained.
 * 3. A queue runs when it has size, addresses and a kick descriptor and is enabled.
 * Threads: one, the loop's.
 */
#ifndef DEVICES_BACK_VHOST_USER_SERVER_H
#define DEVICES_BACK_VHOST_USER_SERVER_H

#include "devices/back/device.h"

struct vhost_user_server;

struct vhost_user_server_config {
	struct loop *loop; /* loop_stop() is called when the connection ends */
	int sock;          /* connected SOCK_STREAM; the server's from now on, also on failure */
	int ledger_fd;     /* -1: none, all memory counts as shared; stays the caller's */
	struct back_device *device; /* must outlive the server */
	struct device_counters *counters; /* to be counted in, outlives it too; NULL: none */
};

/* vhost_user_server_create() - serve a connection. Return: 0 and *out, or -errno. */
int vhost_user_server_create(struct vhost_user_server **out,
	const struct vhost_user_server_config *config, struct err *e) MUST_CHECK;

/* vhost_user_server_destroy() - drain the device, unmap memory, close all. NULL is allowed. */
void vhost_user_server_destroy(struct vhost_user_server *s);

/*
 * vhost_user_server_result() - how the connection ended.
 * Return: 0 if the front end closed it, -EINPROGRESS if it is up, else -errno.
 */
int vhost_user_server_result(const struct vhost_user_server *s);

#endif
