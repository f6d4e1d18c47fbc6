/* SPDX-License-Identifier: Apache-2.0 */
/*
 * struct blk_bounce: reads and writes of a direct image (O_DIRECT) whose place, length or buffers
 * are not aligned as the kernel wants them, in pieces by way of one aligned buffer. A piece of a
 * write that does not fill its blocks reads them first; so nothing else may write meanwhile, and
 * one request goes at a time. Pure: it says what to do next, its owner does it.
 */
#ifndef DEVICES_BACK_BLK_BOUNCE_H
#define DEVICES_BACK_BLK_BOUNCE_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#define BLK_BOUNCE_BYTES 65536u

struct blk_bounce {
	void *buffer;   /* page aligned */
	uint32_t align; /* bytes: of place and length; a power of two up to BLK_BOUNCE_BYTES */
	/* The request. */
	const struct iovec *iov;
	unsigned int n_iov;
	bool writes;
	bool filled;       /* the buffer holds the blocks of this piece */
	uint64_t at, left; /* what is not yet done of it */
	uint64_t off;      /* done: where to go on in iov */
	uint32_t skip, piece; /* bytes of the piece in the buffer */
};

/* One aligned operation between image and buffer. */
struct blk_bounce_op {
	bool write;
	uint64_t at;
	uint32_t len;
};

/* blk_bounce_init() - Return: 0 or -ENOMEM. */
int blk_bounce_init(struct blk_bounce *b, uint32_t align, struct err *e) MUST_CHECK;

/* blk_bounce_fini() - allowed on a zeroed struct. */
void blk_bounce_fini(struct blk_bounce *b);

/* blk_bounce_begin() - a request: `len` bytes of the image at `at`, to or from iov. */
void blk_bounce_begin(struct blk_bounce *b, bool writes, uint64_t at, uint64_t len);

/* blk_bounce_next() - Return: true and what to do now; false at the end of the request. */
bool blk_bounce_next(struct blk_bounce *b, struct blk_bounce_op *op);

/* blk_bounce_done() - op ended with res, as of the system call. Return: 0 or -errno. */
int blk_bounce_done(struct blk_bounce *b, const struct blk_bounce_op *op, int res);

#endif
