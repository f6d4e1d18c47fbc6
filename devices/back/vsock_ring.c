/* SPDX-License-Identifier: Apache-2.0 */
/* A ring of bytes; see devices/back/vsock_ring.h. */
#include "devices/back/vsock_ring.h"

#include "base/num.h"

#include <assert.h>
#include <string.h>
#include <sys/mman.h>

void vsock_ring_put(struct vsock_ring *r, const void *from, uint32_t len)
{
	uint32_t end = (r->start + r->used) % VSOCK_RING;
	uint32_t first = (uint32_t)min_u64(len, VSOCK_RING - end);

	assert(len <= VSOCK_RING - r->used);
	memcpy(r->bytes + end, from, first);
	memcpy(r->bytes, (const uint8_t *)from + first, len - first);
	r->used += len;
	r->touched = true;
}

unsigned int vsock_ring_peek(const struct vsock_ring *r, struct iovec iov[2])
{
	uint32_t first = (uint32_t)min_u64(r->used, VSOCK_RING - r->start);

	iov[0] = (struct iovec){r->bytes + r->start, first};
	iov[1] = (struct iovec){r->bytes, r->used - first};
	return (first > 0 ? 1u : 0u) + (r->used > first ? 1u : 0u);
}

void vsock_ring_drop(struct vsock_ring *r, uint32_t len)
{
	assert(len <= r->used);
	r->used -= len;
	r->start = r->used ? (r->start + len) % VSOCK_RING : 0;
}

void vsock_ring_clear(struct vsock_ring *r)
{
	if (r->touched)
		madvise(r->bytes, VSOCK_RING, MADV_DONTNEED);
	r->start = r->used = 0;
	r->touched = false;
}
