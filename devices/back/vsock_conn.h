/* SPDX-License-Identifier: Apache-2.0 */
/*
 * struct vsock_conn: one stream between a port of the guest's and a unix socket of the host's: what
 * its packets mean (spec 5.10.6), which packet it sends next, and the bytes in between.
 *
 * Invariants:
 * 1. The guest may have VSOCK_RING bytes on the way that the host's reader has not taken; they are
 *    told as buf_alloc and there is room for them, so the transmit queue never waits for a reader.
 *    More is a violation and ends the connection.
 * 2. To the guest goes no more than it has room for by its own word (buf_alloc, fwd_cnt). Nothing
 *    is kept here: bytes go from the socket to the guest's buffer.
 * 3. The socket is watched by edges: `readable` is true until a read finds nothing.
 * 4. After the state is VSOCK_ENDED no packet of the guest's concerns it; what is left to do is one
 *    RST, if wanted, and to give the host what the guest sent before it ended in good order.
 * Threads: one. Nothing here allocates.
 */
#ifndef DEVICES_BACK_VSOCK_CONN_H
#define DEVICES_BACK_VSOCK_CONN_H

#include "base/loop.h"
#include "devices/back/vsock_ring.h"
#include "devices/wire/virtio_vsock.h"

enum vsock_state {
	VSOCK_FREE,
	VSOCK_HELLO,   /* of the host's: "CONNECT port" is being read */
	VSOCK_ASKED,   /* of the host's: the guest gets a REQUEST */
	VSOCK_DIALING, /* of the guest's: no socket yet */
	VSOCK_OPEN,
	VSOCK_ENDED,
};

struct vsock_link {
	struct vsock_link *next, *prev; /* NULL: in no list */
};

struct vsock_conn {
	struct loop_source source; /* fd -1: no socket (any more) */
	enum vsock_state state;
	uint32_t guest_port, host_port;
	uint32_t cookie;     /* of the request to dial */
	uint32_t want;       /* bits VSOCK_WANT(op): packets to send, beside data */
	uint32_t guest_shut; /* VIRTIO_VSOCK_SHUTDOWN_*: what the guest said */
	uint32_t host_shut;  /* the same of the host, told to the guest or in `want` */
	bool of_guest;       /* the guest began it */
	bool readable, hung_up, wrote_eof, credit_asked;
	/* host to guest */
	uint32_t sent, guest_alloc, guest_taken;
	/* guest to host: taken by the reader, and how much of that the guest knows */
	uint32_t taken, taken_told;
	struct vsock_ring ring;
	char hello[32];
	uint8_t hello_len;
	/* the table's */
	struct vsock_conn *hash_next;
	struct vsock_link ready, dispensable;
	void *owner;
};

#define VSOCK_WANT(op) (1u << (op))

/* Bytes behind a header, from the guest or for it. */
struct vsock_payload {
	struct iovec *iov; /* may be changed */
	unsigned int n;
	uint32_t len;
};

/*
 * vsock_conn_packet() - act on a packet of the guest's whose ports are this connection's.
 * Return: 0, or -EPROTO and the connection has ended with an RST.
 */
int vsock_conn_packet(
	struct vsock_conn *c, const struct virtio_vsock_hdr *h, struct vsock_payload *p);

/* vsock_conn_pending() - Return: true if vsock_conn_next() may have a packet. */
bool vsock_conn_pending(const struct vsock_conn *c);

/*
 * vsock_conn_next() - make the next packet for the guest.
 * @h: filled but for the CIDs
 * @room: where bytes may go; room->len is how many
 * Return: 0, or -EAGAIN if there is none.
 */
int vsock_conn_next(
	struct vsock_conn *c, struct virtio_vsock_hdr *h, const struct vsock_payload *room);

/* vsock_conn_event() - the socket had events (EPOLLIN, ...). Not for VSOCK_HELLO. */
void vsock_conn_event(struct vsock_conn *c, uint32_t events);

/*
 * vsock_conn_hello() - read the host's first line, up to and with its end and no further.
 * Return: 1 and *port, 0 if it is not complete, -EPROTO if it is something else or has ended.
 */
int vsock_conn_hello(struct vsock_conn *c, uint32_t *port);

/* vsock_conn_end() - it is over, at once; rst: tell the guest. */
void vsock_conn_end(struct vsock_conn *c, bool rst);

/* vsock_conn_gone() - Return: true if it is open for the guest alone: the host has closed it. */
bool vsock_conn_gone(const struct vsock_conn *c);

/* vsock_conn_done() - Return: true if it has ended and nothing is left to do. */
bool vsock_conn_done(const struct vsock_conn *c);

#endif
