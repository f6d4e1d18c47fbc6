/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A second CPU of a hostile guest, made deterministic: while a disk serves one read, the n-th
 * instruction of its process is followed by a change of guest memory or ledger; for each change,
 * n goes in steps over the whole way from the kick to the interrupt. Whatever it meets, the request
 * is either answered as the spec says or the device needs a reset, and nothing else happens: no
 * byte of the image, and none of guest memory but ring, buffer and status, is another one
 * afterwards.
 */
#include "base/fd.h"
#include "devices/back/blk.h"
#include "devices/wire/virtio_blk.h"
#include "tests/unit/devices/rig.h"
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#define TABLE   (RIG_GPA + 0x20000u)
#define HEADER  RIG_DATA
#define BUFFER  (RIG_DATA + 0x1000u)
#define STATUS  (RIG_DATA + 0x2000u)
#define GUARD   (RIG_DATA + 0x3000u) /* what the changed descriptors name */
#define IMAGE   65536u
#define MOMENTS 8u /* that are tried, of the way from kick to interrupt */

struct fixture {
	struct rig rig;
	struct view view;
	struct loop *loop;
	struct blk *blk;
	struct virtq q;
	bool broken, packed;
	int image;
	uint16_t offered;
};

/* A change: made by a guest, or by a conversion. */
struct flip {
	const char *what;
	uint64_t private_page; /* 0: none */
	void (*make)(struct fixture *f);
};

static struct {
	struct fixture *f;
	const struct flip *flip;
	unsigned long steps, at;
} cpu;

static void evil_descriptors(struct fixture *f)
{
	for (unsigned int i = 0; i < RIG_NUM; i++)
		rig_desc(&f->rig, RIG_DESC(0), i, (struct rig_desc){GUARD, 4096, RIG_NEXT, 999});
}

static void evil_table(struct fixture *f)
{
	for (unsigned int i = 0; i < 3; i++)
		rig_desc(
			&f->rig, TABLE, i, (struct rig_desc){UINT64_MAX - 8, 4096, 0xffff, 0xffff});
}

static void evil_header(struct fixture *f)
{
	const struct virtio_blk_header h = {.type = VIRTIO_BLK_T_IN, .sector = UINT64_MAX / 512};

	memcpy(rig_at(&f->rig, HEADER), &h, sizeof(h));
}

static void evil_avail(struct fixture *f)
{
	memset(rig_at(&f->rig, RIG_AVAIL(0)), 0xff, 200);
}

static void evil_used(struct fixture *f)
{
	memset(rig_at(&f->rig, RIG_USED(0)), 0xff, 4);
}

static const struct flip flips[] = {
	{"ring made private", RIG_DESC(0), NULL},
	{"driver's area made private", RIG_AVAIL(0), NULL},
	{"device's area made private", RIG_USED(0), NULL},
	{"indirect table made private", TABLE, NULL},
	{"header made private", HEADER, NULL},
	{"buffer made private", BUFFER, NULL},
	{"status made private", STATUS, NULL},
	{"ring rewritten", 0, evil_descriptors},
	{"indirect table rewritten", 0, evil_table},
	{"header rewritten", 0, evil_header},
	{"driver's area rewritten", 0, evil_avail},
	{"device's area rewritten", 0, evil_used},
};

static void open_disk(struct fixture *f, bool packed)
{
	const struct view_spec spec = {RIG_GPA, RIG_SIZE, RIG_USER, 0};
	struct blk_config config = {.name = "test", .n_queues = 1, .serial = "serial"};
	static uint8_t bytes[IMAGE];
	struct err e = ERR_INIT;

	memset(f, 0, sizeof(*f));
	rig_open(&f->rig);
	f->packed = packed;
	/* Not in memory: what is in the page cache of a disk is read without another thread. */
	f->image = open(".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	assert_true(f->image >= 0);
	memset(bytes, 0x3c, sizeof(bytes));
	assert_int_equal(fd_write_full(f->image, bytes, sizeof(bytes)), 0);
	assert_int_equal(loop_create(&f->loop, &e), 0);
	config.loop = f->loop;
	config.image_fd = dup(f->image);
	assert_int_equal(blk_create(&f->blk, &config, &e), 0);
	assert_int_equal(view_init(&f->view, f->rig.ledger_fd, &e), 0);
	assert_int_equal(view_add(&f->view, &spec, f->rig.mem_fd, &e), 0);
}

static void close_disk(struct fixture *f)
{
	blk_destroy(f->blk);
	view_fini(&f->view);
	loop_destroy(f->loop);
	fd_drop(&f->image);
	rig_close(&f->rig);
}

/* offer_read() - a fresh queue with one read of 4 KiB, by an indirect table. */
static void offer_read(struct fixture *f)
{
	const struct virtio_blk_header h = {.type = VIRTIO_BLK_T_IN, .sector = 8};
	const struct rig_desc d = {TABLE, 48, RIG_INDIRECT, 0};
	const struct rig_desc table[] = {{HEADER, sizeof(h), f->packed ? 0 : RIG_NEXT, 1},
		{BUFFER, 4096, RIG_WRITE | (f->packed ? 0 : RIG_NEXT), 2},
		{STATUS, 1, RIG_WRITE, 0}};

	memset(rig_at(&f->rig, RIG_DESC(0)), 0, 0x3000);
	memset(rig_at(&f->rig, BUFFER), 0, 4096);
	rig_share(&f->rig, RIG_GPA, RIG_SIZE, true);
	memcpy(rig_at(&f->rig, HEADER), &h, sizeof(h));
	*(uint8_t *)rig_at(&f->rig, STATUS) = 0xee;
	memset(rig_at(&f->rig, GUARD), 0x77, 4096);
	for (unsigned int i = 0; i < 3; i++) {
		struct vring_packed_desc p = {table[i].addr, table[i].len, 0, table[i].flags};

		rig_desc(&f->rig, TABLE, i, table[i]);
		if (f->packed)
			memcpy(rig_at(&f->rig, TABLE + 16 * i), &p, sizeof(p));
	}
	f->offered = 0;
	f->broken = false;
	rig_count(f->rig.err[0]);
	rig_count(f->rig.call[0]);
	f->q = (struct virtq){
		.view = &f->view,
		.tag = "test",
		.device = blk_device(f->blk),
		.broken = &f->broken,
		.num = RIG_NUM,
		.base = f->packed ? 0x80008000u : 0,
		.desc = gpa_of(RIG_DESC(0)),
		.avail = gpa_of(RIG_AVAIL(0)),
		.used = gpa_of(RIG_USED(0)),
		.call_fd = f->rig.call[0],
		.err_fd = f->rig.err[0],
		.kick = {.fd = -1},
	};
	assert_int_equal(
		virtq_start(&f->q, VIRTIO_F_INDIRECT_DESC | (f->packed ? VIRTIO_F_RING_PACKED : 0)),
		0);
	if (f->packed) {
		rig_offer_packed(&f->rig, &f->offered, &d, 1, 0);
		return;
	}
	rig_desc(&f->rig, RIG_DESC(0), 0, d);
	rig_offer(&f->rig, 0, 0);
}

static void on_step(int sig, siginfo_t *info, void *context)
{
	ucontext_t *u = context;

	(void)sig, (void)info;
	if (cpu.steps++ != cpu.at)
		return;
	if (cpu.flip->private_page)
		rig_share(&cpu.f->rig, cpu.flip->private_page, 1, false);
	else
		cpu.flip->make(cpu.f);
	u->uc_mcontext.gregs[REG_EFL] &= ~0x100; /* the rest at full speed */
}

/* serve() - the kick, with the change behind instruction number `at`. */
static void serve(struct fixture *f, const struct flip *flip, unsigned long at)
{
	const struct back_device_ops *ops = blk_device(f->blk)->ops;

	cpu.f = f;
	cpu.flip = flip;
	cpu.steps = 0;
	cpu.at = at;
	__asm__ volatile("pushfq; orq $0x100, (%%rsp); popfq" ::: "memory", "cc");
	ops->kicked(&f->q, 0);
	__asm__ volatile("pushfq; andq $~0x100, (%%rsp); popfq" ::: "memory", "cc");
	ops->drain(&f->q);
}

/* judge() - after a change at some moment. Return: NULL or what is wrong. */
static const char *judge(struct fixture *f, const struct flip *flip)
{
	uint8_t status = *(uint8_t *)rig_at(&f->rig, STATUS), byte;
	const uint8_t *guard = rig_at(&f->rig, GUARD);
	bool told = rig_count(f->rig.err[0]);

	if (f->q.in_flight)
		return "a chain is lost";
	if (told != f->broken)
		return "the front end is not told, or told of nothing";
	if (f->broken && rig_count(f->rig.call[0]) > 1)
		return "interrupted for a broken ring";
	if (!f->broken && status > VIRTIO_BLK_S_UNSUPP)
		return "neither answered nor broken";
	if (status == VIRTIO_BLK_S_OK && flip->private_page != BUFFER &&
		*(uint8_t *)rig_at(&f->rig, BUFFER + 4095) != 0x3c)
		return "answered without data";
	for (unsigned int i = 0; i < 4096; i++)
		if (guard[i] != 0x77)
			return "other memory was written";
	for (off_t i = 0; i < IMAGE; i += 4096)
		if (pread(f->image, &byte, 1, i) != 1 || byte != 0x3c)
			return "the image was written";
	return NULL;
}

static void blk_answers_or_breaks_when_memory_changes_at_any_instruction(void **state)
{
	struct sigaction step = {.sa_sigaction = on_step, .sa_flags = SA_SIGINFO}, was;
	struct fixture f;

	(void)state;
	sigaction(SIGTRAP, &step, &was);
	for (unsigned int i = 0; i < 2 * ARRAY_SIZE(flips); i++) {
		const struct flip *flip = &flips[i / 2];
		unsigned int moments = 0, broke = 0;
		unsigned long all;

		open_disk(&f, i % 2);
		offer_read(&f);
		serve(&f, flip, ULONG_MAX);
		all = cpu.steps;
		virtq_stop(&f.q);
		for (unsigned long at = 7 * i; at < all; at += all / MOMENTS) {
			const char *wrong;

			offer_read(&f);
			serve(&f, flip, at);
			if (cpu.steps <= at) { /* it was over before */
				virtq_stop(&f.q);
				break;
			}
			wrong = judge(&f, flip);
			if (wrong)
				fail_msg("%s, %s, instruction %lu: %s", flip->what,
					f.packed ? "packed" : "split", at, wrong);
			moments++;
			broke += f.broken;
			virtq_stop(&f.q);
		}
		assert_true(moments > 3);
		/* Early changes of rings are found; data and headers are the guest's own affair. */
		if (flip->private_page && flip->private_page < RIG_DATA &&
			!(f.packed && flip->private_page == RIG_AVAIL(0)))
			assert_true(broke > 0);
		close_disk(&f);
	}
	sigaction(SIGTRAP, &was, NULL);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(blk_answers_or_breaks_when_memory_changes_at_any_instruction),
};
UNIT_MAIN(tests)
