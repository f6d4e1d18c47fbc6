/* SPDX-License-Identifier: Apache-2.0 */
/* Unaligned requests to a direct image; see devices/back/blk_bounce.h. */
#include "devices/back/blk_bounce.h"

#include "base/num.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int blk_bounce_init(struct blk_bounce *b, uint32_t align, struct err *e)
{
	*b = (struct blk_bounce){.align = align};
	if (posix_memalign(&b->buffer, PAGE_SIZE, BLK_BOUNCE_BYTES)) {
		b->buffer = NULL;
		return err_sys(e, ENOMEM, "buffer for unaligned requests");
	}
	return 0;
}

void blk_bounce_fini(struct blk_bounce *b)
{
	free(b->buffer);
	b->buffer = NULL;
}

void blk_bounce_begin(struct blk_bounce *b, bool writes, uint64_t at, uint64_t len)
{
	b->writes = writes;
	b->filled = false;
	b->at = at;
	b->left = len;
	b->off = 0;
}

/* move() - the piece's bytes between the request's buffers and ours. */
static void move(struct blk_bounce *b, bool out)
{
	uint8_t *ours = (uint8_t *)b->buffer + b->skip;
	uint64_t off = b->off, left = b->piece;

	for (unsigned int i = 0; i < b->n_iov && left; i++) {
		const struct iovec *v = &b->iov[i];
		uint64_t n = off < v->iov_len ? min_u64(v->iov_len - off, left) : 0;
		uint8_t *theirs = (uint8_t *)v->iov_base + off;

		if (n && out)
			memcpy(theirs, ours, n);
		else if (n)
			memcpy(ours, theirs, n);
		off = n ? 0 : off - v->iov_len;
		ours += n;
		left -= n;
	}
}

static void advance(struct blk_bounce *b)
{
	b->at += b->piece;
	b->off += b->piece;
	b->left -= b->piece;
	b->filled = false;
}

bool blk_bounce_next(struct blk_bounce *b, struct blk_bounce_op *op)
{
	bool partial;

	if (!b->left)
		return false;
	op->at = align_down(b->at, b->align);
	b->skip = (uint32_t)(b->at - op->at);
	b->piece = (uint32_t)min_u64(b->left, BLK_BOUNCE_BYTES - b->skip);
	op->len = (uint32_t)align_up(b->skip + b->piece, b->align);
	partial = b->skip || b->piece != op->len;
	op->write = b->writes && (b->filled || !partial);
	if (op->write)
		move(b, false);
	return true;
}

int blk_bounce_done(struct blk_bounce *b, const struct blk_bounce_op *op, int res)
{
	if (res < 0)
		return res;
	if ((uint32_t)res < (op->write ? op->len : b->skip + b->piece))
		return -EIO;
	if (b->writes && !op->write) {
		b->filled = true;
		return 0;
	}
	if (!b->writes)
		move(b, true);
	advance(b);
	return 0;
}
