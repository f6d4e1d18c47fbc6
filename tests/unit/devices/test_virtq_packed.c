/* SPDX-License-Identifier: Apache-2.0 */
/* The walker on packed rings (spec 2.8). */
#include "devices/back/virtq.h"
#include "tests/unit/devices/rig.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <string.h>

#define TABLE (RIG_GPA + 0x20000u) /* an indirect table */
#define START 0x80008000u          /* base of a fresh ring */

struct fixture {
	struct rig rig;
	struct view view;
	struct virtq q;
	bool broken;
	struct chain chain;
	uint16_t offered; /* the driver's position */
	uint16_t taken;   /* what it has seen used */
};

static void open_queue(struct fixture *f, uint64_t features)
{
	const struct view_spec spec = {RIG_GPA, RIG_SIZE, RIG_USER, 0};
	struct err e = ERR_INIT;

	memset(f, 0, sizeof(*f));
	rig_open(&f->rig);
	assert_int_equal(view_init(&f->view, f->rig.ledger_fd, &e), 0);
	assert_int_equal(view_add(&f->view, &spec, f->rig.mem_fd, &e), 0);
	f->q = (struct virtq){
		.view = &f->view,
		.tag = "test",
		.broken = &f->broken,
		.num = RIG_NUM,
		.base = START,
		.desc = gpa_of(RIG_DESC(0)),
		.avail = gpa_of(RIG_AVAIL(0)),
		.used = gpa_of(RIG_USED(0)),
		.call_fd = f->rig.call[0],
		.err_fd = f->rig.err[0],
		.kick = {.fd = -1},
	};
	assert_int_equal(virtq_start(&f->q, features | VIRTIO_F_RING_PACKED), 0);
}

static void close_queue(struct fixture *f)
{
	view_fini(&f->view);
	rig_close(&f->rig);
}

/* offer() - a chain of one readable buffer and one writable one, of those lengths. */
static void offer(struct fixture *f, uint16_t id, uint32_t out, uint32_t in)
{
	const struct rig_desc d[] = {{RIG_DATA, out, 0, 0}, {RIG_DATA + 0x1000, in, RIG_WRITE, 0}};

	rig_offer_packed(&f->rig, &f->offered, d, 2, id);
}

/* expect_used() - the driver finds that chain used, with so many bytes, and goes on behind it. */
static void expect_used(struct fixture *f, uint16_t id, uint32_t len, uint16_t slots)
{
	struct vring_packed_desc d;

	assert_true(rig_used_packed(&f->rig, f->taken, &d));
	assert_int_equal(d.id, id);
	assert_int_equal(d.len, len);
	assert_int_equal(!!(d.flags & RIG_WRITE), len > 0);
	f->taken = (uint16_t)(f->taken + slots);
}

static void virtq_pops_packed_chain_with_both_parts(void **state)
{
	struct vring_packed_desc d;
	struct fixture f;
	uint32_t out = 0;

	(void)state;
	open_queue(&f, 0);
	assert_int_equal(virtq_pop(&f.q, &f.chain), 0);
	offer(&f, 0xabcd, 16, 0x1001);
	memcpy(rig_at(&f.rig, RIG_DATA), "\1\2\3\4", 4);
	assert_int_equal(virtq_pop(&f.q, &f.chain), 1);
	assert_int_equal(f.chain.n_out, 1);
	assert_int_equal(f.chain.n_in, 1);
	assert_int_equal(f.chain.out_len, 16);
	assert_int_equal(f.chain.in_len, 0x1001);
	assert_int_equal(virtq_copy_out(&f.chain, 0, &out, 4), 4);
	assert_int_equal(out, 0x04030201);
	assert_false(rig_used_packed(&f.rig, 0, &d));
	virtq_push(&f.q, f.chain.head, 7);
	expect_used(&f, 0xabcd, 7, 2);
	assert_int_equal(virtq_pop(&f.q, &f.chain), 0);
	virtq_stop(&f.q);
	assert_int_equal(f.q.base, 0x80028002);
	close_queue(&f);
}

/* Chains of one, two and three descriptors over several laps, finished in another order. */
static void virtq_goes_round_packed_ring_out_of_order(void **state)
{
	const struct rig_desc d[] = {
		{RIG_DATA, 1, 0, 0}, {RIG_DATA, 2, 0, 0}, {RIG_DATA, 3, RIG_WRITE, 0}};
	struct fixture f;

	(void)state;
	open_queue(&f, 0);
	for (uint16_t round = 0; round < 5 * RIG_NUM; round++) {
		struct virtq_done done[3];

		for (uint16_t i = 0; i < 3; i++) {
			rig_offer_packed(
				&f.rig, &f.offered, d + 2 - i, i + 1u, (uint16_t)(3 * round + i));
			assert_int_equal(virtq_pop(&f.q, &f.chain), 1);
			assert_int_equal(f.chain.n_out + f.chain.n_in, i + 1);
			done[2 - i] = (struct virtq_done){f.chain.head, i};
		}
		assert_int_equal(virtq_pop(&f.q, &f.chain), 0);
		virtq_push_all(&f.q, done, 2);
		virtq_push(&f.q, done[2].head, 0);
		expect_used(&f, (uint16_t)(3 * round + 2), 2, 3);
		expect_used(&f, (uint16_t)(3 * round + 1), 1, 2);
		expect_used(&f, (uint16_t)(3 * round), 0, 1);
	}
	assert_false(f.broken);
	virtq_stop(&f.q);
	assert_int_equal(f.q.base, 0x80008000); /* an even number of laps */
	close_queue(&f);
}

static void virtq_goes_on_in_packed_ring_where_base_says(void **state)
{
	struct fixture f;

	(void)state;
	open_queue(&f, 0);
	virtq_stop(&f.q);
	f.q.base = 0x003f003f; /* the last entry, wrap counters 0 */
	assert_int_equal(virtq_start(&f.q, VIRTIO_F_RING_PACKED), 0);
	f.offered = f.taken = 2 * RIG_NUM - 1;
	offer(&f, 1, 1, 1); /* over the end */
	assert_int_equal(virtq_pop(&f.q, &f.chain), 1);
	virtq_push(&f.q, f.chain.head, 1);
	expect_used(&f, 1, 1, 2);
	virtq_stop(&f.q);
	assert_int_equal(f.q.base, 0x80018001);
	close_queue(&f);
}

static void virtq_fills_packed_ring_to_the_last_entry(void **state)
{
	struct virtq_done done[RIG_NUM];
	struct fixture f;

	(void)state;
	open_queue(&f, 0);
	for (unsigned int lap = 0; lap < 3; lap++) {
		for (uint16_t i = 0; i < RIG_NUM / 2; i++) {
			offer(&f, i, 1, 1);
			assert_int_equal(virtq_pop(&f.q, &f.chain), 1);
			done[i] = (struct virtq_done){f.chain.head, 1};
		}
		assert_int_equal(virtq_pop(&f.q, &f.chain), 0);
		virtq_push_all(&f.q, done, RIG_NUM / 2);
		for (uint16_t i = 0; i < RIG_NUM / 2; i++)
			expect_used(&f, i, 1, 2);
	}
	assert_false(f.broken);
	close_queue(&f);
}

static void virtq_pops_packed_indirect(void **state)
{
	const struct rig_desc d = {TABLE, 48, RIG_INDIRECT | RIG_WRITE, 0};
	struct fixture f;

	(void)state;
	open_queue(&f, VIRTIO_F_INDIRECT_DESC);
	/* Whatever else is in flags and id of a table's descriptors is ignored (spec 2.8.7). */
	rig_desc(&f.rig, TABLE, 0, (struct rig_desc){RIG_DATA, 2, 0xffff, RIG_INDIRECT});
	rig_desc(&f.rig, TABLE, 1, (struct rig_desc){RIG_DATA, 4, 0xffff, 0});
	rig_desc(&f.rig, TABLE, 2, (struct rig_desc){RIG_DATA, 8, 0xffff, 0xffff});
	rig_offer_packed(&f.rig, &f.offered, &d, 1, 9);
	assert_int_equal(virtq_pop(&f.q, &f.chain), 1);
	assert_int_equal(f.chain.n_out, 2);
	assert_int_equal(f.chain.out_len, 6);
	assert_int_equal(f.chain.in_len, 8);
	virtq_push(&f.q, f.chain.head, 8);
	expect_used(&f, 9, 8, 1);
	close_queue(&f);
}

static void virtq_pops_same_packed_chains_after_unpop(void **state)
{
	struct chain_head heads[3];
	struct fixture f;

	(void)state;
	open_queue(&f, 0);
	for (uint16_t i = 0; i < 3; i++)
		offer(&f, i, i + 1u, 1);
	for (int round = 0; round < 3; round++) {
		for (unsigned int i = 0; i < 3; i++) {
			assert_int_equal(virtq_pop(&f.q, &f.chain), 1);
			assert_int_equal(f.chain.out_len, i + 1);
			heads[i] = f.chain.head;
		}
		for (unsigned int i = 3; i-- > 0;)
			virtq_unpop(&f.q, heads[i]);
	}
	assert_int_equal(f.q.in_flight, 0);
	assert_int_equal(f.q.next_avail, 0);
	close_queue(&f);
}

static void set_event(struct fixture *f, uint16_t off_wrap, uint16_t flags)
{
	const struct vring_packed_event event = {off_wrap, flags};

	memcpy(rig_at(&f->rig, RIG_AVAIL(0)), &event, sizeof(event));
}

static void virtq_notifies_as_packed_events_say(void **state)
{
	static const struct {
		uint64_t features;
		uint16_t flags, off_wrap;
		uint8_t calls; /* bit n: at the n-th chain, each of which takes two entries */
	} rows[] = {
		{0, VRING_PACKED_EVENT_ENABLE, 0, 0x1f}, {0, VRING_PACKED_EVENT_DISABLE, 0, 0},
		{VIRTIO_F_EVENT_IDX, VRING_PACKED_EVENT_ENABLE, 0, 0x1f},
		{VIRTIO_F_EVENT_IDX, VRING_PACKED_EVENT_DISABLE, 0, 0x01},
		{VIRTIO_F_EVENT_IDX, VRING_PACKED_EVENT_DESC, 0x8004, 0x05},
		{VIRTIO_F_EVENT_IDX, VRING_PACKED_EVENT_DESC, 0x8007, 0x09},
		{VIRTIO_F_EVENT_IDX, VRING_PACKED_EVENT_DESC, 0x0004, 0x01}, /* the next lap */
	};
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		open_queue(&f, rows[i].features);
		set_event(&f, rows[i].off_wrap, rows[i].flags);
		for (unsigned int n = 0; n < 5; n++) {
			offer(&f, 0, 1, 1);
			assert_int_equal(virtq_pop(&f.q, &f.chain), 1);
			virtq_push(&f.q, f.chain.head, 0);
			virtq_notify(&f.q);
			assert_int_equal(rig_count(f.rig.call[0]), rows[i].calls >> n & 1);
		}
		close_queue(&f);
	}
}

static void virtq_asks_for_kicks_in_packed_ring(void **state)
{
	struct vring_packed_event *event;
	struct fixture f;

	(void)state;
	for (unsigned int idx = 0; idx < 2; idx++) {
		open_queue(&f, idx ? VIRTIO_F_EVENT_IDX : 0);
		event = rig_at(&f.rig, RIG_USED(0));
		offer(&f, 0, 1, 1);
		assert_int_equal(virtq_pop(&f.q, &f.chain), 1);
		assert_int_equal(event->flags, idx ? 0 : VRING_PACKED_EVENT_DISABLE);
		virtq_push(&f.q, f.chain.head, 0);
		assert_int_equal(virtq_pop(&f.q, &f.chain), 0);
		assert_int_equal(
			event->flags, idx ? VRING_PACKED_EVENT_DESC : VRING_PACKED_EVENT_ENABLE);
		assert_int_equal(event->off_wrap, 0x8002);
		close_queue(&f);
	}
}

/* What a driver may get wrong. */
static void no_length(struct fixture *f)
{
	offer(f, 0, 0, 1);
}

static void readable_after_writable(struct fixture *f)
{
	const struct rig_desc d[] = {{RIG_DATA, 1, RIG_WRITE, 0}, {RIG_DATA, 1, 0, 0}};

	rig_offer_packed(&f->rig, &f->offered, d, 2, 0);
}

static void beyond_memory(struct fixture *f)
{
	const struct rig_desc d = {RIG_GPA + RIG_SIZE - 1, 2, 0, 0};

	rig_offer_packed(&f->rig, &f->offered, &d, 1, 0);
}

static void private_buffer(struct fixture *f)
{
	offer(f, 0, 4096, 1);
	rig_share(&f->rig, RIG_DATA, 1, false);
}

static void endless_list(struct fixture *f)
{
	struct rig_desc d[RIG_NUM];

	for (unsigned int i = 0; i < RIG_NUM; i++)
		d[i] = (struct rig_desc){RIG_DATA, 1, RIG_NEXT, 0};
	rig_offer_packed(&f->rig, &f->offered, d, RIG_NUM, 0);
}

static void indirect_in_list(struct fixture *f)
{
	const struct rig_desc d[] = {{RIG_DATA, 1, 0, 0}, {TABLE, 16, RIG_INDIRECT, 0}};

	rig_desc(&f->rig, TABLE, 0, (struct rig_desc){RIG_DATA, 1, 0, 0});
	rig_offer_packed(&f->rig, &f->offered, d, 2, 0);
}

static void offer_table(struct fixture *f, uint64_t at, uint32_t len, uint16_t flags)
{
	const struct rig_desc d = {at, len, (uint16_t)(RIG_INDIRECT | flags), 0};

	for (unsigned int i = 0; i < RIG_NUM + 1; i++)
		rig_desc(&f->rig, TABLE, i, (struct rig_desc){RIG_DATA, 1, 0, 0});
	rig_offer_packed(&f->rig, &f->offered, &d, 1, 0);
}

static void indirect_with_next(struct fixture *f)
{
	offer_table(f, TABLE, 16, RIG_NEXT);
}

static void indirect_empty(struct fixture *f)
{
	offer_table(f, TABLE, 0, 0);
}

static void indirect_half(struct fixture *f)
{
	offer_table(f, TABLE, 24, 0);
}

static void indirect_too_long(struct fixture *f)
{
	offer_table(f, TABLE, 16 * (RIG_NUM + 1), 0);
}

static void indirect_private(struct fixture *f)
{
	offer_table(f, TABLE, 16, 0);
	rig_share(&f->rig, TABLE, 1, false);
}

static void indirect_beyond_memory(struct fixture *f)
{
	offer_table(f, RIG_GPA + RIG_SIZE - 16, 32, 0);
}

static void ring_private(struct fixture *f)
{
	offer(f, 0, 1, 1);
	rig_share(&f->rig, RIG_DESC(0), 1, false);
}

static void events_private(struct fixture *f)
{
	offer(f, 0, 1, 1);
	rig_share(&f->rig, RIG_USED(0), 1, false);
}

static const struct bad_ring {
	const char *what, *section;
	void (*make)(struct fixture *f);
} bad_rings[] = {
	{"buffer of no bytes", "2.8.4", no_length},
	{"readable after writable", "2.8.17", readable_after_writable},
	{"buffer beyond memory", "2.8.4", beyond_memory},
	{"buffer partly private", "ledger", private_buffer},
	{"list as long as the ring that goes on", "2.8.17", endless_list},
	{"indirect in a list", "2.8.19", indirect_in_list},
	{"indirect with next", "2.8.19", indirect_with_next},
	{"indirect of no bytes", "2.8.7", indirect_empty},
	{"indirect of half a descriptor", "2.8.7", indirect_half},
	{"indirect longer than queue", "2.8.19", indirect_too_long},
	{"indirect table private", "ledger", indirect_private},
	{"indirect table beyond memory", "2.8.7", indirect_beyond_memory},
	{"ring private", "ledger", ring_private},
	{"device's event area private", "ledger", events_private},
};

static void virtq_breaks_when_packed_ring_is_malformed(void **state)
{
	struct vring_packed_desc d;
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad_rings); i++) {
		open_queue(&f, VIRTIO_F_INDIRECT_DESC);
		bad_rings[i].make(&f);
		if (virtq_pop(&f.q, &f.chain) != -EPROTO)
			fail_msg("accepted: %s (%s)", bad_rings[i].what, bad_rings[i].section);
		assert_true(f.broken);
		assert_int_equal(rig_count(f.rig.err[0]), 1);
		rig_share(&f.rig, RIG_GPA, RIG_SIZE, true);
		assert_int_equal(virtq_pop(&f.q, &f.chain), -EPROTO);
		assert_int_equal(f.q.in_flight, 0);
		assert_false(rig_used_packed(&f.rig, 0, &d));
		assert_int_equal(rig_count(f.rig.err[0]), 0);
		assert_int_equal(rig_count(f.rig.call[0]), 0);
		close_queue(&f);
	}
}

static void virtq_breaks_when_packed_indirect_was_not_negotiated(void **state)
{
	struct fixture f;

	(void)state;
	open_queue(&f, 0);
	offer_table(&f, TABLE, 16, 0);
	assert_int_equal(virtq_pop(&f.q, &f.chain), -EPROTO);
	close_queue(&f);
}

/* The driver marks entries available that are still in flight. */
static void virtq_breaks_when_packed_ring_overtakes_itself(void **state)
{
	struct fixture f;

	(void)state;
	for (unsigned int first = 1; first < 3; first++) {
		const struct rig_desc d[] = {{RIG_DATA, 1, 0, 0}, {RIG_DATA, 1, 0, 0}};

		open_queue(&f, 0);
		rig_offer_packed(&f.rig, &f.offered, d, first, 0);
		assert_int_equal(virtq_pop(&f.q, &f.chain), 1);
		while (f.offered < RIG_NUM - 1) {
			rig_offer_packed(&f.rig, &f.offered, d, 1, 0);
			assert_int_equal(virtq_pop(&f.q, &f.chain), 1);
		}
		rig_offer_packed(&f.rig, &f.offered, d, 2, 0); /* the second entry is taken */
		assert_int_equal(virtq_pop(&f.q, &f.chain), -EPROTO);
		close_queue(&f);
	}
}

static void virtq_breaks_when_packed_ring_becomes_private(void **state)
{
	static const struct {
		uint64_t page;
		bool at_push;
	} rows[] = {{RIG_DESC(0), true}, {RIG_AVAIL(0), false}};
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct vring_packed_desc d;

		open_queue(&f, 0);
		offer(&f, 0, 1, 1);
		assert_int_equal(virtq_pop(&f.q, &f.chain), 1);
		rig_share(&f.rig, rows[i].page, 1, false);
		virtq_push(&f.q, f.chain.head, 1);
		assert_int_equal(f.broken, rows[i].at_push);
		virtq_notify(&f.q);
		assert_true(f.broken);
		assert_int_equal(f.q.in_flight, 0);
		assert_int_equal(rig_used_packed(&f.rig, 0, &d), !rows[i].at_push);
		assert_int_equal(rig_count(f.rig.err[0]), 1);
		assert_int_equal(rig_count(f.rig.call[0]), 0);
		close_queue(&f);
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(virtq_pops_packed_chain_with_both_parts),
	cmocka_unit_test(virtq_goes_round_packed_ring_out_of_order),
	cmocka_unit_test(virtq_goes_on_in_packed_ring_where_base_says),
	cmocka_unit_test(virtq_fills_packed_ring_to_the_last_entry),
	cmocka_unit_test(virtq_pops_packed_indirect),
	cmocka_unit_test(virtq_pops_same_packed_chains_after_unpop),
	cmocka_unit_test(virtq_notifies_as_packed_events_say),
	cmocka_unit_test(virtq_asks_for_kicks_in_packed_ring),
	cmocka_unit_test(virtq_breaks_when_packed_ring_is_malformed),
	cmocka_unit_test(virtq_breaks_when_packed_indirect_was_not_negotiated),
	cmocka_unit_test(virtq_breaks_when_packed_ring_overtakes_itself),
	cmocka_unit_test(virtq_breaks_when_packed_ring_becomes_private),
};
UNIT_MAIN(tests)
