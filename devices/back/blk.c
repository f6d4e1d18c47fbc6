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

struct request {
	struct virtq *q;
	uint8_t op;        /* of io_uring; NOP: only the answer is left to give */
	uint8_t answer;    /* VIRTIO_BLK_S_*, if the operation succeeds */
	uint32_t fills;    /* bytes of data that the driver gets then */
	uint64_t at;       /* byte of the image */
	uint64_t left;     /* bytes of a read or write not yet done: the result that is awaited */
	uint64_t len;      /* bytes of all of it, but of a flush */
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
	bool read_only, write_through, have_ring, limited;
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
	struct virtq *waiting[DEVICE_QUEUES_MAX]; /* queues that wait until they may go on */
	bool any_waiting;
	struct virtq *kicked; /* last */
	struct request requests[BLK_IN_FLIGHT];
};

static bool blk_moves(const struct request *r)
{
	return r->op == IORING_OP_READV || r->op == IORING_OP_WRITEV;
}

/*
 * What a request type but "read" wants, for blk_start() to check and start: its operation, the
 * sector in at, the bytes in left. One that is refused is left without an operation.
 */
static void blk_want_write(struct blk *blk, struct request *r)
{
	size_t skip = sizeof(struct virtio_blk_header);

	if (blk->read_only)
		return; /* spec 5.2.6.2 */
	r->op = IORING_OP_WRITEV;
	r->iov = r->chain.iov;
	r->n_iov = r->chain.n_out;
	r->left = r->chain.out_len - skip;
	while (r->n_iov && skip >= r->iov->iov_len) {
		skip -= r->iov->iov_len;
		r->iov++;
		r->n_iov--;
	}
	if (r->n_iov) {
		r->iov->iov_base = (uint8_t *)r->iov->iov_base + skip;
		r->iov->iov_len -= skip;
	}
}

static void blk_want_id(struct blk *blk, struct request *r)
{
	r->fills = (uint32_t)virtq_copy_in(
		&r->chain, 0, blk->serial, min_u64(r->chain.in_len - 1, sizeof(blk->serial)));
	r->answer = VIRTIO_BLK_S_OK;
}

/* spec 5.2.6.2: unknown flags, and unmap in a discard, are "not supported" */
static void blk_want_range(struct blk *blk, struct request *r, bool zeroes)
{
	uint32_t known = zeroes ? VIRTIO_BLK_UNMAP : 0;
	struct virtio_blk_range range;

	if (blk->read_only || r->chain.out_len != sizeof(struct virtio_blk_header) + sizeof(range))
		return;
	virtq_copy_out(&r->chain, sizeof(struct virtio_blk_header), &range, sizeof(range));
	if (range.flags & ~known)
		r->answer = VIRTIO_BLK_S_UNSUPP;
	if (range.flags & ~known || range.num_sectors > MAX_RANGE_SECTORS)
		return;
	r->op = IORING_OP_FALLOCATE;
	r->mode = FALLOC_FL_KEEP_SIZE |
		(zeroes && !(range.flags & VIRTIO_BLK_UNMAP) ? FALLOC_FL_ZERO_RANGE
							     : FALLOC_FL_PUNCH_HOLE);
	r->at = range.sector;
	r->left = (uint64_t)range.num_sectors * VIRTIO_BLK_SECTOR;
}

static void blk_want(struct blk *blk, struct request *r, uint32_t type)
{
	switch (type) {
	case VIRTIO_BLK_T_OUT:
		blk_want_write(blk, r);
		break;
	case VIRTIO_BLK_T_FLUSH:
		r->op = IORING_OP_FSYNC;
		r->answer = VIRTIO_BLK_S_OK;
		break;
	case VIRTIO_BLK_T_GET_ID:
		blk_want_id(blk, r);
		break;
	case VIRTIO_BLK_T_DISCARD:
	case VIRTIO_BLK_T_WRITE_ZEROES:
		blk_want_range(blk, r, type == VIRTIO_BLK_T_WRITE_ZEROES);
		break;
	default:
		r->answer = VIRTIO_BLK_S_UNSUPP;
		break;
	}
}

/* blk_submit() - put the operation of r, or what is left of it, into the ring. */
static void blk_submit(struct blk *blk, struct request *r)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&blk->ring);

	assert(sqe); /* the ring has an entry for each request */
	blk->n_operations++;
	switch (r->op) {
	case IORING_OP_READV:
		io_uring_prep_readv(sqe, blk->fd, r->iov, r->n_iov, r->at);
		break;
	case IORING_OP_WRITEV:
		io_uring_prep_writev2(
			sqe, blk->fd, r->iov, r->n_iov, r->at, blk->write_through ? RWF_DSYNC : 0);
		break;
	case IORING_OP_FSYNC:
		io_uring_prep_fsync(sqe, blk->fd, IORING_FSYNC_DATASYNC);
		break;
	case IORING_OP_FALLOCATE:
		io_uring_prep_fallocate(sqe, blk->fd, r->mode, (off_t)r->at, (off_t)r->len);
		break;
	default:
		io_uring_prep_nop(sqe);
		break;
	}
	io_uring_sqe_set_data(sqe, r);
}

/* blk_aligned() - may the kernel be given what is left of r as it is? */
static bool blk_aligned(const struct blk *blk, const struct request *r)
{
	if (!blk_moves(r))
		return true;
	if (!is_aligned(r->at | r->left, blk->align))
		return false;
	for (unsigned int i = 0; i < r->n_iov; i++)
		if (!is_aligned((uintptr_t)r->iov[i].iov_base, blk->memory_align) ||
			!is_aligned(r->iov[i].iov_len, blk->align))
			return false;
	return true;
}

/* blk_wait_turn() - have r wait until it can be carried out alone. */
static void blk_wait_turn(struct blk *blk, struct request *r)
{
	r->next_bounced = NULL;
	*blk->bounced_last = r;
	blk->bounced_last = &r->next_bounced;
}

/* blk_bounce_step() - the next operation of the request that is carried out alone, if any. */
static bool blk_bounce_step(struct blk *blk, struct request *r)
{
	const struct blk_bounce_op *op = &blk->bounce_op;

	if (!blk_bounce_next(&blk->bounce, &blk->bounce_op))
		return false;
	blk->bounce_iov = (struct iovec){blk->bounce.buffer, op->len};
	r->op = op->write ? IORING_OP_WRITEV : IORING_OP_READV;
	r->iov = &blk->bounce_iov;
	r->n_iov = 1;
	r->at = op->at;
	blk_submit(blk, r);
	return true;
}

/* blk_bounce_first() - begin with the first of the unaligned requests. */
static void blk_bounce_first(struct blk *blk)
{
	struct request *r = blk->bounced_first;

	blk->bounce.iov = r->iov;
	blk->bounce.n_iov = r->n_iov;
	blk_bounce_begin(&blk->bounce, r->op == IORING_OP_WRITEV, r->at, r->left);
	blk_bounce_step(blk, r);
}

/*
 * blk_start() - check a popped request and put its operation into the ring. One that is refused, or
 * done already, gets an operation that does nothing, so that all are answered in one place.
 */
static void blk_start(struct blk *blk, struct virtq *q, struct request *r)
{
	struct chain *c = &r->chain;
	struct iovec *last = &c->iov[c->n_out + c->n_in - 1];
	struct virtio_blk_header h;

	if (c->out_len < sizeof(h) || !c->in_len) {
		virtq_break(q, "request without header or status byte (spec 5.2.6)");
		virtq_push(q, c->head, 0);
		blk->free[blk->n_free++] = (uint8_t)(r - blk->requests);
		return;
	}
	if (c->iov->iov_len >= sizeof(h)) /* fetched once, here or there */
		memcpy(&h, c->iov->iov_base, sizeof(h));
	else
		virtq_copy_out(c, 0, &h, sizeof(h));
	__asm__ volatile("" : : "r"(&h) : "memory");
	r->q = q;
	r->status = (uint8_t *)last->iov_base + --last->iov_len;
	r->op = IORING_OP_NOP;
	r->answer = VIRTIO_BLK_S_IOERR;
	r->fills = 0;
	r->at = h.sector;
	r->left = 0;
	if (h.type == VIRTIO_BLK_T_IN) {
		r->op = IORING_OP_READV;
		r->iov = c->iov + c->n_out;
		r->n_iov = last->iov_len ? c->n_in : c->n_in - 1u;
		r->left = c->in_len - 1;
		r->fills = (uint32_t)r->left;
	} else {
		blk_want(blk, r, h.type);
	}
	if (blk->limited)
		rate_limiter_take(&blk->limit, blk_moves(r) ? r->left : 0);
	if (r->op != IORING_OP_NOP && r->op != IORING_OP_FSYNC) {
		bool fits = r->left && r->left % VIRTIO_BLK_SECTOR == 0 &&
			r->at <= blk->size / VIRTIO_BLK_SECTOR &&
			range_in(r->at * VIRTIO_BLK_SECTOR, r->left, blk->size);

		r->at *= VIRTIO_BLK_SECTOR;
		r->answer = VIRTIO_BLK_S_OK;
		r->len = r->left;
		if (!fits) {
			r->op = IORING_OP_NOP;
			r->answer = VIRTIO_BLK_S_IOERR;
			r->fills = 0;
		}
		if (r->op != IORING_OP_READV && r->op != IORING_OP_WRITEV)
			r->left = 0;
	}
	if (blk->bounce.buffer && !blk_aligned(blk, r))
		blk_wait_turn(blk, r);
	else
		blk_submit(blk, r);
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

/*
 * blk_goes_on() - an operation failed, or did not do all of its request.
 * Return: true if the next one is on its way, false if r is over.
 */
static bool blk_goes_on(struct blk *blk, struct request *r, int res)
{
	if (r == blk->bounced_first) {
		res = blk_bounce_done(&blk->bounce, &blk->bounce_op, res);
		if (res == 0 && blk_bounce_step(blk, r))
			return true;
		blk->bounced_first = r->next_bounced;
		if (!blk->bounced_first)
			blk->bounced_last = &blk->bounced_first;
		if (res == 0)
			return false;
	} else if (res > 0 && (uint64_t)res < r->left) {
		blk_advance(r, (uint64_t)res);
		if (blk->bounce.buffer && !blk_aligned(blk, r))
			blk_wait_turn(blk, r);
		else
			blk_submit(blk, r);
		return true;
	}
	r->answer = res == -EOPNOTSUPP ? VIRTIO_BLK_S_UNSUPP : VIRTIO_BLK_S_IOERR;
	r->fills = 0;
	log_limited(LOG_WARN, blk->base.name, "operation %u at byte %llu: %s", r->op,
		(unsigned long long)r->at, res < 0 ? strerror(-res) : "end of image");
	return false;
}

/* blk_wake() - have the queues looked at again that waited. Also: the rate limits allow more. */
static void blk_wake(void *device)
{
	struct blk *blk = device;

	for (unsigned int i = 0; i < blk->base.n_queues; i++)
		if (blk->waiting[i])
			virtq_poke(blk->waiting[i]);
	blk->any_waiting = false;
}

/*
 * blk_turn() - hand operations to the kernel, answer what has ended, interrupt the drivers. It is
 * the callback of the ring's descriptor, too, which says that something has ended.
 */
static void blk_turn(void *device, uint32_t events)
{
	struct blk *blk = device;
	struct virtq_done done[BLK_IN_FLIGHT];
	struct io_uring_cqe *cqe;
	unsigned int n;
	int rc = 0;

	(void)events;
	do {
		struct virtq *q = NULL;

		if (blk->bounced_first && !blk->n_operations)
			blk_bounce_first(blk);
		if (io_uring_sq_ready(&blk->ring))
			rc = io_uring_submit(&blk->ring);
		if (rc < 0 && rc != -EINTR) { /* out of memory for the moment: try again */
			log_limited(LOG_WARN, blk->base.name, "io_uring_enter: %s", strerror(-rc));
			virtq_poke(blk->kicked);
		}
		for (n = 0; io_uring_peek_cqe(&blk->ring, &cqe) == 0;) {
			struct request *r = io_uring_cqe_get_data(cqe);
			int res = cqe->res;

			if (n && r->q != q)
				break;
			io_uring_cqe_seen(&blk->ring, cqe);
			blk->n_operations--;
			if ((r->left != (uint64_t)res || r == blk->bounced_first) &&
				blk_goes_on(blk, r, res))
				continue;
			*r->status = r->answer;
			if (r->answer)
				queue_stats_error(r->q->stats);
			else if (r->op == IORING_OP_READV || r->op == IORING_OP_WRITEV)
				queue_stats_move(r->q->stats, r->op == IORING_OP_WRITEV, r->len);
			/* From the front of the writable part: the status counts if all else does.
			 */
			done[n++] = (struct virtq_done){
				r->chain.head, r->fills + (r->fills + 1 == r->chain.in_len)};
			q = r->q;
			blk->free[blk->n_free++] = (uint8_t)(r - blk->requests);
		}
		if (n) {
			virtq_push_all(q, done, n);
			virtq_notify(q);
		}
	} while (n || (io_uring_sq_ready(&blk->ring) && (rc >= 0 || rc == -EINTR)));
	if (blk->any_waiting && blk->n_free && !blk->bounced_first && !blk->limit.waiting)
		blk_wake(blk);
}

/* blk_kicked() - start what is in the ring of a queue, as far as there are free requests. */
static void blk_kicked(void *queue, uint32_t events)
{
	struct virtq *q = queue;
	struct blk *blk = q->device;
	bool may;

	(void)events;
	while ((may = blk->n_free && !blk->bounced_first &&
			(!blk->limited || rate_limiter_may(&blk->limit)))) {
		struct request *r = &blk->requests[blk->free[blk->n_free - 1]];

		if (virtq_pop(q, &r->chain) <= 0)
			break;
		blk->n_free--;
		blk_start(blk, q, r);
	}
	blk->waiting[q->index] = may ? NULL : q;
	blk->any_waiting |= !may;
	blk->kicked = q;
	blk_turn(blk, 0);
}

static void blk_drain(struct virtq *q)
{
	struct blk *blk = q->device;
	struct io_uring_cqe *cqe;

	for (blk_turn(blk, 0); q->in_flight; blk_turn(blk, 0))
		if (!io_uring_sq_ready(&blk->ring))
			io_uring_wait_cqe(&blk->ring, &cqe);
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
	static const uint8_t allowed[] = {IORING_OP_NOP, IORING_OP_READV, IORING_OP_WRITEV,
		IORING_OP_FSYNC, IORING_OP_FALLOCATE};
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
		(struct loop_source){.fd = blk->ring.ring_fd, .fn = blk_turn, .ctx = blk};
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
	struct rate_limiter_config limit = {.limits = config->limits, .fn = blk_wake};
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
	blk->limited = blk->limit.timer.fd >= 0;
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
