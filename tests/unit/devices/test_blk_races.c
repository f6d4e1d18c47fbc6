/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Conversions against I/O on the same pages: threads in place of vCPUs flip pages between private
 * and shared, those of rings too, while a disk works on them in a thread of its own, from several
 * queues. Requests end, or the device breaks and is reset; what comes of them is the image's data,
 * or zeros where a page was converted since. A queue whose buffers nobody converts reads back all
 * that it wrote. In the end no page has backing on the side that it left.
 *
 * Arguments, if any: the least of conversions, and of seconds.
 */
#include "base/clock.h"
#include "base/fd.h"
#include "devices/back/blk.h"
#include "devices/wire/virtio_blk.h"
#include "memory/convert.h"
#include "memory/ram.h"
#include "memory/sweep.h"
#include "tests/unit/devices/rig.h"
#include "tests/unit/unit.h"

#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define VCPUS       3u
#define QUEUES      3u
#define SLOTS       2u /* requests at once in a queue */
#define PAGES       4u /* of the longest request */
#define SECTORS     512u
#define PER         (PAGE_SIZE / VIRTIO_BLK_SECTOR) /* sectors of a page */
#define PATIENCE_MS 20
#define LEAST       200u /* requests that are done: on busy machines conversions may come first */

/*
 * Queue 0 is calm: its buffers and rings stay shared. The buffers of the others lie in WILD, and
 * what is lost of their rings can make the device take one request twice and another not at all.
 */
#define HEADERS    RIG_DATA
#define STATUS     (RIG_DATA + 0x1000u)
#define CALM       (RIG_DATA + 0x2000u)
#define WILD       (RIG_DATA + 0x20000u)
#define WILD_PAGES ((RIG_GPA + RIG_SIZE - WILD) / PAGE_SIZE)
#define SHARE      (WILD_PAGES / ((QUEUES - 1) * SLOTS)) /* pages for a slot to choose from */

struct request {
	uint64_t sector, data;
	uint32_t pages;
	bool write;
};

static struct rig rig;
static struct ram ram;
static struct ledger *ledger;
static struct converter converter;
static struct blk *blk;
static struct loop *loop;
static int image;
static uint64_t conversions, wanted = 20000, seconds;
static bool over, failed;
static struct {
	uint64_t done, refused, broken, stalled, zeroed;
} count;
static uint8_t written[SLOTS]; /* what the calm queue's sectors hold; 0: unknown */

static uint64_t next(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	return *state ^= *state << 17;
}

static bool ended(void)
{
	return __atomic_load_n(&over, __ATOMIC_ACQUIRE);
}

/* vcpu_thread() - to private and back at once, so that most pages are shared at a time. */
static void *vcpu_thread(void *arg)
{
	uint64_t state = 88172645463325252u + (uintptr_t)arg;

	while (!ended()) {
		uint64_t r = next(&state), len = (1 + r % 2) * PAGE_SIZE;
		uint64_t at = WILD + (r >> 8) % (WILD_PAGES - 1) * PAGE_SIZE;

		if (!(r >> 40 & 0xfff)) {
			at = RIG_DESC(1 + (r >> 4 & 1)) + (r >> 6) % 3 * PAGE_SIZE;
			len = PAGE_SIZE;
		}
		if (convert(&converter, gpa_of(at), len, false) ||
			convert(&converter, gpa_of(at), len, true))
			__atomic_store_n(&failed, true, __ATOMIC_RELAXED);
		__atomic_add_fetch(&conversions, 2, __ATOMIC_RELAXED);
	}
	return NULL;
}

static void *device_thread(void *arg)
{
	while (!ended())
		if (loop_run_once(loop, 10) < 0)
			__atomic_store_n(&failed, true, __ATOMIC_RELAXED);
	return arg;
}

static const struct convert_ops ops = {.discard = ram_discard};

static void memory_up(void)
{
	struct ram_desc desc = {.cbit = UINT64_C(1) << 38, .guest_memfd = -1};
	struct err e = ERR_INIT;

	assert_int_equal(layout_init(&desc.layout, MIB(64), &e), 0);
	assert_int_equal(ram_init(&ram, &desc, &e), 0);
	assert_int_equal(ledger_create(&ledger, &ram.layout, false, MIB(64), &e), 0);
	converter = (struct converter){
		.layout = &ram.layout, .ledger = ledger, .ops = &ops, .ctx = &ram};
	assert_int_equal(convert(&converter, gpa_of(RIG_GPA), RIG_SIZE, true), 0);
}

/* device_up() - a disk over the memory; sectors of the image hold their number + 1. */
static void device_up(void)
{
	struct blk_config config = {.name = "races", .n_queues = QUEUES};
	uint8_t sector[VIRTIO_BLK_SECTOR];
	struct err e = ERR_INIT;

	rig_open(&rig);
	close(rig.mem_fd);
	close(rig.ledger_fd);
	munmap(rig.mem, RIG_SIZE);
	rig.mem_fd = dup(ram.shared_fd);
	rig.offset = RIG_GPA;
	rig.ledger_fd = dup(ledger_device_fd(ledger));
	rig.mem = mmap(NULL, RIG_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, rig.mem_fd, RIG_GPA);
	assert_ptr_not_equal(rig.mem, MAP_FAILED);
	image = memfd_create("image", MFD_CLOEXEC);
	for (unsigned int i = 0; i < SECTORS; i++) {
		memset(sector, (int)(i % 255 + 1), sizeof(sector));
		assert_int_equal(fd_write_full(image, sector, sizeof(sector)), 0);
	}
	assert_int_equal(loop_create(&loop, &e), 0);
	config.loop = loop;
	config.image_fd = dup(image);
	assert_int_equal(blk_create(&blk, &config, &e), 0);
	rig.loop = loop;
	rig_serve(&rig, blk_device(blk));
	rig.loop = NULL; /* it is another thread's from now on */
}

/* begin() - the driver's start, or its reset of a broken device. */
static void begin(void)
{
	for (unsigned int q = 0; q < QUEUES; q++) {
		for (unsigned int page = 0; page < 3; page++)
			memset(rig_at(&rig, RIG_DESC(q) + page * PAGE_SIZE), 0, PAGE_SIZE);
		rig_count(rig.call[q]);
		rig_count(rig.err[q]);
	}
	memset(written, 0, sizeof(written));
	rig_start(&rig, QUEUES, VIRTIO_BLK_F_FLUSH | VIRTIO_BLK_F_MQ);
}

static void offer(unsigned int q, unsigned int slot, const struct request *r)
{
	const struct virtio_blk_header h = {
		.type = r->write ? VIRTIO_BLK_T_OUT : VIRTIO_BLK_T_IN, .sector = r->sector};
	unsigned int n = q * SLOTS + slot;
	uint16_t at = (uint16_t)(3 * slot);

	memcpy(rig_at(&rig, HEADERS + 32 * n), &h, sizeof(h));
	*(uint8_t *)rig_at(&rig, STATUS + n) = 0xee;
	rig_desc(&rig, RIG_DESC(q), at,
		(struct rig_desc){HEADERS + 32 * n, sizeof(h), RIG_NEXT, (uint16_t)(at + 1)});
	rig_desc(&rig, RIG_DESC(q), at + 1u,
		(struct rig_desc){r->data, (uint32_t)(r->pages * PAGE_SIZE),
			(uint16_t)(RIG_NEXT | (r->write ? 0 : RIG_WRITE)), (uint16_t)(at + 2)});
	rig_desc(&rig, RIG_DESC(q), at + 2u, (struct rig_desc){STATUS + n, 1, RIG_WRITE, 0});
	rig_offer(&rig, q, at);
}

/* choose() - the calm queue writes its last PAGES * SLOTS pages and reads them; others read. */
static struct request choose(unsigned int q, unsigned int slot, uint64_t *state)
{
	uint64_t x = next(state), n = (q - 1) * SLOTS + slot;
	struct request r = {.pages = (uint32_t)(1 + x % PAGES)};

	if (!q) {
		r.pages = PAGES;
		r.sector = SECTORS - (slot + 1) * PAGES * PER;
		r.data = CALM + slot * PAGES * PAGE_SIZE;
		r.write = !written[slot] || x & 0x100;
		memset(rig_at(&rig, r.data), r.write ? (int)(x >> 32 & 0x7f) + 1 : 0,
			PAGES * PAGE_SIZE);
		return r;
	}
	r.sector = (x >> 8) % 32 * PER;
	r.data = WILD + (n * SHARE + (x >> 16) % (SHARE - PAGES)) * PAGE_SIZE;
	memset(rig_at(&rig, r.data), 0, r.pages * PAGE_SIZE);
	return r;
}

/* wait_all() - Return: false if the device broke or says nothing. */
static bool wait_all(const uint16_t *used)
{
	struct pollfd fds[2 * QUEUES];
	uint64_t end = clock_ns() + PATIENCE_MS * UINT64_C(1000000) * (seconds ? 5 : 1);

	for (unsigned int q = 0; q < QUEUES; q++) {
		fds[2 * q] = (struct pollfd){.fd = rig.call[q], .events = POLLIN};
		fds[2 * q + 1] = (struct pollfd){.fd = rig.err[q], .events = POLLIN};
	}
	for (;;) {
		unsigned int ready = 0;

		for (unsigned int q = 0; q < QUEUES; q++) {
			rig_count(rig.call[q]);
			if (rig_count(rig.err[q])) {
				count.broken++;
				return false;
			}
			ready += rig_used(&rig, q) == used[q];
		}
		if (ready == QUEUES)
			return true;
		if (clock_ns() > end) {
			count.stalled++;
			return false;
		}
		poll(fds, 2 * QUEUES, 1);
	}
}

static void check(unsigned int q, unsigned int slot, const struct request *r)
{
	uint8_t status = *(uint8_t *)rig_at(&rig, STATUS + q * SLOTS + slot);

	count.refused += status != VIRTIO_BLK_S_OK;
	count.done += status == VIRTIO_BLK_S_OK;
	if (!q)
		assert_int_equal(status, VIRTIO_BLK_S_OK);
	for (unsigned int i = 0; i < r->pages * PER && !status && !r->write; i++) {
		const uint8_t *data = rig_at(&rig, r->data + i * VIRTIO_BLK_SECTOR);
		uint8_t want = q ? (uint8_t)((r->sector + i) % 255 + 1) : written[slot];
		uint8_t first = data[0], last = data[VIRTIO_BLK_SECTOR - 1];

		if ((first != want && (first || !q)) || (last != want && (last || !q)))
			fail_msg("queue %u: %u and %u, not %u", q, first, last, want);
		if (q && !first)
			count.zeroed++;
	}
	if (!q && r->write)
		written[slot] = *(uint8_t *)rig_at(&rig, r->data);
}

/* batch() - requests in all queues at once. Return: false if the device has to be reset. */
static bool batch(uint16_t *used, uint64_t *state)
{
	struct request r[QUEUES][SLOTS];

	for (unsigned int q = 0; q < QUEUES; q++) {
		for (unsigned int slot = 0; slot < SLOTS; slot++) {
			r[q][slot] = choose(q, slot, state);
			offer(q, slot, &r[q][slot]);
		}
		used[q] = (uint16_t)(used[q] + SLOTS);
		rig_kick(&rig, q);
	}
	if (!wait_all(used))
		return false;
	for (unsigned int q = 0; q < QUEUES; q++)
		for (unsigned int slot = 0; slot < SLOTS; slot++)
			check(q, slot, &r[q][slot]);
	return true;
}

/* reset() - what was in flight is finished then, and writes to no ring any more */
static void reset(void)
{
	rig_send(&rig, VHOST_USER_RESET_DEVICE, "", 0, -1);
	rig_ask(&rig, VHOST_USER_GET_FEATURES, "", 0);
}

static void drive(void)
{
	uint64_t state = 362436069, end = clock_ns() + seconds * UINT64_C(1000000000);
	uint16_t used[QUEUES] = {0};

	begin();
	while (__atomic_load_n(&conversions, __ATOMIC_RELAXED) < wanted || clock_ns() < end ||
		count.done < LEAST) {
		if (batch(used, &state))
			continue;
		reset();
		memset(used, 0, sizeof(used));
		begin();
	}
	reset();
}

static void blk_stands_conversions_of_what_it_works_on(void **state)
{
	uint64_t private_bytes, shared_bytes;
	pthread_t vcpus[VCPUS], device;

	(void)state;
	memory_up();
	device_up();
	assert_int_equal(pthread_create(&device, NULL, device_thread, NULL), 0);
	for (uintptr_t i = 0; i < VCPUS; i++)
		assert_int_equal(pthread_create(&vcpus[i], NULL, vcpu_thread, (void *)i), 0);
	drive();
	__atomic_store_n(&over, true, __ATOMIC_RELEASE);
	for (unsigned int i = 0; i < VCPUS; i++)
		pthread_join(vcpus[i], NULL);
	pthread_join(device, NULL);
	print_message("%llu conversions; requests: %llu done, %llu refused; %llu sectors lost; "
		      "device: %llu times broken, %llu silent\n",
		(unsigned long long)conversions, (unsigned long long)count.done,
		(unsigned long long)count.refused, (unsigned long long)count.zeroed,
		(unsigned long long)count.broken, (unsigned long long)count.stalled);
	assert_false(failed);
	assert_true(count.done > count.broken);
	assert_int_equal(ledger_counts(ledger).shared, RIG_SIZE);
	assert_int_equal(convert(&converter, gpa_of(RIG_GPA), RIG_SIZE, false), 0);
	assert_in_range(sweep_shared(&ram, ledger, 0), 0, MIB(64));
	assert_int_equal(ram_resident(&ram, &private_bytes, &shared_bytes), 0);
	assert_int_equal(shared_bytes, 0);
	vhost_user_server_destroy(rig.server);
	rig.server = NULL;
	blk_destroy(blk);
	loop_destroy(loop);
	rig_close(&rig);
	fd_drop(&image);
	ledger_destroy(ledger);
	ram_fini(&ram);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blk_stands_conversions_of_what_it_works_on),
	};

	if (argc > 1)
		wanted = strtoull(argv[1], NULL, 10);
	if (argc > 2)
		seconds = strtoull(argv[2], NULL, 10);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
