/* SPDX-License-Identifier: Apache-2.0 */
/* virtio-blk over io_uring; see devices/back/blk.h. */
#include "devices/back/blk.h"

#include "base/fd.h"
#include "base/log.h"
#include "devices/back/blk_bounce.h"
#include "devices/back/queue_stats.h"
#include "devices/back/rate_limiter.h"
#include "devices/wire/virtio_blk.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <linux/falloc.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MAX_RANGE_SECTORS (GIB(1) / VIRTIO_BLK_SECTOR) /* of one discard or write-zeroes */
#define NOTHING_TO_DO     1 /* see the checks: finished, no operation is needed */

struct request {
	struct virtq *q;
	uint32_t type;
	uint64_t at, left; /* bytes of the image; left: not yet done */
	uint64_t data_len; /* bytes of data in the chain */
	int mode;          /* of fallocate */
	struct iovec *iov; /* what is not yet done, in chain.iov */
	unsigned int n_iov;
	uint8_t *status; /* the chain's last byte */
	struct request *next_bounced;
	struct chain chain;
};

struct blk {
	struct back_device base;
	struct loop *loop;
	struct io_uring ring;
	struct loop_source completions; /* the ring's descriptor */
	int fd;
	bool read_only, write_through, have_ring;
	uint64_t size;         /* bytes, whole blocks of the image */
	uint32_t block_size;   /* what the driver is told */
	uint32_t align;        /* direct: of place and length; else VIRTIO_BLK_SECTOR */
	uint32_t memory_align; /* direct: of buffers; else 1 */
	struct rate_limiter limit;
	unsigned int n_operations; /* in the ring */
	/* Unaligned requests, the first of which is carried out when no operation is in the ring.
	 */
	struct blk_bounce bounce;
	struct blk_bounce_op bounce_op;
	struct iovec bounce_iov;
	struct request *bounced_first, **bounced_last;
	char serial[VIRTIO_BLK_ID_BYTES];
	unsigned int n_free;
	uint8_t free[BLK_IN_FLIGHT]; /* the free requests' numbers; the last one is taken first */
	struct virtq *waiting[DEVICE_QUEUES_MAX]; /* queues that wait for a free request */
	struct virtq *pushed[DEVICE_QUEUES_MAX];  /* queues whose driver may want an interrupt */
	struct request requests[BLK_IN_FLIGHT];
};

/*
 * The check of one request type: fills r for an operation. Return: VIRTIO_BLK_S_OK to start it,
 * -NOTHING_TO_DO if it is done already, or the status to answer.
 */
static int check_range(const struct blk *blk, struct request *r, uint64_t sector, uint64_t bytes)
{
	if (!bytes || bytes % VIRTIO_BLK_SECTOR || sector > blk->size / VIRTIO_BLK_SECTOR ||
		!range_in(sector * VIRTIO_BLK_SECTOR, bytes, blk->size))
		return VIRTIO_BLK_S_IOERR;
	r->at = sector * VIRTIO_BLK_SECTOR;
	r->left = bytes;
	return VIRTIO_BLK_S_OK;
}

static int check_read(struct blk *blk, struct request *r, uint64_t sector)
{
	r->data_len = r->chain.in_len - 1;
	r->iov = r->chain.iov + r->chain.n_out;
	r->n_iov = r->chain.n_in;
	/* The status byte is no data: cut it off the last segment. */
	if (--r->iov[r->n_iov - 1].iov_len == 0)
		r->n_iov--;
	return check_range(blk, r, sector, r->data_len);
}

static int check_write(struct blk *blk, struct request *r, uint64_t sector)
{
	size_t skip = sizeof(struct virtio_blk_header);

	if (blk->read_only)
		return VIRTIO_BLK_S_IOERR; /* spec 5.2.6.2 */
	r->data_len = r->chain.out_len - skip;
	r->iov = r->chain.iov;
	r->n_iov = r->chain.n_out;
	while (r->n_iov && skip >= r->iov->iov_len) {
		skip -= r->iov->iov_len;
		r->iov++;
		r->n_iov--;
	}
	if (r->n_iov) {
		r->iov->iov_base = (uint8_t *)r->iov->iov_base + skip;
		r->iov->iov_len -= skip;
	}
	return check_range(blk, r, sector, r->data_len);
}

static int check_get_id(struct blk *blk, struct request *r)
{
	r->data_len = min_u64(r->chain.in_len - 1, sizeof(blk->serial));
	virtq_copy_in(&r->chain, 0, blk->serial, r->data_len);
	return -NOTHING_TO_DO;
}

/* spec 5.2.6.2: unknown flags, and unmap in a discard, are "not supported" */
static int check_discard(struct blk *blk, struct request *r)
{
	uint32_t known = r->type == VIRTIO_BLK_T_WRITE_ZEROES ? VIRTIO_BLK_UNMAP : 0;
	struct virtio_blk_range range;

	if (blk->read_only || r->chain.out_len != sizeof(struct virtio_blk_header) + sizeof(range))
		return VIRTIO_BLK_S_IOERR;
	virtq_copy_out(&r->chain, sizeof(struct virtio_blk_header), &range, sizeof(range));
	if (range.flags & ~known)
		return VIRTIO_BLK_S_UNSUPP;
	if (range.num_sectors > MAX_RANGE_SECTORS)
		return VIRTIO_BLK_S_IOERR;
	r->mode = FALLOC_FL_KEEP_SIZE |
		(known && !(range.flags & VIRTIO_BLK_UNMAP) ? FALLOC_FL_ZERO_RANGE
							    : FALLOC_FL_PUNCH_HOLE);
	return check_range(blk, r, range.sector, (uint64_t)range.num_sectors * VIRTIO_BLK_SECTOR);
}

static int check_request(struct blk *blk, struct request *r, const struct virtio_blk_header *h)
{
	r->type = h->type;
	r->data_len = 0;
	switch (h->type) {
	case VIRTIO_BLK_T_IN:
		return check_read(blk, r, h->sector);
	case VIRTIO_BLK_T_OUT:
		return check_write(blk, r, h->sector);
	case VIRTIO_BLK_T_FLUSH:
		r->left = 0;
		return VIRTIO_BLK_S_OK;
	case VIRTIO_BLK_T_GET_ID:
		return check_get_id(blk, r);
	case VIRTIO_BLK_T_DISCARD:
	case VIRTIO_BLK_T_WRITE_ZEROES:
		return check_discard(blk, r);
	default:
		return VIRTIO_BLK_S_UNSUPP;
	}
}

static void blk_put(struct blk *blk, const struct request *r)
{
	blk->free[blk->n_free++] = (uint8_t)(r - blk->requests);
}

static bool blk_moves(const struct request *r)
{
	return r->type == VIRTIO_BLK_T_IN || r->type == VIRTIO_BLK_T_OUT;
}

/* blk_finish() - answer a request and free it. */
static void blk_finish(struct blk *blk, struct request *r, uint8_t status)
{
	bool fills = r->type == VIRTIO_BLK_T_IN || r->type == VIRTIO_BLK_T_GET_ID;
	uint64_t data = fills && status == VIRTIO_BLK_S_OK ? r->data_len : 0;
	uint32_t written = (uint32_t)data;

	*r->status = status;
	if (status)
		queue_stats_error(r->q->stats);
	else if (blk_moves(r))
		queue_stats_move(r->q->stats, r->type == VIRTIO_BLK_T_OUT, r->data_len);
	/* Bytes from the front of the writable part: the status byte counts if all before it does.
	 */
	if (data + 1 == r->chain.in_len)
		written++;
	virtq_push(r->q, r->chain.head, written);
	blk->pushed[r->q->index] = r->q;
	blk_put(blk, r);
}

static struct io_uring_sqe *blk_sqe(struct blk *blk)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&blk->ring);

	assert(sqe); /* the ring has an entry for each request */
	blk->n_operations++;
	return sqe;
}

/* blk_submit() - put the operation of r, or what is left of it, into the ring. */
static void blk_submit(struct blk *blk, struct request *r)
{
	struct io_uring_sqe *sqe = blk_sqe(blk);

	switch (r->type) {
	case VIRTIO_BLK_T_IN:
		io_uring_prep_readv(sqe, blk->fd, r->iov, r->n_iov, r->at);
		break;
	case VIRTIO_BLK_T_OUT:
		io_uring_prep_writev2(
			sqe, blk->fd, r->iov, r->n_iov, r->at, blk->write_through ? RWF_DSYNC : 0);
		break;
	case VIRTIO_BLK_T_FLUSH:
		io_uring_prep_fsync(sqe, blk->fd, IORING_FSYNC_DATASYNC);
		break;
	default:
		io_uring_prep_fallocate(sqe, blk->fd, r->mode, (off_t)r->at, (off_t)r->left);
		break;
	}
	io_uring_sqe_set_data(sqe, r);
}

/* blk_aligned() - may the kernel be given what is left of r as it is? */
static bool blk_aligned(const struct blk *blk, const struct request *r)
{
	if (!blk->bounce.buffer || !blk_moves(r))
		return true;
	if (!is_aligned(r->at | r->left, blk->align))
		return false;
	for (unsigned int i = 0; i < r->n_iov; i++)
		if (!is_aligned((uintptr_t)r->iov[i].iov_base, blk->memory_align) ||
			!is_aligned(r->iov[i].iov_len, blk->align))
			return false;
	return true;
}

/* blk_go() - submit r, or have it wait until it can be carried out alone. */
static void blk_go(struct blk *blk, struct request *r)
{
	if (blk_aligned(blk, r)) {
		blk_submit(blk, r);
		return;
	}
	r->next_bounced = NULL;
	*blk->bounced_last = r;
	blk->bounced_last = &r->next_bounced;
}

/* blk_bounce_step() - the next operation of the request that is carried out alone. */
static bool blk_bounce_step(struct blk *blk, struct request *r)
{
	const struct blk_bounce_op *op = &blk->bounce_op;
	struct io_uring_sqe *sqe;

	if (!blk_bounce_next(&blk->bounce, &blk->bounce_op))
		return false;
	sqe = blk_sqe(blk);
	blk->bounce_iov = (struct iovec){blk->bounce.buffer, op->len};
	if (op->write)
		io_uring_prep_writev2(sqe, blk->fd, &blk->bounce_iov, 1, op->at,
			blk->write_through ? RWF_DSYNC : 0);
	else
		io_uring_prep_readv(sqe, blk->fd, &blk->bounce_iov, 1, op->at);
	io_uring_sqe_set_data(sqe, r);
	return true;
}

/* blk_bounce_first() - begin with the first of the unaligned requests, if nothing else is going on.
 */
static void blk_bounce_first(struct blk *blk)
{
	struct request *r = blk->bounced_first;

	if (!r || blk->n_operations)
		return;
	blk->bounce.iov = r->iov;
	blk->bounce.n_iov = r->n_iov;
	blk_bounce_begin(&blk->bounce, r->type == VIRTIO_BLK_T_OUT, r->at, r->left);
	blk_bounce_step(blk, r);
}

/* blk_start() - check a popped request, and submit or answer it. */
static void blk_start(struct blk *blk, struct virtq *q, struct request *r)
{
	const struct chain *c = &r->chain;
	struct virtio_blk_header header;
	const struct iovec *last;
	int status;

	r->q = q;
	if (c->out_len < sizeof(header) || !c->in_len) {
		virtq_break(q, "request without header or status byte (spec 5.2.6)");
		virtq_push(q, c->head, 0);
		blk_put(blk, r);
		return;
	}
	last = &c->iov[c->n_out + c->n_in - 1];
	r->status = (uint8_t *)last->iov_base + last->iov_len - 1;
	virtq_copy_out(c, 0, &header, sizeof(header));
	status = check_request(blk, r, &header);
	rate_limiter_take(&blk->limit, blk_moves(r) ? r->data_len : 0);
	if (status == VIRTIO_BLK_S_OK)
		blk_go(blk, r);
	else
		blk_finish(blk, r, status < 0 ? VIRTIO_BLK_S_OK : (uint8_t)status);
}

/* blk_advance() - done bytes of a read or write are there. Return: true if some are left. */
static bool blk_advance(struct request *r, uint64_t done)
{
	r->at += done;
	r->left -= done;
	while (r->n_iov && done >= r->iov->iov_len) {
		done -= r->iov->iov_len;
		r->iov++;
		r->n_iov--;
	}
	if (r->left) {
		r->iov->iov_base = (uint8_t *)r->iov->iov_base + done;
		r->iov->iov_len -= done;
	}
	return r->left;
}

/* blk_complete() - an operation ended with result res, as of the system call. */
static void blk_complete(struct blk *blk, struct request *r, int res)
{
	bool moves = blk_moves(r);
	uint8_t status = VIRTIO_BLK_S_OK;

	blk->n_operations--;
	if (r == blk->bounced_first) {
		res = blk_bounce_done(&blk->bounce, &blk->bounce_op, res);
		if (res == 0 && blk_bounce_step(blk, r))
			return;
		blk->bounced_first = r->next_bounced;
		if (!blk->bounced_first)
			blk->bounced_last = &blk->bounced_first;
		r->left = 0;
	} else if (moves && res > 0 && (uint64_t)res <= r->left && blk_advance(r, (uint64_t)res)) {
		blk_go(blk, r); /* short: go on */
		return;
	}
	if (res == -EOPNOTSUPP)
		status = VIRTIO_BLK_S_UNSUPP;
	else if (res < 0 || (moves && r->left))
		status = VIRTIO_BLK_S_IOERR;
	if (status)
		log_limited(LOG_WARN, blk->base.name, "request type %u at byte %llu: %s", r->type,
			(unsigned long long)r->at, res < 0 ? strerror(-res) : "end of image");
	blk_finish(blk, r, status);
}

/* blk_enter() - hand what blk_submit() collected to the kernel; on failure q will come back. */
static void blk_enter(struct blk *blk, struct virtq *q)
{
	while (io_uring_sq_ready(&blk->ring)) {
		int rc = io_uring_submit(&blk->ring);

		if (rc >= 0 || rc == -EINTR)
			continue;
		/* Out of memory for the moment: what is queued goes in with the next turn. */
		log_limited(LOG_WARN, blk->base.name, "io_uring_enter: %s", strerror(-rc));
		virtq_poke(q);
		return;
	}
}

/* blk_reap() - finish what has completed, submit what goes on, interrupt each driver once. */
static void blk_reap(struct blk *blk)
{
	struct io_uring_cqe *cqe;

	while (io_uring_peek_cqe(&blk->ring, &cqe) == 0) {
		struct request *r = io_uring_cqe_get_data(cqe);
		struct virtq *q = r->q;
		int res = cqe->res;

		io_uring_cqe_seen(&blk->ring, cqe);
		blk_complete(blk, r, res);
		blk_bounce_first(blk);
		blk_enter(blk, q);
	}
	for (unsigned int i = 0; i < blk->base.n_queues; i++) {
		if (blk->pushed[i])
			virtq_notify(blk->pushed[i]);
		blk->pushed[i] = NULL;
		if (blk->waiting[i] && blk->n_free && !blk->bounced_first && !blk->limit.waiting)
			virtq_poke(blk->waiting[i]);
	}
}

/* blk_may() - can one more request be taken? */
static bool blk_may(struct blk *blk)
{
	return blk->n_free && !blk->bounced_first && rate_limiter_may(&blk->limit);
}

/* blk_limit_over() - the rate limits allow more. */
static void blk_limit_over(void *ctx)
{
	struct blk *blk = ctx;

	for (unsigned int i = 0; i < blk->base.n_queues; i++)
		if (blk->waiting[i])
			virtq_poke(blk->waiting[i]);
}

static void blk_completed(void *ctx, uint32_t events)
{
	(void)events;
	blk_reap(ctx);
}

/* blk_kicked() - start what is in the ring of a queue, as far as there are free requests. */
static void blk_kicked(void *queue, uint32_t events)
{
	struct virtq *q = queue;
	struct blk *blk = q->device;
	bool may;

	(void)events;
	virtq_kicks(q, false);
	do {
		while ((may = blk_may(blk))) {
			struct request *r = &blk->requests[blk->free[blk->n_free - 1]];

			if (virtq_pop(q, &r->chain) <= 0)
				break;
			blk->n_free--;
			blk_start(blk, q, r);
		}
	} while (may && virtq_kicks(q, true));
	blk->waiting[q->index] = may ? NULL : q;
	blk_bounce_first(blk);
	blk_enter(blk, q);
	blk_reap(blk);
}

static void blk_drain(struct virtq *q)
{
	struct blk *blk = q->device;
	struct io_uring_cqe *cqe;

	while (q->in_flight) {
		blk_enter(blk, q);
		if (!io_uring_sq_ready(&blk->ring))
			io_uring_wait_cqe(&blk->ring, &cqe);
		blk_reap(blk);
	}
	blk->waiting[q->index] = NULL;
}

/* blk_measure() - learn the image's size, which may be another now. Return: 0 or -errno. */
static int blk_measure(struct blk *blk)
{
	off_t end = lseek(blk->fd, 0, SEEK_END);

	if (end < 0)
		return -errno;
	blk->size = align_down((uint64_t)end, blk->align);
	return 0;
}

static void blk_config(struct back_device *dev, uint8_t *bytes)
{
	struct blk *blk = (struct blk *)dev;
	uint32_t physical = blk->align > PAGE_SIZE ? blk->align : (uint32_t)PAGE_SIZE;
	int rc = blk_measure(blk);
	struct virtio_blk_config c = {
		.capacity = blk->size / VIRTIO_BLK_SECTOR,
		.seg_max = VIRTQ_CHAIN_MAX - 2,
		.blk_size = blk->block_size,
		.physical_block_exp = (uint8_t)__builtin_ctz(physical / blk->block_size),
		.min_io_size = (uint16_t)(physical / blk->block_size),
		.num_queues = dev->n_queues,
		.max_discard_sectors = MAX_RANGE_SECTORS,
		.max_discard_seg = 1,
		.discard_sector_alignment = blk->block_size / VIRTIO_BLK_SECTOR,
		.max_write_zeroes_sectors = MAX_RANGE_SECTORS,
		.max_write_zeroes_seg = 1,
		.write_zeroes_may_unmap = 1,
	};

	if (rc < 0)
		log_limited(LOG_WARN, dev->name, "image: size: %s", strerror(-rc));
	memcpy(bytes, &c, sizeof(c));
}

static void blk_set_features(struct back_device *dev, uint64_t features)
{
	struct blk *blk = (struct blk *)dev;

	/* A driver that can't flush takes a write for stable once it is answered (spec 5.2.6.2). */
	blk->write_through = !(features & VIRTIO_BLK_F_FLUSH);
}

static const struct back_device_ops ops = {
	.kicked = blk_kicked,
	.drain = blk_drain,
	.config = blk_config,
	.set_features = blk_set_features,
};

/* blk_open_ring() - an io_uring that can do what blk_submit() does and nothing else. */
static int blk_open_ring(struct blk *blk, struct err *e)
{
	static const uint8_t allowed[] = {
		IORING_OP_READV, IORING_OP_WRITEV, IORING_OP_FSYNC, IORING_OP_FALLOCATE};
	struct io_uring_restriction rows[ARRAY_SIZE(allowed)] = {0};
	int rc = io_uring_queue_init(BLK_IN_FLIGHT, &blk->ring, IORING_SETUP_R_DISABLED);

	if (rc < 0)
		return err_sys(e, -rc, "io_uring_setup");
	blk->have_ring = true;
	for (size_t i = 0; i < ARRAY_SIZE(allowed); i++) {
		rows[i].opcode = IORING_RESTRICTION_SQE_OP;
		rows[i].sqe_op = allowed[i];
	}
	/* System calls: Debian 12's liburing does not export these two. */
	if (syscall(SYS_io_uring_register, blk->ring.ring_fd, IORING_REGISTER_RESTRICTIONS, rows,
		    ARRAY_SIZE(rows)) < 0 ||
		syscall(SYS_io_uring_register, blk->ring.ring_fd, IORING_REGISTER_ENABLE_RINGS,
			NULL, 0) < 0)
		return err_sys(e, errno, "io_uring_register");
	blk->completions =
		(struct loop_source){.fd = blk->ring.ring_fd, .fn = blk_completed, .ctx = blk};
	return loop_add(blk->loop, &blk->completions, EPOLLIN, e);
}

/* blk_align() - learn what the kernel wants of direct requests. Return: 0 or -errno. */
static int blk_align(struct blk *blk, struct err *e)
{
	uint32_t align = PAGE_SIZE, memory_align = PAGE_SIZE; /* safe where it doesn't say */
	struct statx st;

	blk->align = VIRTIO_BLK_SECTOR;
	blk->memory_align = 1;
	if (!(fcntl(blk->fd, F_GETFL) & O_DIRECT))
		return 0;
	if (statx(blk->fd, "", AT_EMPTY_PATH, STATX_DIOALIGN, &st) == 0 &&
		(st.stx_mask & STATX_DIOALIGN) && st.stx_dio_offset_align) {
		align = st.stx_dio_offset_align;
		memory_align = st.stx_dio_mem_align;
	}
	blk->align = align > VIRTIO_BLK_SECTOR ? align : VIRTIO_BLK_SECTOR;
	blk->memory_align = memory_align;
	if (blk->align > BLK_BOUNCE_BYTES / 2 || (align & (align - 1)))
		return err_set(e, EINVAL, "image: direct requests in units of %u bytes", align);
	return blk_bounce_init(&blk->bounce, blk->align, e);
}

/* blk_open_image() - learn the image's size, block size and what it can do. */
static int blk_open_image(struct blk *blk, struct err *e)
{
	struct stat st;
	int rc, flags = fcntl(blk->fd, F_GETFL);

	if (flags < 0 || fstat(blk->fd, &st) < 0)
		return err_sys(e, errno, "image");
	if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
		return err_set(e, EINVAL, "image is neither a regular file nor a block device");
	if ((flags & O_ACCMODE) == O_WRONLY || ((flags & O_ACCMODE) == O_RDONLY && !blk->read_only))
		return err_set(e, EBADF, "image is not open for reading and writing");
	if (blk_align(blk, e) < 0)
		return -e->code;
	rc = blk_measure(blk);
	if (rc < 0)
		return err_sys(e, -rc, "image: size");
	/* A file's own sectors stay what its contents take for granted. */
	blk->block_size = S_ISBLK(st.st_mode) ? blk->align : VIRTIO_BLK_SECTOR;
	/* A hole behind the end changes nothing, but says whether holes can be made at all. */
	if (!blk->read_only &&
		(S_ISBLK(st.st_mode) ||
			fallocate(blk->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
				(off_t)align_up(blk->size + blk->align, PAGE_SIZE),
				PAGE_SIZE) == 0))
		blk->base.features |= VIRTIO_BLK_F_DISCARD | VIRTIO_BLK_F_WRITE_ZEROES;
	return 0;
}

int blk_create(struct blk **out, const struct blk_config *config, struct err *e)
{
	struct rate_limiter_config limit = {.limits = config->limits, .fn = blk_limit_over};
	struct blk *blk = calloc(1, sizeof(*blk));
	int fd = config->image_fd;

	*out = NULL;
	if (!blk) {
		fd_drop(&fd);
		return err_sys(e, ENOMEM, "blk");
	}
	blk->base.ops = &ops;
	blk->base.name = config->name;
	blk->base.n_queues = config->n_queues;
	blk->base.features = VIRTIO_BLK_F_SEG_MAX | VIRTIO_BLK_F_BLK_SIZE | VIRTIO_BLK_F_FLUSH |
		VIRTIO_BLK_F_MQ | VIRTIO_BLK_F_TOPOLOGY | (config->read_only ? VIRTIO_BLK_F_RO : 0);
	blk->loop = config->loop;
	blk->fd = fd;
	blk->read_only = config->read_only;
	memcpy(blk->serial, config->serial, sizeof(blk->serial));
	while (blk->n_free < BLK_IN_FLIGHT) {
		blk->free[blk->n_free] = (uint8_t)blk->n_free;
		blk->n_free++;
	}
	blk->bounced_last = &blk->bounced_first;
	limit.loop = blk->loop;
	limit.ctx = blk;
	if (rate_limiter_init(&blk->limit, &limit, e) < 0 || blk_open_image(blk, e) < 0 ||
		blk_open_ring(blk, e) < 0) {
		blk_destroy(blk);
		return err_context(e, "blk");
	}
	*out = blk;
	return 0;
}

void blk_destroy(struct blk *blk)
{
	if (!blk)
		return;
	loop_remove(blk->loop, &blk->completions);
	if (blk->have_ring)
		io_uring_queue_exit(&blk->ring);
	rate_limiter_fini(&blk->limit);
	blk_bounce_fini(&blk->bounce);
	fd_drop(&blk->fd);
	free(blk);
}

struct back_device *blk_device(struct blk *blk)
{
	return &blk->base;
}
