/* SPDX-License-Identifier: Apache-2.0 */
#include "devices/back/blk.h"

#include "base/fd.h"
#include "devices/wire/virtio_blk.h"
#include "tests/unit/devices/rig.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>

#define QUEUES   RIG_QUEUES
#define SECTORS  64u
#define HEADER   RIG_DATA
#define BUFFER   (RIG_DATA + 0x1000u)
#define STATUS   (RIG_DATA + 0x20000u)
#define UNSET    0xee /* what the status byte holds before */
#define FEATURES (VIRTIO_BLK_F_FLUSH | VIRTIO_BLK_F_MQ)

struct fixture {
	struct rig rig;
	struct blk *blk;
	int image;     /* the test's own descriptor */
	uint64_t skew; /* how far data lie from the beginning of a page */
};

static int new_image(void)
{
	uint8_t sector[VIRTIO_BLK_SECTOR];
	int fd = memfd_create("image", MFD_CLOEXEC);

	for (unsigned int i = 0; i < SECTORS; i++) {
		memset(sector, (int)(i + 1), sizeof(sector));
		assert_int_equal(fd_write_full(fd, sector, sizeof(sector)), 0);
	}
	assert_int_equal(ftruncate(fd, SECTORS * VIRTIO_BLK_SECTOR + 100), 0);
	return fd;
}

/* open_with() - a device as config says, on image, which is the fixture's now. */
static void open_with(struct fixture *f, struct blk_config config, int image, uint64_t features)
{
	struct err e = ERR_INIT;

	memset(f, 0, sizeof(*f));
	rig_open(&f->rig);
	f->image = image;
	assert_int_equal(loop_create(&f->rig.loop, &e), 0);
	config.name = "test";
	config.n_queues = QUEUES;
	config.loop = f->rig.loop;
	config.image_fd = dup(f->image);
	if (blk_create(&f->blk, &config, &e) < 0)
		fail_msg("%s", e.text);
	rig_serve(&f->rig, blk_device(f->blk));
	rig_start(&f->rig, QUEUES, features);
}

static void open_blk(struct fixture *f, bool read_only, uint64_t features)
{
	struct blk_config config = {.read_only = read_only, .serial = "serial-0123456789ab"};

	open_with(f, config, new_image(), features);
}

static void close_blk(struct fixture *f)
{
	struct loop *loop = f->rig.loop;

	vhost_user_server_destroy(f->rig.server);
	f->rig.server = NULL;
	blk_destroy(f->blk);
	f->rig.loop = NULL;
	loop_destroy(loop);
	rig_close(&f->rig);
	fd_drop(&f->image);
}

struct request {
	uint32_t type;
	uint64_t sector;
	uint32_t out, in; /* bytes of data; at most one is not 0 */
};

/* put_request() - make a request available: header, data, status byte, from descriptor first on. */
static void put_request(struct fixture *f, unsigned int q, uint16_t first, struct request r)
{
	const struct virtio_blk_header h = {.type = r.type, .sector = r.sector};
	uint64_t table = RIG_DESC(q), shift = 32u * first;
	uint16_t at = first;

	memcpy(rig_at(&f->rig, HEADER + shift), &h, sizeof(h));
	*(uint8_t *)rig_at(&f->rig, STATUS + first) = UNSET;
	rig_desc(&f->rig, table, at,
		(struct rig_desc){HEADER + shift, sizeof(h), RIG_NEXT, (uint16_t)(at + 1)});
	at++;
	if (r.out || r.in) {
		rig_desc(&f->rig, table, at,
			(struct rig_desc){BUFFER + f->skew + 0x1000u * first, r.out ? r.out : r.in,
				(uint16_t)(RIG_NEXT | (r.in ? RIG_WRITE : 0)), (uint16_t)(at + 1)});
		at++;
	}
	rig_desc(&f->rig, table, at, (struct rig_desc){STATUS + first, 1, RIG_WRITE, 0});
	rig_offer(&f->rig, q, first);
}

/* wait_used() - let the loop run until queue q has used n chains. */
static void wait_used(struct fixture *f, unsigned int q, uint16_t n)
{
	for (int i = 0; i < 5000 && rig_used(&f->rig, q) != n; i++)
		assert_int_equal(loop_run_once(f->rig.loop, 1), 0);
	assert_int_equal(rig_used(&f->rig, q), n);
}

/* do_request() - one request on queue 0. Return: its status byte. */
static uint8_t do_request(struct fixture *f, struct request r)
{
	uint16_t n = (uint16_t)(rig_used(&f->rig, 0) + 1);

	put_request(f, 0, 0, r);
	rig_kick(&f->rig, 0);
	wait_used(f, 0, n);
	return *(uint8_t *)rig_at(&f->rig, STATUS);
}

static uint32_t last_len(struct fixture *f)
{
	return rig_used_len(&f->rig, 0, (unsigned int)(rig_used(&f->rig, 0) - 1));
}

static void blk_reads_and_writes_where_asked(void **state)
{
	struct fixture f;
	uint8_t *data, back[1024];

	(void)state;
	open_blk(&f, false, FEATURES);
	data = rig_at(&f.rig, BUFFER);
	assert_int_equal(do_request(&f, (struct request){VIRTIO_BLK_T_IN, 5, 0, 1024}), 0);
	assert_int_equal(data[0], 6);
	assert_int_equal(data[1023], 7);
	assert_int_equal(last_len(&f), 1025);
	memset(data, 0xab, 1024);
	assert_int_equal(do_request(&f, (struct request){VIRTIO_BLK_T_OUT, 62, 1024, 0}), 0);
	assert_int_equal(last_len(&f), 1);
	assert_int_equal(fd_pread_full(f.image, back, sizeof(back), 62 * 512), 0);
	assert_memory_equal(back, data, sizeof(back));
	assert_int_equal(fd_pread_full(f.image, back, 1, 62 * 512 - 1), 0);
	assert_int_equal(back[0], 62);
	assert_int_equal(do_request(&f, (struct request){VIRTIO_BLK_T_FLUSH}), 0);
	assert_true(rig_count(f.rig.call[0]) > 0);
	close_blk(&f);
}

static void blk_writes_through_when_driver_can_not_flush(void **state)
{
	struct fixture f;

	(void)state;
	open_blk(&f, false, 0);
	assert_int_equal(do_request(&f, (struct request){VIRTIO_BLK_T_OUT, 0, 512, 0}), 0);
	close_blk(&f);
}

static void blk_takes_any_layout_of_buffers(void **state)
{
	const struct virtio_blk_header h = {.type = VIRTIO_BLK_T_OUT, .sector = 1};
	uint8_t *data, back[512];
	struct fixture f;

	(void)state;
	open_blk(&f, false, FEATURES);
	/* Header split in two and grown together with the data; then status behind the data read.
	 */
	data = rig_at(&f.rig, BUFFER);
	memcpy(data, &h, sizeof(h));
	memset(data + 16, 0x5a, 512);
	rig_desc(&f.rig, RIG_DESC(0), 0, (struct rig_desc){BUFFER, 9, RIG_NEXT, 1});
	rig_desc(&f.rig, RIG_DESC(0), 1, (struct rig_desc){BUFFER + 9, 100, RIG_NEXT, 2});
	rig_desc(&f.rig, RIG_DESC(0), 2, (struct rig_desc){BUFFER + 109, 419, RIG_NEXT, 3});
	rig_desc(&f.rig, RIG_DESC(0), 3, (struct rig_desc){STATUS, 1, RIG_WRITE, 0});
	rig_offer(&f.rig, 0, 0);
	rig_kick(&f.rig, 0);
	wait_used(&f, 0, 1);
	assert_int_equal(fd_pread_full(f.image, back, sizeof(back), 512), 0);
	assert_memory_equal(back, data + 16, sizeof(back));
	memset(data, 0, sizeof(h));
	data[8] = 1;
	rig_desc(&f.rig, RIG_DESC(0), 0, (struct rig_desc){BUFFER, 16, RIG_NEXT, 1});
	rig_desc(&f.rig, RIG_DESC(0), 1,
		(struct rig_desc){BUFFER + 0x1000, 300, RIG_NEXT | RIG_WRITE, 2});
	rig_desc(&f.rig, RIG_DESC(0), 2, (struct rig_desc){BUFFER + 0x2000, 213, RIG_WRITE, 0});
	rig_offer(&f.rig, 0, 0);
	rig_kick(&f.rig, 0);
	wait_used(&f, 0, 2);
	assert_int_equal(data[0x1000], 0x5a);
	assert_int_equal(data[0x20d3], 0x5a);
	assert_int_equal(data[0x20d4], 0);
	assert_int_equal(last_len(&f), 513);
	close_blk(&f);
}

static void blk_answers_its_serial(void **state)
{
	struct fixture f;

	(void)state;
	open_blk(&f, false, FEATURES);
	assert_int_equal(do_request(&f, (struct request){VIRTIO_BLK_T_GET_ID, 0, 0, 20}), 0);
	assert_memory_equal(rig_at(&f.rig, BUFFER), "serial-0123456789ab", 20);
	assert_int_equal(last_len(&f), 21);
	close_blk(&f);
}

static void blk_tells_its_configuration(void **state)
{
	struct {
		uint32_t offset, size, flags;
		struct virtio_blk_config c;
	} __attribute__((packed)) all = {.size = sizeof(all.c)};
	struct vhost_user_header h;
	struct fixture f;

	(void)state;
	open_blk(&f, false, FEATURES);
	rig_send(&f.rig, VHOST_USER_GET_CONFIG, &all, sizeof(all), -1);
	assert_int_equal(rig_reply(&f.rig, &h, &all, sizeof(all)), sizeof(all));
	assert_int_equal(all.c.capacity, SECTORS);
	assert_int_equal(all.c.num_queues, QUEUES);
	assert_int_equal(all.c.blk_size, 512);
	assert_int_equal(all.c.seg_max, VIRTQ_CHAIN_MAX - 2);
	close_blk(&f);
}

/* Requests that are answered with an error and change nothing (spec 5.2.6). */
static const struct bad_request {
	const char *what, *section;
	bool read_only;
	struct request r;
	uint8_t status;
} bad_requests[] = {
	{"unknown type", "5.2.6.2", false, {99, 0, 0, 512}, VIRTIO_BLK_S_UNSUPP},
	{"type of SCSI command", "5.2.6", false, {2, 0, 512, 0}, VIRTIO_BLK_S_UNSUPP},
	{"read at capacity", "5.2.6.1", false, {0, SECTORS, 0, 512}, VIRTIO_BLK_S_IOERR},
	{"read across capacity", "5.2.6.1", false, {0, SECTORS - 1, 0, 1024}, VIRTIO_BLK_S_IOERR},
	{"read of sector that wraps", "5.2.6.1", false, {0, UINT64_MAX, 0, 512},
		VIRTIO_BLK_S_IOERR},
	{"read, byte offset wraps", "5.2.6.1", false, {0, UINT64_C(1) << 55, 0, 512}, 1},
	{"read of half a sector", "5.2.6.1", false, {0, 0, 0, 100}, VIRTIO_BLK_S_IOERR},
	{"read of nothing", "5.2.6.1", false, {0, 0, 0, 0}, VIRTIO_BLK_S_IOERR},
	{"read, wrong direction", "5.2.6", false, {0, 0, 512, 0}, VIRTIO_BLK_S_IOERR},
	{"write at capacity", "5.2.6.1", false, {1, SECTORS, 512, 0}, VIRTIO_BLK_S_IOERR},
	{"write of half a sector", "5.2.6.1", false, {1, 0, 513, 0}, VIRTIO_BLK_S_IOERR},
	{"write of nothing", "5.2.6.1", false, {1, 0, 0, 0}, VIRTIO_BLK_S_IOERR},
	{"write, wrong direction", "5.2.6", false, {1, 0, 0, 512}, VIRTIO_BLK_S_IOERR},
	{"write to read-only", "5.2.6.2", true, {1, 0, 512, 0}, VIRTIO_BLK_S_IOERR},
	{"discard on read-only", "5.2.6.2", true, {11, 0, 16, 0}, VIRTIO_BLK_S_IOERR},
	{"discard of no range", "5.2.6.2", false, {11, 0, 0, 0}, VIRTIO_BLK_S_IOERR},
	{"discard of half a range", "5.2.6.2", false, {11, 0, 8, 0}, VIRTIO_BLK_S_IOERR},
	{"discard of two ranges", "5.2.6.2", false, {11, 0, 32, 0}, VIRTIO_BLK_S_IOERR},
	{"discard of no sectors", "5.2.6.2", false, {11, 0, 16, 0}, VIRTIO_BLK_S_IOERR},
};

static void blk_answers_error_when_request_is_malformed(void **state)
{
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad_requests); i++) {
		const struct bad_request *b = &bad_requests[i];
		uint8_t status, first = 0;

		open_blk(&f, b->read_only, FEATURES);
		status = do_request(&f, b->r);
		if (status != b->status)
			fail_msg("%s (%s): status %u", b->what, b->section, status);
		assert_int_equal(rig_count(f.rig.err[0]), 0);
		assert_int_equal(fd_pread_full(f.image, &first, 1, 0), 0);
		assert_int_equal(first, 1);
		close_blk(&f);
	}
}

static void blk_breaks_when_there_is_no_header_or_status(void **state)
{
	static const struct rig_desc chains[][2] = {
		{{HEADER, 16, 0, 0}},                                   /* no status byte */
		{{STATUS, 1, RIG_WRITE, 0}},                            /* no header */
		{{HEADER, 15, RIG_NEXT, 1}, {STATUS, 1, RIG_WRITE, 0}}, /* header too short */
	};
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(chains); i++) {
		open_blk(&f, false, FEATURES);
		rig_desc(&f.rig, RIG_DESC(0), 0, chains[i][0]);
		rig_desc(&f.rig, RIG_DESC(0), 1, chains[i][1]);
		rig_offer(&f.rig, 0, 0);
		rig_kick(&f.rig, 0);
		assert_int_equal(rig_count(f.rig.err[0]), 1);
		assert_int_equal(rig_used(&f.rig, 0), 0);
		assert_int_equal(vhost_user_server_result(f.rig.server), -EINPROGRESS);
		close_blk(&f);
	}
}

static void put_range(struct fixture *f, uint64_t sector, uint32_t sectors, uint32_t flags)
{
	const struct virtio_blk_range range = {sector, sectors, flags};

	memcpy(rig_at(&f->rig, BUFFER), &range, sizeof(range));
}

static void blk_discards_and_writes_zeroes(void **state)
{
	static const struct {
		uint32_t type;
		uint64_t sector;
		uint32_t sectors, flags;
		uint8_t status;
	} rows[] = {
		{VIRTIO_BLK_T_DISCARD, 8, 8, 0, VIRTIO_BLK_S_OK},
		{VIRTIO_BLK_T_DISCARD, 8, 8, VIRTIO_BLK_UNMAP, VIRTIO_BLK_S_UNSUPP},
		{VIRTIO_BLK_T_DISCARD, 8, 8, 2, VIRTIO_BLK_S_UNSUPP},
		{VIRTIO_BLK_T_DISCARD, 8, SECTORS, 0, VIRTIO_BLK_S_IOERR},
		{VIRTIO_BLK_T_DISCARD, UINT64_MAX, 8, 0, VIRTIO_BLK_S_IOERR},
		{VIRTIO_BLK_T_DISCARD, 0, UINT32_MAX, 0, VIRTIO_BLK_S_IOERR},
		{VIRTIO_BLK_T_WRITE_ZEROES, 8, 8, VIRTIO_BLK_UNMAP, VIRTIO_BLK_S_OK},
		{VIRTIO_BLK_T_WRITE_ZEROES, 8, 8, 4, VIRTIO_BLK_S_UNSUPP},
	};
	struct fixture f;
	uint8_t back[3];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		bool done = rows[i].status == VIRTIO_BLK_S_OK;

		open_blk(&f, false, FEATURES | VIRTIO_BLK_F_DISCARD | VIRTIO_BLK_F_WRITE_ZEROES);
		put_range(&f, rows[i].sector, rows[i].sectors, rows[i].flags);
		assert_int_equal(
			do_request(&f, (struct request){rows[i].type, 0, 16, 0}), rows[i].status);
		assert_int_equal(fd_pread_full(f.image, back, 1, 7 * 512), 0);
		assert_int_equal(fd_pread_full(f.image, back + 1, 1, 8 * 512), 0);
		assert_int_equal(fd_pread_full(f.image, back + 2, 1, 16 * 512), 0);
		assert_int_equal(back[0], 8);
		assert_int_equal(back[1], done ? 0 : 9);
		assert_int_equal(back[2], 17);
		close_blk(&f);
	}
}

static void blk_finishes_each_of_many_requests_once(void **state)
{
	uint16_t total = 0;
	struct fixture f;

	(void)state;
	open_blk(&f, false, FEATURES | VIRTIO_F_EVENT_IDX);
	for (unsigned int round = 0; round < 200; round++) {
		for (uint16_t i = 0; i < 5; i++)
			for (unsigned int q = 0; q < 2; q++)
				put_request(&f, q, (uint16_t)(3 * i),
					(struct request){VIRTIO_BLK_T_IN, i, 0, 512});
		total = (uint16_t)(total + 5);
		rig_kick(&f.rig, 0);
		rig_kick(&f.rig, 1);
		wait_used(&f, 0, total);
		wait_used(&f, 1, total);
		for (uint16_t i = 0; i < 5; i++) {
			assert_int_equal(*(uint8_t *)rig_at(&f.rig, STATUS + 3 * i), 0);
			assert_int_equal(
				*(uint8_t *)rig_at(&f.rig, BUFFER + 0x1000 * 3 * i), i + 1);
		}
	}
	close_blk(&f);
}

static void blk_goes_on_when_more_is_asked_than_it_takes_at_once(void **state)
{
	uint64_t total = 0;
	struct fixture f;

	(void)state;
	open_blk(&f, false, FEATURES);
	/* Flushes do not end at once, so that the queues fill what is there for requests. */
	for (unsigned int q = 0; q < QUEUES; q++) {
		for (uint16_t i = 0; i < RIG_NUM; i = (uint16_t)(i + 2))
			put_request(&f, q, i, (struct request){VIRTIO_BLK_T_FLUSH, 0, 0, 0});
		total += RIG_NUM / 2;
	}
	assert_true(total > BLK_IN_FLIGHT);
	for (unsigned int q = 0; q < QUEUES; q++)
		assert_int_equal(eventfd_write(f.rig.kick[q], 1), 0);
	for (unsigned int q = 0; q < QUEUES; q++)
		wait_used(&f, q, RIG_NUM / 2);
	close_blk(&f);
}

static void blk_refuses_discard_longer_than_it_said(void **state)
{
	const uint32_t most = (uint32_t)(GIB(1) / VIRTIO_BLK_SECTOR);
	struct blk_config config = {.name = "test", .n_queues = 1};
	struct err e = ERR_INIT;
	struct fixture f;

	(void)state;
	memset(&f, 0, sizeof(f));
	rig_open(&f.rig);
	f.image = memfd_create("image", MFD_CLOEXEC);
	assert_int_equal(ftruncate(f.image, (off_t)GIB(2)), 0);
	assert_int_equal(loop_create(&f.rig.loop, &e), 0);
	config.loop = f.rig.loop;
	config.image_fd = dup(f.image);
	assert_int_equal(blk_create(&f.blk, &config, &e), 0);
	rig_serve(&f.rig, blk_device(f.blk));
	rig_start(&f.rig, 1, FEATURES);
	put_range(&f, 0, most + 1, 0);
	assert_int_equal(do_request(&f, (struct request){VIRTIO_BLK_T_DISCARD, 0, 16, 0}),
		VIRTIO_BLK_S_IOERR);
	put_range(&f, 0, most, 0);
	assert_int_equal(
		do_request(&f, (struct request){VIRTIO_BLK_T_DISCARD, 0, 16, 0}), VIRTIO_BLK_S_OK);
	close_blk(&f);
}

static void blk_drains_when_queue_stops_with_requests_in_flight(void **state)
{
	struct vhost_user_vring_state base = {0, 0};
	struct vhost_user_header h;
	struct fixture f;

	(void)state;
	open_blk(&f, false, FEATURES);
	for (uint16_t i = 0; i < 5; i++)
		put_request(
			&f, 0, (uint16_t)(3 * i), (struct request){VIRTIO_BLK_T_FLUSH, 0, 0, 0});
	rig_kick(&f.rig, 0);
	rig_send(&f.rig, VHOST_USER_GET_VRING_BASE, &base, sizeof(base), -1);
	assert_int_equal(rig_reply(&f.rig, &h, &base, sizeof(base)), sizeof(base));
	assert_int_equal(base.num, 5);
	assert_int_equal(rig_used(&f.rig, 0), 5);
	close_blk(&f);
}

static void blk_answers_error_when_image_shrinks(void **state)
{
	struct fixture f;

	(void)state;
	open_blk(&f, false, FEATURES);
	assert_int_equal(ftruncate(f.image, 10 * 512 + 256), 0);
	assert_int_equal(
		do_request(&f, (struct request){VIRTIO_BLK_T_IN, 10, 0, 512}), VIRTIO_BLK_S_IOERR);
	assert_int_equal(last_len(&f), 0);
	assert_int_equal(do_request(&f, (struct request){VIRTIO_BLK_T_IN, 9, 0, 512}), 0);
	close_blk(&f);
}

static void blk_refuses_descriptor_that_is_no_disk(void **state)
{
	struct err e = ERR_INIT;
	struct blk_config config = {.name = "test", .n_queues = 1};
	struct loop *loop;
	struct blk *blk;

	(void)state;
	assert_int_equal(loop_create(&loop, &e), 0);
	config.loop = loop;
	config.image_fd = open("/", O_RDONLY | O_DIRECTORY);
	assert_int_equal(blk_create(&blk, &config, &e), -EINVAL);
	config.image_fd = open("/dev/null", O_RDWR);
	assert_int_equal(blk_create(&blk, &config, &e), -EINVAL);
	config.image_fd = open("/proc/self/exe", O_RDONLY);
	assert_int_equal(blk_create(&blk, &config, &e), -EBADF);
	config.image_fd = -1;
	assert_int_equal(blk_create(&blk, &config, &e), -EBADF);
	loop_destroy(loop);
}

/* Sectors and buffers that the kernel does not take as they are, between others that it does. */
static void blk_moves_unaligned_data_of_a_direct_image(void **state)
{
	static uint8_t model[256 * VIRTIO_BLK_SECTOR];
	int fd = open(".", O_TMPFILE | O_RDWR | O_DIRECT | O_CLOEXEC, 0600);
	struct fixture f;
	uint32_t random = 1;

	(void)state;
	if (fd < 0) {
		print_message("no direct files here: %s\n", strerror(errno));
		skip();
	}
	assert_int_equal(ftruncate(fd, sizeof(model)), 0);
	open_with(&f, (struct blk_config){0}, fd, FEATURES);
	for (int i = 0; i < 400; i++) {
		struct request r = {i % 2 ? VIRTIO_BLK_T_OUT : VIRTIO_BLK_T_IN, 0, 0, 0};
		uint32_t len;
		uint8_t *data;

		random = random * 1103515245u + 12345u;
		f.skew = random >> 8 & 1 ? 0 : random >> 9 & 0x1ff;
		r.sector = (random >> 12) % 248;
		len = (1 + (random >> 20) % 8) * VIRTIO_BLK_SECTOR;
		*(i % 2 ? &r.out : &r.in) = len;
		data = rig_at(&f.rig, BUFFER + f.skew);
		memset(data, i, len);
		assert_int_equal(do_request(&f, r), 0);
		if (i % 2)
			memset(model + r.sector * VIRTIO_BLK_SECTOR, i, len);
		assert_memory_equal(data, model + r.sector * VIRTIO_BLK_SECTOR, len);
		assert_int_equal(last_len(&f), r.in + 1);
	}
	close_blk(&f);
}

/* Several at once: what is unaligned waits for the others, what comes later waits for it. */
static void blk_orders_unaligned_requests_among_others(void **state)
{
	int fd = open(".", O_TMPFILE | O_RDWR | O_DIRECT | O_CLOEXEC, 0600);
	struct fixture f;

	(void)state;
	if (fd < 0)
		skip();
	assert_int_equal(ftruncate(fd, 256 * VIRTIO_BLK_SECTOR), 0);
	open_with(&f, (struct blk_config){0}, fd, FEATURES);
	for (uint16_t i = 0; i < 8; i++) {
		uint16_t first = (uint16_t)(3 * i);

		f.skew = i % 3;
		memset(rig_at(&f.rig, BUFFER + f.skew + 0x1000u * first), i + 1, 512);
		put_request(&f, 0, first, (struct request){VIRTIO_BLK_T_OUT, i, 512, 0});
	}
	rig_kick(&f.rig, 0);
	wait_used(&f, 0, 8);
	f.skew = 0;
	assert_int_equal(do_request(&f, (struct request){VIRTIO_BLK_T_IN, 0, 0, 8 * 512}), 0);
	for (unsigned int i = 0; i < 8; i++)
		assert_int_equal(*(uint8_t *)rig_at(&f.rig, BUFFER + 512 * i), i + 1);
	close_blk(&f);
}

static void offer_reads(struct fixture *f, uint16_t n)
{
	for (uint16_t i = 0; i < n; i++)
		put_request(f, 0, (uint16_t)(3 * i), (struct request){VIRTIO_BLK_T_IN, 0, 0, 512});
	rig_kick(&f->rig, 0);
}

static void blk_holds_back_what_the_limit_does_not_allow(void **state)
{
	const struct spawn_limit two_an_hour = {.size = 2, .refill_ms = 3600000};
	struct fixture f;

	(void)state;
	open_with(&f, (struct blk_config){.limits.ops = two_an_hour}, new_image(), FEATURES);
	offer_reads(&f, 5);
	wait_used(&f, 0, 2);
	rig_kick(&f.rig, 0);
	assert_int_equal(rig_used(&f.rig, 0), 2);
	close_blk(&f);
}

static void blk_goes_on_when_the_limit_allows_it(void **state)
{
	const struct spawn_limit sector = {.size = 512, .refill_ms = 5};
	struct fixture f;

	(void)state;
	open_with(&f, (struct blk_config){.limits.bytes = sector}, new_image(), FEATURES);
	offer_reads(&f, 5);
	wait_used(&f, 0, 5);
	close_blk(&f);
}

static void blk_tells_its_new_size_when_asked(void **state)
{
	struct vhost_user_config config = {.size = 8};
	struct vhost_user_header h;
	struct fixture f;
	uint64_t capacity;

	(void)state;
	open_blk(&f, false, FEATURES);
	assert_int_equal(ftruncate(f.image, 100 * VIRTIO_BLK_SECTOR), 0);
	/* until it was asked, nothing has changed */
	assert_int_equal(do_request(&f, (struct request){VIRTIO_BLK_T_IN, 99, 0, 512}),
		VIRTIO_BLK_S_IOERR);
	rig_send(&f.rig, VHOST_USER_GET_CONFIG, &config,
		offsetof(struct vhost_user_config, bytes) + 8, -1);
	assert_true(rig_reply(&f.rig, &h, &config, sizeof(config)) > 0);
	memcpy(&capacity, config.bytes, sizeof(capacity));
	assert_int_equal(capacity, 100);
	assert_int_equal(do_request(&f, (struct request){VIRTIO_BLK_T_IN, 99, 0, 512}), 0);
	close_blk(&f);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(blk_moves_unaligned_data_of_a_direct_image),
	cmocka_unit_test(blk_orders_unaligned_requests_among_others),
	cmocka_unit_test(blk_holds_back_what_the_limit_does_not_allow),
	cmocka_unit_test(blk_goes_on_when_the_limit_allows_it),
	cmocka_unit_test(blk_tells_its_new_size_when_asked),
	cmocka_unit_test(blk_reads_and_writes_where_asked),
	cmocka_unit_test(blk_writes_through_when_driver_can_not_flush),
	cmocka_unit_test(blk_takes_any_layout_of_buffers),
	cmocka_unit_test(blk_answers_its_serial),
	cmocka_unit_test(blk_tells_its_configuration),
	cmocka_unit_test(blk_answers_error_when_request_is_malformed),
	cmocka_unit_test(blk_breaks_when_there_is_no_header_or_status),
	cmocka_unit_test(blk_discards_and_writes_zeroes),
	cmocka_unit_test(blk_finishes_each_of_many_requests_once),
	cmocka_unit_test(blk_goes_on_when_more_is_asked_than_it_takes_at_once),
	cmocka_unit_test(blk_refuses_discard_longer_than_it_said),
	cmocka_unit_test(blk_drains_when_queue_stops_with_requests_in_flight),
	cmocka_unit_test(blk_answers_error_when_image_shrinks),
	cmocka_unit_test(blk_refuses_descriptor_that_is_no_disk),
};
UNIT_MAIN(tests)
