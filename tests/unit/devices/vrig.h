/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A vsock device for tests: on one side a fake guest's rings, on the other clients of the host, and
 * the test in the spawner's place.
 */
#ifndef TESTS_UNIT_DEVICES_VRIG_H
#define TESTS_UNIT_DEVICES_VRIG_H

#include "devices/back/vsock.h"
#include "devices/wire/virtio_vsock.h"
#include "tests/unit/devices/rig.h"

#include <sys/socket.h>
#include <sys/un.h>

#define RX      VIRTIO_VSOCK_QUEUE_RX
#define TX      VIRTIO_VSOCK_QUEUE_TX
#define CID     UINT64_C(7)
#define BUFFER  4096u
#define TX_DATA (RIG_DATA + 0x60000u)
#define HDR     ((uint32_t)sizeof(struct virtio_vsock_hdr))

struct vrig {
	struct rig rig;
	struct vsock *vsock;
	int dial; /* the test's end: it plays the spawner */
	struct sockaddr_un addr;
	socklen_t addr_len;
	uint16_t given, seen,
		sent;          /* receive buffers given, of those used ones seen; packets sent */
	uint8_t bytes[BUFFER]; /* of the packet seen last */
	struct virtio_vsock_hdr h; /* its header */
};

/* vrig_open() - a device that runs, with queues and nothing in them. */
void vrig_open(struct vrig *f);
void vrig_close(struct vrig *f);

/* vrig_give() - n receive buffers of the driver's. */
void vrig_give(struct vrig *f, unsigned int n);

/* vrig_came() - Return: true if there is another packet; it is in f->h and f->bytes then. */
bool vrig_came(struct vrig *f);

/* vrig_expect() - the next packet has come, and is that one. */
void vrig_expect(struct vrig *f, enum virtio_vsock_op op);

/* vrig_header() - Return: one of the guest's, from a port to one of the host's. */
struct virtio_vsock_hdr vrig_header(enum virtio_vsock_op op, uint32_t from, uint32_t to);

/* vrig_send() - the guest sends a packet, which the device takes. */
void vrig_send(struct vrig *f, struct virtio_vsock_hdr h, const void *bytes);
void vrig_send_op(struct vrig *f, enum virtio_vsock_op op, uint32_t from, uint32_t to);
void vrig_send_rw(struct vrig *f, uint32_t from, uint32_t to, const void *bytes, uint32_t len);
void vrig_send_shutdown(struct vrig *f, uint32_t from, uint32_t to, uint32_t flags);

/* vrig_client() - Return: a connection of the host's that has said `text`. */
int vrig_client(struct vrig *f, const char *text);

/* vrig_expect_bytes() - a client gets that; vrig_expect_end() - it is hung up. */
void vrig_expect_bytes(struct vrig *f, int fd, const char *text);
void vrig_expect_end(struct vrig *f, int *fd);

/* vrig_open_stream() - of the host's, to port 1024. Return: its end; *port: the host's port. */
int vrig_open_stream(struct vrig *f, uint32_t *port);

#endif
