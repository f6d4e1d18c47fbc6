/* SPDX-License-Identifier: Apache-2.0 */
/*
 * struct vsock_ring: bytes that a slow reader on the host has not taken yet, in memory that the
 * owner gives: VSOCK_RING bytes, part of an anonymous private mapping.
 * Invariant: used <= VSOCK_RING.
 */
#ifndef DEVICES_BACK_VSOCK_RING_H
#define DEVICES_BACK_VSOCK_RING_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#define VSOCK_RING 65536u

struct vsock_ring {
	uint8_t *bytes; /* whole pages */
	uint32_t start, used;
	bool touched; /* the pages may be there */
};

/* vsock_ring_put() - append len bytes; there must be room. */
void vsock_ring_put(struct vsock_ring *r, const void *from, uint32_t len);

/* vsock_ring_peek() - the bytes in order. Return: entries of iov filled, 0 to 2. */
unsigned int vsock_ring_peek(const struct vsock_ring *r, struct iovec iov[2]);

/* vsock_ring_drop() - forget the first len bytes, of those used. */
void vsock_ring_drop(struct vsock_ring *r, uint32_t len);

/* vsock_ring_clear() - forget all and give the memory back. */
void vsock_ring_clear(struct vsock_ring *r);

#endif
