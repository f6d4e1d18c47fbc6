/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a vsock device process, which has no file system, reaches a listener of the host's: it sends
 * a port on a SOCK_SEQPACKET pair to the spawner, which connects to PATH_PORT and sends the
 * connection back. One message each way per connection; answers come in the order of requests.
 */
#ifndef DEVICES_WIRE_VSOCK_DIAL_H
#define DEVICES_WIRE_VSOCK_DIAL_H

#include <assert.h>
#include <stdint.h>

struct vsock_dial_request {
	uint32_t cookie; /* comes back in the reply */
	uint32_t port;
};
static_assert(sizeof(struct vsock_dial_request) == 8, "vsock: dial request");

struct vsock_dial_reply {
	uint32_t cookie;
	int32_t status; /* 0, and a connected non-blocking SOCK_STREAM comes along; or -errno */
};
static_assert(sizeof(struct vsock_dial_reply) == 8, "vsock: dial reply");

#endif
