/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A block request's whole way but KVM: a driver of a few lines writes registers and rings, the real
 * transport and vhost-user client talk to the real back end in a forked process. What KVM would
 * do (ioeventfd, irqfd) is done by the test: a kick goes through the BAR, a call eventfd is polled.
 */
#include "base/bytes.h"
#include "base/fd.h"
#include "base/log.h"
#include "devices/back/blk.h"
#include "devices/back/vhost_user_server.h"
#include "devices/wire/virtio_blk.h"
#include "devices/wire/virtio_ring.h"
#include "tests/unit/devices/board.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define DISK    0x100000u
#define RING    0x100000u /* where board_queue() puts queue 0 */
#define AVAIL   (RING + 0x2000u)
#define USED    (RING + 0x4000u)
#define HEADER  0x300000u
#define DATA    0x301000u
#define STATUS  0x310000u
#define GSI     17
#define WAIT_MS 1500 /* for something that does happen */
#define RUNNING                                                                                    \
	(VIRTIO_STATUS_ACKNOWLEDGE | VIRTIO_STATUS_DRIVER | VIRTIO_STATUS_FEATURES_OK |            \
		VIRTIO_STATUS_DRIVER_OK)

struct fixture {
	struct board b;
	int image;
	pid_t pid;
	uint16_t avail_idx;
};

static int serve(int sock, int image)
{
	struct blk_config bc = {
		.name = "disk0", .image_fd = dup(image), .n_queues = 1, .serial = "serial-1"};
	struct vhost_user_server_config sc = {.sock = sock, .ledger_fd = -1};
	struct vhost_user_server *server;
	struct err e = ERR_INIT;
	struct loop *loop;
	struct blk *blk;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (loop_create(&loop, &e))
		return 2;
	bc.loop = sc.loop = loop;
	if (blk_create(&blk, &bc, &e))
		return 3;
	sc.device = blk_device(blk);
	if (vhost_user_server_create(&server, &sc, &e) || loop_run(loop))
		return 4;
	return vhost_user_server_result(server) ? 5 : 0;
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct virtio_pci_desc d;
	struct err e = ERR_INIT;
	int pair[2];

	log_set_level(LOG_ERROR);
	f->image = memfd_create("image", MFD_CLOEXEC);
	assert_int_equal(ftruncate(f->image, DISK), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	f->pid = fork();
	if (!f->pid) {
		close(pair[0]);
		_exit(serve(pair[1], f->image));
	}
	close(pair[1]);
	board_init(&f->b);
	d = board_desc(&f->b, pair[0], 1);
	d.pidfd = (int)syscall(SYS_pidfd_open, f->pid, 0);
	d.config_len = sizeof(struct virtio_blk_config);
	d.timeout_ms = WAIT_MS;
	assert_int_equal(virtio_pci_create(&f->b.dev, &d, &e), 0);
	board_probe(&f->b);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	int status;

	board_fini(&f->b);
	if (f->pid > 0) {
		assert_int_equal(waitpid(f->pid, &status, 0), f->pid);
		assert_int_equal(status, 0);
	}
	fd_drop(&f->image);
	free(f);
	return 0;
}

static void put_desc(struct board *b, unsigned int i, uint64_t addr, uint32_t len, uint16_t flags)
{
	struct vring_desc d = {addr, len, flags, (uint16_t)(i + 1)};

	memcpy(b->ram + RING + i * sizeof(d), &d, sizeof(d));
}

/* submit() - header, data and status as one chain, and the kick. */
static void submit(struct fixture *f, uint32_t type, uint64_t sector, uint32_t len)
{
	struct board *b = &f->b;
	struct virtio_blk_header h = {.type = type, .sector = sector};
	uint16_t in = type == VIRTIO_BLK_T_OUT ? 0 : VRING_DESC_F_WRITE;

	memcpy(b->ram + HEADER, &h, sizeof(h));
	b->ram[STATUS] = 0xee;
	put_desc(b, 0, HEADER, sizeof(h), VRING_DESC_F_NEXT);
	put_desc(b, 1, DATA, len, VRING_DESC_F_NEXT | in);
	put_desc(b, 2, STATUS, 1, VRING_DESC_F_WRITE);
	store_le16(b->ram + AVAIL + 4 + 2 * (f->avail_idx % 64), 0);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	store_le16(b->ram + AVAIL + 2, ++f->avail_idx);
	board_write(b, b->notify, 2, 0);
}

static uint16_t used_idx(const struct board *b)
{
	return load_le16(b->ram + USED + 2);
}

/* wait_line() - let the main thread wait for the back end's interrupt as INTx. */
static void wait_line(struct fixture *f)
{
	for (int i = 0; i < 10 && !f->b.irq.level[GSI]; i++)
		assert_int_equal(loop_run_once(f->b.loop, WAIT_MS / 10), 0);
	assert_true(f->b.irq.level[GSI]);
	assert_int_equal(board_read(&f->b, f->b.isr, 1), VIRTIO_PCI_ISR_QUEUE);
}

static void start(struct fixture *f)
{
	memset(f->b.ram + RING, 0, 0x10000);
	f->avail_idx = 0;
	assert_int_equal(board_start(&f->b), RUNNING);
}

static void check_read(struct fixture *f, uint64_t sector)
{
	uint8_t want[4096];

	assert_int_equal(fd_pread_full(f->image, want, sizeof(want), (off_t)(sector * 512)), 0);
	memset(f->b.ram + DATA, 0, sizeof(want));
	submit(f, VIRTIO_BLK_T_IN, sector, sizeof(want));
	wait_line(f);
	assert_int_equal(f->b.ram[STATUS], 0);
	assert_memory_equal(f->b.ram + DATA, want, sizeof(want));
}

static void disk_path_shows_the_disk(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(board_read(&f->b, f->b.config, 8), DISK / 512);
	assert_true(board_offered(&f->b) & VIRTIO_BLK_F_FLUSH);
}

static void disk_path_writes_and_reads_with_intx(void **state)
{
	struct fixture *f = *state;
	uint8_t got[4096];

	start(f);
	for (unsigned int i = 0; i < 200; i++) {
		memset(f->b.ram + DATA, (int)i + 1, 4096);
		submit(f, VIRTIO_BLK_T_OUT, i, 4096);
		wait_line(f);
		assert_int_equal(f->b.ram[STATUS], 0);
		assert_int_equal(used_idx(&f->b), f->avail_idx);
		assert_int_equal(fd_pread_full(f->image, got, sizeof(got), i * 512), 0);
		assert_memory_equal(got, f->b.ram + DATA, sizeof(got));
		check_read(f, i / 2);
	}
}

static void disk_path_interrupts_by_eventfd_with_msix(void **state)
{
	struct fixture *f = *state;
	struct board *b = &f->b;
	uint64_t table = b->bar + (board_cfg_read(b, b->msix + 4, 4) & ~7u);
	struct pollfd p = {.events = POLLIN};
	eventfd_t n;

	board_write(b, table + 16, 8, 0xfee00000);
	board_write(b, table + 24, 8, 0x41);
	board_cfg_write(b, b->msix + 2, 2, PCI_MSIX_ENABLE);
	memset(b->ram + RING, 0, 0x10000);
	board_negotiate(b, VIRTIO_F_VERSION_1 | VIRTIO_F_ACCESS_PLATFORM);
	PUT(b, queue_select, 0);
	PUT(b, queue_msix_vector, 1);
	board_queue(b, 0, 64);
	PUT(b, device_status, RUNNING);
	assert_int_equal(GET(b, device_status), RUNNING);
	assert_int_equal(b->irq.irqfds[24], 1);
	p.fd = b->irq.last_fd[24];
	for (int i = 0; i < 50; i++) {
		submit(f, VIRTIO_BLK_T_GET_ID, 0, 20);
		assert_int_equal(poll(&p, 1, WAIT_MS), 1);
		assert_int_equal(eventfd_read(p.fd, &n), 0);
		assert_int_equal(b->ram[STATUS], 0);
		assert_string_equal((char *)b->ram + DATA, "serial-1");
	}
	assert_int_equal(b->irq.rises[GSI], 0);
}

static void disk_path_starts_again_after_resets(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 20; i++) {
		start(f);
		check_read(f, 0);
		submit(f, VIRTIO_BLK_T_IN, 8, 4096); /* in flight when the reset comes */
		PUT(&f->b, device_status, 0);
		assert_int_equal(GET(&f->b, device_status), 0);
		/* nothing is in flight any more: RAM stays as it is */
		memset(f->b.ram + DATA, 0x5a, 4096);
		assert_int_equal(board_read(&f->b, f->b.isr, 1), 0);
		assert_int_equal(f->b.ram[DATA + 4095], 0x5a);
	}
}

static void disk_path_needs_reset_on_a_bad_ring_and_recovers(void **state)
{
	struct fixture *f = *state;

	start(f);
	store_le16(f->b.ram + AVAIL + 4, 999); /* no such descriptor */
	store_le16(f->b.ram + AVAIL + 2, 1);
	board_write(&f->b, f->b.notify, 2, 0);
	for (int i = 0; i < 10 && !f->b.irq.level[GSI]; i++)
		assert_int_equal(loop_run_once(f->b.loop, WAIT_MS / 10), 0);
	board_turn(&f->b);
	assert_int_equal(GET(&f->b, device_status), RUNNING | VIRTIO_STATUS_NEEDS_RESET);
	assert_true(board_read(&f->b, f->b.isr, 1) & VIRTIO_PCI_ISR_CONFIG);
	start(f);
	check_read(f, 0);
}

static void disk_path_outlives_a_killed_back_end(void **state)
{
	struct fixture *f = *state;

	start(f);
	check_read(f, 0);
	kill(f->pid, SIGKILL);
	assert_int_equal(waitpid(f->pid, NULL, 0), f->pid);
	f->pid = 0;
	board_turn(&f->b);
	assert_int_equal(GET(&f->b, device_status), RUNNING | VIRTIO_STATUS_NEEDS_RESET);
	submit(f, VIRTIO_BLK_T_IN, 0, 512);
	PUT(&f->b, device_status, 0);
	assert_int_equal(GET(&f->b, device_status), 0);
}

static void disk_path_kills_a_back_end_that_hangs(void **state)
{
	struct fixture *f = *state;
	int status;

	start(f);
	kill(f->pid, SIGSTOP);
	virtio_pci_destroy(f->b.dev);
	f->b.dev = NULL;
	assert_int_equal(waitpid(f->pid, &status, 0), f->pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	f->pid = 0;
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
static const struct CMUnitTest tests[] = {
	CASE(disk_path_shows_the_disk),
	CASE(disk_path_writes_and_reads_with_intx),
	CASE(disk_path_interrupts_by_eventfd_with_msix),
	CASE(disk_path_starts_again_after_resets),
	CASE(disk_path_needs_reset_on_a_bad_ring_and_recovers),
	CASE(disk_path_outlives_a_killed_back_end),
	CASE(disk_path_kills_a_back_end_that_hangs),
};
UNIT_MAIN(tests)
