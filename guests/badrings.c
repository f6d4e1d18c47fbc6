/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hostile driver: malformed rings, one kind at a time. Each must put the device into
 * DEVICE_NEEDS_RESET (some may also end as a refused request), and after a reset it must work.
 * What is written while the device reads may do either, but must not break it.
 */
#include "guests/lib/disk.h"
#include "guests/lib/guest.h"
#include "guests/lib/io.h"
#include "guests/lib/paging.h"

#include <stddef.h>

const char guest_name[] = "badrings";

#define PRIVATE_PAGE 0xa00000ull   /* never converted */
#define FAR_AWAY     0x3f000000ull /* below the window of this guest, beyond its RAM */
#define INDIRECT     (DISK_HEADER + 0x400)
#define REWRITES     2000

enum verdict { NEEDS_RESET, NEEDS_RESET_OR_REFUSED, ANYTHING };

struct bad {
	const char *name;
	void (*spoil)(struct virtio *v);
	enum verdict verdict;
	uint64_t feature; /* mask; skipped if not offered */
	bool needs_cbit;
};

static void spoil_loop(struct virtio *v)
{
	v->rings->desc[1].next = 0;
}

static void spoil_self(struct virtio *v)
{
	v->rings->desc[0].next = 0;
}

static void spoil_next(struct virtio *v)
{
	v->rings->desc[0].next = QUEUE_SIZE;
}

static void spoil_next_far(struct virtio *v)
{
	v->rings->desc[1].next = 0xffff;
}

static void spoil_wrap(struct virtio *v)
{
	v->rings->desc[1].addr = ~0ull - 0xff;
}

static void spoil_beyond(struct virtio *v)
{
	v->rings->desc[1].addr = FAR_AWAY;
}

static void spoil_across_end(struct virtio *v)
{
	v->rings->desc[1].len = 0xffffffffu;
}

static void spoil_device(struct virtio *v)
{
	v->rings->desc[1].addr = v->common;
}

static void spoil_header(struct virtio *v)
{
	v->rings->desc[0].addr = FAR_AWAY;
}

static void spoil_status(struct virtio *v)
{
	v->rings->desc[2].addr = FAR_AWAY;
}

static void spoil_zero(struct virtio *v)
{
	v->rings->desc[1].len = 0;
}

static void spoil_private(struct virtio *v)
{
	v->rings->desc[1].addr = PRIVATE_PAGE;
}

static void spoil_half_private(struct virtio *v)
{
	v->rings->desc[1].addr = DISK_DATA + PAGE - SECTOR / 2;
}

static void spoil_low(struct virtio *v)
{
	v->rings->desc[1].addr = PAGE;
}

static void spoil_cbit(struct virtio *v)
{
	v->rings->desc[1].addr |= paging_cbit();
}

static void spoil_order(struct virtio *v)
{
	v->rings->desc[0].flags |= DESC_WRITE;
	v->rings->desc[1].flags = DESC_NEXT;
}

static void spoil_no_status(struct virtio *v)
{
	v->rings->desc[0].flags = 0;
}

static void spoil_short_header(struct virtio *v)
{
	v->rings->desc[0].len = 8;
}

/* indirect() - make descriptor 0 refer to an indirect table of len bytes */
static volatile struct desc *indirect(struct virtio *v, uint32_t len)
{
	volatile struct desc *table = shared_side(INDIRECT);

	for (uint16_t i = 0; i < 3; i++) {
		table[i].addr = v->rings->desc[i].addr;
		table[i].len = v->rings->desc[i].len;
		table[i].flags = v->rings->desc[i].flags;
		table[i].next = v->rings->desc[i].next;
	}
	v->rings->desc[0].addr = INDIRECT;
	v->rings->desc[0].len = len;
	v->rings->desc[0].flags = DESC_INDIRECT;
	return table;
}

static void spoil_indirect_nested(struct virtio *v)
{
	indirect(v, 48)[1].flags |= DESC_INDIRECT;
}

static void spoil_indirect_size(struct virtio *v)
{
	indirect(v, 47);
}

static void spoil_indirect_empty(struct virtio *v)
{
	indirect(v, 0);
}

static void spoil_indirect_loop(struct virtio *v)
{
	indirect(v, 48)[2].flags |= DESC_NEXT;
}

static void spoil_indirect_next(struct virtio *v)
{
	indirect(v, 48)[0].next = 3;
}

static void spoil_indirect_far(struct virtio *v)
{
	indirect(v, 48);
	v->rings->desc[0].addr = FAR_AWAY;
}

static void spoil_indirect_private(struct virtio *v)
{
	indirect(v, 48);
	v->rings->desc[0].addr = PRIVATE_PAGE;
}

#define HAS_INDIRECT (1ull << VIRTIO_F_INDIRECT)

static const struct bad bads[] = {
	{"chain that loops", spoil_loop, NEEDS_RESET, 0, false},
	{"descriptor that is its own next", spoil_self, NEEDS_RESET, 0, false},
	{"next just out of range", spoil_next, NEEDS_RESET, 0, false},
	{"next far out of range", spoil_next_far, NEEDS_RESET, 0, false},
	{"buffer that wraps", spoil_wrap, NEEDS_RESET, 0, false},
	{"buffer beyond RAM", spoil_beyond, NEEDS_RESET, 0, false},
	{"buffer across the end of RAM", spoil_across_end, NEEDS_RESET, 0, false},
	{"buffer in the device's registers", spoil_device, NEEDS_RESET, 0, false},
	{"header beyond RAM", spoil_header, NEEDS_RESET, 0, false},
	{"status beyond RAM", spoil_status, NEEDS_RESET, 0, false},
	{"buffer of no bytes", spoil_zero, NEEDS_RESET, 0, false},
	{"buffer in private memory", spoil_private, NEEDS_RESET, 0, true},
	{"buffer half in private memory", spoil_half_private, NEEDS_RESET, 0, true},
	{"buffer in low memory", spoil_low, NEEDS_RESET, 0, true},
	{"buffer address with the C-bit", spoil_cbit, NEEDS_RESET, 0, true},
	{"writable before readable", spoil_order, NEEDS_RESET_OR_REFUSED, 0, false},
	{"request without a status byte", spoil_no_status, NEEDS_RESET_OR_REFUSED, 0, false},
	{"header of 8 bytes", spoil_short_header, NEEDS_RESET_OR_REFUSED, 0, false},
	{"indirect table in a table", spoil_indirect_nested, NEEDS_RESET, HAS_INDIRECT, false},
	{"indirect table of odd size", spoil_indirect_size, NEEDS_RESET, HAS_INDIRECT, false},
	{"indirect table of no bytes", spoil_indirect_empty, NEEDS_RESET, HAS_INDIRECT, false},
	{"indirect table that loops", spoil_indirect_loop, NEEDS_RESET, HAS_INDIRECT, false},
	{"indirect next out of range", spoil_indirect_next, NEEDS_RESET, HAS_INDIRECT, false},
	{"indirect table beyond RAM", spoil_indirect_far, NEEDS_RESET, HAS_INDIRECT, false},
	{"indirect table in private memory", spoil_indirect_private, NEEDS_RESET, HAS_INDIRECT,
		true},
};

/* start() - a device that works, shown by one good request */
static void start(struct virtio *v, const char *name)
{
	virtio_start(v, HAS_INDIRECT, DISK_RINGS);
	expect(name, disk_request(v, DISK_IN, 0, SECTOR), DISK_OK);
}

static void expect_broken(struct virtio *v, const char *name, enum verdict verdict)
{
	uint32_t id, len;
	bool done = virtio_wait(v, &id, &len);
	bool broken = virtio_status(v) & VIRTIO_STATUS_NEEDS_RESET;

	if (guest_option("lenient", 0))
		verdict = NEEDS_RESET_OR_REFUSED;
	if (verdict == NEEDS_RESET && !broken) {
		print("%s: %s instead of NEEDS_RESET\n", name, done ? "done" : "silence");
		guest_fail(name, virtio_status(v));
	}
	if (!done && !broken)
		guest_fail(name, virtio_status(v));
	print("ok: %s: %s\n", name, broken ? "NEEDS_RESET" : "done");
}

static void check_bad(struct virtio *v, const struct bad *bad)
{
	if ((bad->needs_cbit && !paging_cbit()) || (v->offered & bad->feature) != bad->feature) {
		print("skipped: %s\n", bad->name);
		return;
	}
	start(v, bad->name);
	disk_chain(v, DISK_IN, 0, SECTOR);
	bad->spoil(v);
	virtio_offer(v, 0);
	expect_broken(v, bad->name, bad->verdict);
}

/* check_avail() - heads and indices of the available ring that can't be */
static void check_avail(struct virtio *v)
{
	start(v, "before a bad head");
	disk_chain(v, DISK_IN, 0, SECTOR);
	virtio_offer(v, QUEUE_SIZE);
	expect_broken(v, "head out of range", NEEDS_RESET);
	start(v, "before a bad index");
	disk_chain(v, DISK_IN, 0, SECTOR);
	v->rings->avail.idx = (uint16_t)(v->rings->avail.idx + QUEUE_SIZE + 1);
	virtio_kick(v);
	expect_broken(v, "index that jumps", NEEDS_RESET);
}

/* check_ring_at() - a queue whose parts lie at the given addresses */
static void check_ring_at(
	struct virtio *v, const char *name, uint64_t desc, uint64_t avail, uint64_t used)
{
	virtio_reset(v);
	virtio_negotiate(v, 0);
	v->used_seen = 0;
	fill(shared_side(DISK_RINGS), 0, PAGE);
	virtio_set_queue(v, desc, avail, used);
	virtio_drive(v);
	disk_chain(v, DISK_IN, 0, SECTOR);
	virtio_offer(v, 0);
	expect_broken(v, name, NEEDS_RESET);
}

static void check_ring_places(struct virtio *v)
{
	uint64_t avail = DISK_RINGS + offsetof(struct rings, avail);
	uint64_t used = DISK_RINGS + offsetof(struct rings, used);

	check_ring_at(v, "descriptors beyond RAM", FAR_AWAY, avail, used);
	check_ring_at(v, "available ring beyond RAM", DISK_RINGS, FAR_AWAY, used);
	check_ring_at(v, "used ring beyond RAM", DISK_RINGS, avail, FAR_AWAY);
	check_ring_at(v, "descriptors that wrap", ~0ull - 15, avail, used);
	if (!paging_cbit())
		return;
	check_ring_at(v, "descriptors in private memory", PRIVATE_PAGE, avail, used);
	check_ring_at(v, "available ring in private memory", DISK_RINGS, PRIVATE_PAGE, used);
	check_ring_at(v, "used ring in private memory", DISK_RINGS, avail, PRIVATE_PAGE);
}

/* check_taken_back() - the rings become private while the device is in use */
static void check_taken_back(struct virtio *v)
{
	if (!paging_cbit())
		return;
	start(v, "before the rings become private");
	disk_chain(v, DISK_IN, 0, SECTOR);
	expect("taking the rings back", convert(DISK_RINGS, 1, 1), 0);
	virtio_kick(v);
	for (int i = 0; !(virtio_status(v) & VIRTIO_STATUS_NEEDS_RESET); i++)
		if (i == REWRITES * 10)
			guest_fail("rings became private", virtio_status(v));
	print("ok: rings that become private: NEEDS_RESET\n");
	expect("sharing the rings again", convert(DISK_RINGS, 1, 0), 0);
}

/* check_rewrites() - descriptors change while the device may be reading them */
static void check_rewrites(struct virtio *v)
{
	uint32_t id, len;

	for (int round = 0; round < 16; round++) {
		start(v, "before a rewrite");
		disk_chain(v, DISK_IN, 0, SECTOR);
		virtio_offer(v, 0);
		for (int i = 0; i < REWRITES && v->rings->used.idx == v->used_seen; i++) {
			v->rings->desc[1].addr = i % 2 ? DISK_DATA : FAR_AWAY;
			v->rings->desc[1].len = i % 3 ? SECTOR : 0xffffffffu;
			v->rings->desc[1].next = (uint16_t)(i % 5 ? 2 : 0);
		}
		if (!virtio_wait(v, &id, &len) && !(virtio_status(v) & VIRTIO_STATUS_NEEDS_RESET))
			guest_fail("silence after a rewrite", virtio_status(v));
	}
	print("ok: descriptors rewritten after the kick\n");
}

void guest_main(void)
{
	struct virtio v;

	disk_share();
	virtio_find(&v, VIRTIO_BLK);
	start(&v, "first request");
	for (unsigned int i = 0; i < sizeof(bads) / sizeof(bads[0]); i++)
		check_bad(&v, &bads[i]);
	check_avail(&v);
	check_ring_places(&v);
	check_taken_back(&v);
	check_rewrites(&v);
	start(&v, "last request");
	virtio_reset(&v);
}
