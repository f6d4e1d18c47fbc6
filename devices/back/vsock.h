/* SPDX-License-Identifier: Apache-2.0 */
/*
 * virtio-vsock (spec 5.10) between the guest and unix sockets of the host, without a kernel module
 * on the host ("hybrid"). A client of the listening socket says `CONNECT <port>` (or `connect`) and
 * a newline; when a listener in the guest has accepted it gets `OK <port>` and a newline, from then
 * on the bytes are the stream's. If nobody listens there, the connection is closed. A guest that
 * connects to CID 2 and a port is connected to the listening socket's path with `_<port>` behind
 * it; that is dialed by somebody who has a file system (devices/wire/vsock_dial.h).
 *
 * Invariants:
 * 1. Connections, and bytes kept for each, are bounded (vsock_table.h, vsock_conn.h). Where there
 *    is no room a guest's request is answered by RST and a client of the host's waits.
 * 2. One slow reader stalls nobody else: the transmit queue never waits for one, and turns on the
 *    receive queue go round, one packet each.
 * 3. RSTs for packets that belong to no connection are kept, up to VSOCK_RESETS; only when the
 * guest gives no buffers for those either its transmit queue stops (spec 5.10.6.2).
 * 4. When a driver begins anew, all connections end.
 */
#ifndef DEVICES_BACK_VSOCK_H
#define DEVICES_BACK_VSOCK_H

#include "devices/back/device.h"

#define VSOCK_FDS        512u /* sockets that it may have open, beside its queues' */
#define VSOCK_RESETS     128u
#define VSOCK_FIRST_PORT UINT32_C(0x40000000) /* of the host's clients; then the next, in turn */

struct vsock;

struct vsock_config {
	struct loop *loop;
	const char *name; /* for log lines; must outlive the device */
	uint64_t cid;     /* the guest's */
	int listen_fd;    /* SOCK_STREAM, listening, non-blocking; the device's, also on failure */
	int dial_fd;      /* SOCK_SEQPACKET to the spawner, non-blocking; likewise */
};

/* vsock_create() - Return: 0 and *out, or -errno. */
int vsock_create(struct vsock **out, const struct vsock_config *config, struct err *e) MUST_CHECK;

/* vsock_destroy() - all queues are stopped; all connections are closed. NULL is allowed. */
void vsock_destroy(struct vsock *vsock);

/* vsock_device() - Return: what the vhost-user server takes. */
struct back_device *vsock_device(struct vsock *vsock);

#endif
