/* SPDX-License-Identifier: Apache-2.0 */
#include "devices/back/virtq.h"

#include "base/fd.h"
#include "devices/back/queue_stats.h"
#include "tests/unit/devices/rig.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#define TABLE (RIG_GPA + 0x20000u) /* an indirect table */

struct fixture {
	struct rig rig;
	struct view view;
	struct virtq q;
	bool broken;
	struct chain chain;
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
		.desc = gpa_of(RIG_DESC(0)),
		.avail = gpa_of(RIG_AVAIL(0)),
		.used = gpa_of(RIG_USED(0)),
		.call_fd = f->rig.call[0],
		.err_fd = f->rig.err[0],
		.kick = {.fd = -1},
	};
	assert_int_equal(virtq_start(&f->q, features), 0);
}

static void close_queue(struct fixture *f)
{
	view_fini(&f->view);
	rig_close(&f->rig);
}

static void desc(struct fixture *f, unsigned int i, struct rig_desc d)
{
	rig_desc(&f->rig, RIG_DESC(0), i, d);
}

static void indirect(struct fixture *f, unsigned int i, struct rig_desc d)
{
	rig_desc(&f->rig, TABLE, i, d);
}

/* One readable and one writable buffer, chain 3 -> 5. */
static void good_chain(struct fixture *f)
{
	desc(f, 3, (struct rig_desc){RIG_DATA, 16, RIG_NEXT, 5});
	desc(f, 5, (struct rig_desc){RIG_DATA + 0x1000, 0x1001, RIG_WRITE, 0});
	rig_offer(&f->rig, 0, 3);
}

static void virtq_pops_chain_with_both_parts(void **state)
{
	struct fixture f;
	uint32_t out = 0;

	(void)state;
	open_queue(&f, 0);
	assert_int_equal(virtq_pop(&f.q, &f.chain), 0);
	good_chain(&f);
	memcpy(rig_at(&f.rig, RIG_DATA), "\1\2\3\4", 4);
	assert_int_equal(virtq_pop(&f.q, &f.chain), 1);
	assert_int_equal(f.chain.head.id, 3);
	assert_int_equal(f.chain.n_out, 1);
	assert_int_equal(f.chain.n_in, 1);
	assert_int_equal(f.chain.out_len, 16);
	assert_int_equal(f.chain.in_len, 0x1001);
	assert_int_equal(virtq_copy_out(&f.chain, 0, &out, 4), 4);
	assert_int_equal(out, 0x04030201);
	assert_int_equal(virtq_copy_in(&f.chain, 0x1000, "xy", 2), 1);
	assert_int_equal(*(char *)rig_at(&f.rig, RIG_DATA + 0x2000), 'x');
	assert_int_equal(f.q.in_flight, 1);
	virtq_push(&f.q, f.chain.head, 7);
	assert_int_equal(f.q.in_flight, 0);
	assert_int_equal(rig_used(&f.rig, 0), 1);
	assert_int_equal(rig_used_len(&f.rig, 0, 0), 7);
	assert_int_equal(virtq_pop(&f.q, &f.chain), 0);
	virtq_stop(&f.q);
	close_queue(&f);
}

static void virtq_pops_indirect_after_direct(void **state)
{
	struct fixture f;

	(void)state;
	open_queue(&f, VIRTIO_F_INDIRECT_DESC);
	desc(&f, 0, (struct rig_desc){RIG_DATA, 1, RIG_NEXT, 1});
	desc(&f, 1, (struct rig_desc){TABLE, 32, RIG_INDIRECT | RIG_WRITE, 9});
	indirect(&f, 0, (struct rig_desc){RIG_DATA, 2, RIG_NEXT, 1});
	indirect(&f, 1, (struct rig_desc){RIG_DATA, 4, RIG_WRITE, 77});
	rig_offer(&f.rig, 0, 0);
	assert_int_equal(virtq_pop(&f.q, &f.chain), 1);
	assert_int_equal(f.chain.out_len, 3);
	assert_int_equal(f.chain.in_len, 4);
	virtq_push(&f.q, f.chain.head, 0);
	close_queue(&f);
}

static void virtq_pops_chain_as_long_as_queue(void **state)
{
	struct fixture f;

	(void)state;
	open_queue(&f, VIRTIO_F_INDIRECT_DESC);
	for (uint16_t i = 0; i < RIG_NUM; i++)
		desc(&f, i, (struct rig_desc){RIG_DATA, 1, RIG_NEXT, (uint16_t)(i + 1)});
	desc(&f, RIG_NUM - 1, (struct rig_desc){RIG_DATA, 1, 0, 0});
	rig_offer(&f.rig, 0, 0);
	assert_int_equal(virtq_pop(&f.q, &f.chain), 1);
	assert_int_equal(f.chain.out_len, RIG_NUM);
	virtq_push(&f.q, f.chain.head, 0);
	/* One buffer and the rest in a table: the descriptor that names the table is no buffer. */
	desc(&f, 1, (struct rig_desc){TABLE, 16 * (RIG_NUM - 1), RIG_INDIRECT, 0});
	for (uint16_t i = 0; i < RIG_NUM - 1; i++)
		indirect(&f, i, (struct rig_desc){RIG_DATA, 1, RIG_NEXT, (uint16_t)(i + 1)});
	indirect(&f, RIG_NUM - 2, (struct rig_desc){RIG_DATA, 1, 0, 0});
	rig_offer(&f.rig, 0, 0);
	assert_int_equal(virtq_pop(&f.q, &f.chain), 1);
	assert_int_equal(f.chain.out_len, RIG_NUM);
	virtq_push(&f.q, f.chain.head, 0);
	close_queue(&f);
}

static void virtq_pops_same_chain_after_unpop(void **state)
{
	struct fixture f;

	(void)state;
	open_queue(&f, 0);
	good_chain(&f);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(virtq_pop(&f.q, &f.chain), 1);
		virtq_unpop(&f.q, f.chain.head);
	}
	assert_int_equal(f.q.in_flight, 0);
	assert_int_equal(f.q.next_avail, 0);
	close_queue(&f);
}

/* What a driver may get wrong; each row leaves one chain available at head 0. */
static void no_length(struct fixture *f)
{
	desc(f, 0, (struct rig_desc){RIG_DATA, 0, 0, 0});
}

/* What lies behind a table looks like a good descriptor. */
static void good_behind_tables(struct fixture *f)
{
	desc(f, RIG_NUM, (struct rig_desc){RIG_DATA, 1, 0, 0});
	indirect(f, 2, (struct rig_desc){RIG_DATA, 1, 0, 0});
}

static void next_out_of_range(struct fixture *f)
{
	good_behind_tables(f);
	desc(f, 0, (struct rig_desc){RIG_DATA, 1, RIG_NEXT, RIG_NUM});
}

static void loop_of_two(struct fixture *f)
{
	desc(f, 0, (struct rig_desc){RIG_DATA, 1, RIG_NEXT, 1});
	desc(f, 1, (struct rig_desc){RIG_DATA, 1, RIG_NEXT, 0});
}

static void loop_in_indirect(struct fixture *f)
{
	desc(f, 0, (struct rig_desc){TABLE, 16, RIG_INDIRECT, 0});
	indirect(f, 0, (struct rig_desc){RIG_DATA, 1, RIG_NEXT, 0});
}

static void readable_after_writable(struct fixture *f)
{
	desc(f, 0, (struct rig_desc){RIG_DATA, 1, RIG_NEXT | RIG_WRITE, 1});
	desc(f, 1, (struct rig_desc){RIG_DATA, 1, 0, 0});
}

static void beyond_memory(struct fixture *f)
{
	desc(f, 0, (struct rig_desc){RIG_GPA + RIG_SIZE - 1, 2, 0, 0});
}

static void address_wraps(struct fixture *f)
{
	desc(f, 0, (struct rig_desc){UINT64_MAX - 1, 16, 0, 0});
}

static void private_buffer(struct fixture *f)
{
	desc(f, 0, (struct rig_desc){RIG_DATA + 0xfff, 2, 0, 0});
	rig_share(&f->rig, RIG_DATA + 0x1000, 1, false);
}

static void indirect_nested(struct fixture *f)
{
	desc(f, 0, (struct rig_desc){TABLE, 16, RIG_INDIRECT, 0});
	indirect(f, 0, (struct rig_desc){TABLE, 16, RIG_INDIRECT, 0});
}

static void indirect_with_next(struct fixture *f)
{
	desc(f, 0, (struct rig_desc){TABLE, 16, RIG_INDIRECT | RIG_NEXT, 1});
	indirect(f, 0, (struct rig_desc){RIG_DATA, 1, 0, 0});
}

static void indirect_empty(struct fixture *f)
{
	desc(f, 0, (struct rig_desc){TABLE, 0, RIG_INDIRECT, 0});
}

static void indirect_half(struct fixture *f)
{
	desc(f, 0, (struct rig_desc){TABLE, 24, RIG_INDIRECT, 0});
	indirect(f, 0, (struct rig_desc){RIG_DATA, 1, 0, 0});
}

static void indirect_too_long(struct fixture *f)
{
	desc(f, 0, (struct rig_desc){TABLE, 16 * (RIG_NUM + 1), RIG_INDIRECT, 0});
	indirect(f, 0, (struct rig_desc){RIG_DATA, 1, 0, 0});
}

static void indirect_index_out(struct fixture *f)
{
	good_behind_tables(f);
	desc(f, 0, (struct rig_desc){TABLE, 32, RIG_INDIRECT, 0});
	indirect(f, 0, (struct rig_desc){RIG_DATA, 1, RIG_NEXT, 2});
}

static void indirect_private(struct fixture *f)
{
	desc(f, 0, (struct rig_desc){TABLE, 16, RIG_INDIRECT, 0});
	indirect(f, 0, (struct rig_desc){RIG_DATA, 1, 0, 0});
	rig_share(&f->rig, TABLE, 1, false);
}

static void indirect_and_queue_too_long(struct fixture *f)
{
	desc(f, 0, (struct rig_desc){RIG_DATA, 1, RIG_NEXT, 1});
	desc(f, 1, (struct rig_desc){TABLE, 16 * RIG_NUM, RIG_INDIRECT, 0});
	for (unsigned int i = 0; i < RIG_NUM; i++)
		indirect(f, i, (struct rig_desc){RIG_DATA, 1, RIG_NEXT, (uint16_t)(i + 1)});
	indirect(f, RIG_NUM - 1, (struct rig_desc){RIG_DATA, 1, 0, 0});
}

static void desc_private(struct fixture *f)
{
	desc(f, 0, (struct rig_desc){RIG_DATA, 1, 0, 0});
	rig_share(&f->rig, RIG_DESC(0), 1, false);
}

static void avail_private(struct fixture *f)
{
	desc(f, 0, (struct rig_desc){RIG_DATA, 1, 0, 0});
	rig_share(&f->rig, RIG_AVAIL(0), 1, false);
}

static void avail_jumps(struct fixture *f)
{
	*(uint16_t *)rig_at(&f->rig, RIG_AVAIL(0) + 2) = RIG_NUM;
}

static const struct bad_ring {
	const char *what, *section;
	void (*make)(struct fixture *f);
	uint16_t head;
} bad_rings[] = {
	{"buffer of no bytes", "2.7.5", no_length},
	{"next out of range", "2.7.5", next_out_of_range},
	{"head out of range", "2.7.6", good_behind_tables, RIG_NUM},
	{"head out of range, largest", "2.7.6", no_length, UINT16_MAX},
	{"loop", "2.7.5.3.1", loop_of_two},
	{"loop in an indirect table", "2.7.5.3.1", loop_in_indirect},
	{"readable after writable", "2.7.4.2", readable_after_writable},
	{"buffer beyond memory", "2.7.5", beyond_memory},
	{"buffer whose address wraps", "2.7.5", address_wraps},
	{"buffer partly private", "ledger", private_buffer},
	{"indirect in indirect", "2.7.5.3.1", indirect_nested},
	{"indirect with next", "2.7.5.3.1", indirect_with_next},
	{"indirect of no bytes", "2.7.5.3.1", indirect_empty},
	{"indirect of half a descriptor", "2.7.5.3", indirect_half},
	{"indirect longer than queue", "2.7.5.3.1", indirect_too_long},
	{"indirect index out of range", "2.7.5.3", indirect_index_out},
	{"indirect table private", "ledger", indirect_private},
	{"chain longer than queue", "2.7.5.3.1", indirect_and_queue_too_long},
	{"descriptor table private", "ledger", desc_private},
	{"available ring private", "ledger", avail_private},
	{"available index jumps", "2.7.13", avail_jumps},
};

static void virtq_breaks_when_ring_is_malformed(void **state)
{
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad_rings); i++) {
		open_queue(&f, VIRTIO_F_INDIRECT_DESC);
		bad_rings[i].make(&f);
		rig_offer(&f.rig, 0, bad_rings[i].head);
		if (virtq_pop(&f.q, &f.chain) != -EPROTO)
			fail_msg("accepted: %s (%s)", bad_rings[i].what, bad_rings[i].section);
		assert_true(f.broken);
		assert_int_equal(rig_count(f.rig.err[0]), 1);
		/* For good, however the ring looks now, and told once. */
		rig_share(&f.rig, RIG_GPA, RIG_SIZE, true);
		desc(&f, 0, (struct rig_desc){RIG_DATA, 1, 0, 0});
		assert_int_equal(virtq_pop(&f.q, &f.chain), -EPROTO);
		assert_int_equal(f.q.in_flight, 0);
		assert_int_equal(rig_used(&f.rig, 0), 0);
		assert_int_equal(rig_count(f.rig.err[0]), 0);
		assert_int_equal(rig_count(f.rig.call[0]), 0);
		close_queue(&f);
	}
}

static void virtq_breaks_when_indirect_was_not_negotiated(void **state)
{
	struct fixture f;

	(void)state;
	open_queue(&f, 0);
	desc(&f, 0, (struct rig_desc){TABLE, 16, RIG_INDIRECT, 0});
	indirect(&f, 0, (struct rig_desc){RIG_DATA, 1, 0, 0});
	rig_offer(&f.rig, 0, 0);
	assert_int_equal(virtq_pop(&f.q, &f.chain), -EPROTO);
	close_queue(&f);
}

static void virtq_breaks_when_used_ring_becomes_private(void **state)
{
	struct fixture f;

	(void)state;
	open_queue(&f, 0);
	good_chain(&f);
	assert_int_equal(virtq_pop(&f.q, &f.chain), 1);
	rig_share(&f.rig, RIG_USED(0), 1, false);
	virtq_push(&f.q, f.chain.head, 0);
	assert_true(f.broken);
	assert_int_equal(f.q.in_flight, 0);
	assert_int_equal(rig_used(&f.rig, 0), 0);
	assert_int_equal(rig_count(f.rig.err[0]), 1);
	close_queue(&f);
}

static void virtq_breaks_when_more_in_flight_than_descriptors(void **state)
{
	struct fixture f;

	(void)state;
	open_queue(&f, 0);
	desc(&f, 0, (struct rig_desc){RIG_DATA, 1, 0, 0});
	for (unsigned int i = 0; i < RIG_NUM; i++) {
		rig_offer(&f.rig, 0, 0);
		assert_int_equal(virtq_pop(&f.q, &f.chain), 1);
	}
	rig_offer(&f.rig, 0, 0);
	assert_int_equal(virtq_pop(&f.q, &f.chain), -EPROTO);
	assert_int_equal(f.q.in_flight, RIG_NUM);
	close_queue(&f);
}

static void virtq_refuses_start_when_ring_is_no_ring(void **state)
{
	static const struct {
		uint16_t num;
		uint64_t desc, avail, used;
	} rows[] = {
		{0, RIG_DESC(0), RIG_AVAIL(0), RIG_USED(0)},
		{12, RIG_DESC(0), RIG_AVAIL(0), RIG_USED(0)},
		{2048, RIG_DESC(0), RIG_AVAIL(0), RIG_USED(0)},
		{16, RIG_DESC(0) + 8, RIG_AVAIL(0), RIG_USED(0)},
		{16, RIG_DESC(0), RIG_AVAIL(0) + 1, RIG_USED(0)},
		{16, RIG_DESC(0), RIG_AVAIL(0), RIG_USED(0) + 2},
		{16, RIG_DESC(0), RIG_AVAIL(0), RIG_GPA + RIG_SIZE},
	};
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		open_queue(&f, 0);
		virtq_stop(&f.q);
		f.q.num = rows[i].num;
		f.q.desc = gpa_of(rows[i].desc);
		f.q.avail = gpa_of(rows[i].avail);
		f.q.used = gpa_of(rows[i].used);
		assert_int_equal(virtq_start(&f.q, 0), -EPROTO);
		assert_false(f.q.running);
		assert_int_equal(rig_count(f.rig.err[0]), 1);
		close_queue(&f);
	}
}

static void virtq_notifies_as_event_index_says(void **state)
{
	struct fixture f;
	uint16_t *used_event;

	(void)state;
	open_queue(&f, VIRTIO_F_EVENT_IDX);
	used_event = rig_at(&f.rig, RIG_AVAIL(0) + 4 + 2 * RIG_NUM);
	desc(&f, 0, (struct rig_desc){RIG_DATA, 1, 0, 0});
	*used_event = 2;
	for (unsigned int i = 0; i < 5; i++) {
		rig_offer(&f.rig, 0, 0);
		assert_int_equal(virtq_pop(&f.q, &f.chain), 1);
		virtq_push(&f.q, f.chain.head, 0);
		virtq_notify(&f.q);
		/* The first always (nothing is known then), later the one that passes the event. */
		assert_int_equal(rig_count(f.rig.call[0]), i == 0 || i == 2);
	}
	assert_int_equal(*(uint16_t *)rig_at(&f.rig, RIG_USED(0) + 4 + 8 * RIG_NUM), 0);
	assert_int_equal(virtq_pop(&f.q, &f.chain), 0);
	assert_int_equal(*(uint16_t *)rig_at(&f.rig, RIG_USED(0) + 4 + 8 * RIG_NUM), 5);
	close_queue(&f);
}

static void virtq_notifies_as_flags_say(void **state)
{
	struct fixture f;

	(void)state;
	open_queue(&f, 0);
	for (uint16_t flags = 0; flags < 2; flags++) {
		good_chain(&f);
		*(uint16_t *)rig_at(&f.rig, RIG_AVAIL(0)) = flags;
		assert_int_equal(virtq_pop(&f.q, &f.chain), 1);
		virtq_push(&f.q, f.chain.head, 0);
		virtq_notify(&f.q);
		assert_int_equal(rig_count(f.rig.call[0]), !flags);
	}
	assert_int_equal(*(uint16_t *)rig_at(&f.rig, RIG_USED(0)), 1);
	assert_int_equal(virtq_pop(&f.q, &f.chain), 0);
	assert_int_equal(*(uint16_t *)rig_at(&f.rig, RIG_USED(0)), 0);
	close_queue(&f);
}

/*
 * A hostile second CPU, made deterministic: every access of the walker to the descriptor page
 * faults and is single-stepped, and behind the n-th one the descriptors become evil.
 */
static struct {
	uint8_t *page; /* in the walker's mapping */
	struct rig *rig;
	unsigned int accesses;
	unsigned int n;
	unsigned int kind; /* of evil */
} second_cpu;

static void turn_evil(void)
{
	/* Evil in one field and good in the others, or a second look would be caught by another. */
	const struct rig_desc evils[] = {
		{RIG_DATA, UINT32_MAX, 0, 0},
		{RIG_DATA, 16, RIG_NEXT, 999},
		{RIG_GPA + RIG_SIZE, 16, 0, 0},
		{RIG_DATA, 16, RIG_INDIRECT | RIG_NEXT, 1},
	};

	for (unsigned int i = 0; i < RIG_NUM; i++)
		rig_desc(second_cpu.rig, RIG_DESC(0), i, evils[second_cpu.kind]);
}

static void on_access(int sig, siginfo_t *info, void *context)
{
	ucontext_t *u = context;

	(void)sig, (void)info;
	second_cpu.accesses++;
	mprotect(second_cpu.page, PAGE_SIZE, PROT_READ | PROT_WRITE);
	u->uc_mcontext.gregs[REG_EFL] |= 0x100; /* trap after this instruction */
}

static void on_step(int sig, siginfo_t *info, void *context)
{
	ucontext_t *u = context;

	(void)sig, (void)info;
	u->uc_mcontext.gregs[REG_EFL] &= ~0x100;
	if (second_cpu.accesses == second_cpu.n)
		turn_evil();
	mprotect(second_cpu.page, PAGE_SIZE, PROT_NONE);
}

static void virtq_is_not_fooled_when_descriptors_change_behind_each_read(void **state)
{
	struct sigaction access = {.sa_sigaction = on_access, .sa_flags = SA_SIGINFO}, was_segv;
	struct sigaction step = {.sa_sigaction = on_step, .sa_flags = SA_SIGINFO}, was_trap;
	struct fixture f;

	(void)state;
	for (unsigned int n = 4; n < 36; n++) {
		uint8_t *host;
		int rc;

		open_queue(&f, VIRTIO_F_INDIRECT_DESC);
		desc(&f, 0, (struct rig_desc){RIG_DATA, 16, RIG_NEXT, 1});
		desc(&f, 1, (struct rig_desc){RIG_DATA + 0x1000, 32, RIG_WRITE, 0});
		rig_offer(&f.rig, 0, 0);
		host = f.view.regions[0].host;
		second_cpu.rig = &f.rig;
		second_cpu.page = host + (RIG_DESC(0) - RIG_GPA);
		second_cpu.accesses = 0;
		second_cpu.n = n / 4;
		second_cpu.kind = n % 4;
		sigaction(SIGSEGV, &access, &was_segv);
		sigaction(SIGTRAP, &step, &was_trap);
		mprotect(second_cpu.page, PAGE_SIZE, PROT_NONE);
		rc = virtq_pop(&f.q, &f.chain);
		mprotect(second_cpu.page, PAGE_SIZE, PROT_READ | PROT_WRITE);
		sigaction(SIGSEGV, &was_segv, NULL);
		sigaction(SIGTRAP, &was_trap, NULL);
		assert_true(second_cpu.accesses >= 1);
		assert_true(rc == 1 || rc == -EPROTO);
		for (unsigned int i = 0; rc == 1 && i < f.chain.n_out + f.chain.n_in; i++) {
			const struct iovec *iov = &f.chain.iov[i];

			assert_in_range((uintptr_t)iov->iov_base, (uintptr_t)host,
				(uintptr_t)host + RIG_SIZE - iov->iov_len);
			assert_true(iov->iov_len <= RIG_SIZE);
		}
		close_queue(&f);
	}
}

static void virtq_counts_what_it_gives_and_refuses(void **state)
{
	static struct device_counters counted;
	static struct queue_stats stats = {.counters = &counted.queues[0]};
	struct fixture f;

	(void)state;
	memset(&counted, 0, sizeof(counted));
	open_queue(&f, 0);
	f.q.stats = &stats;
	good_chain(&f);
	assert_int_equal(virtq_pop(&f.q, &f.chain), 1);
	virtq_unpop(&f.q, f.chain.head);
	assert_int_equal(virtq_pop(&f.q, &f.chain), 1);
	assert_int_equal(counted.queues[0].requests, 0);
	virtq_push(&f.q, f.chain.head, 1);
	virtq_notify(&f.q);
	assert_int_equal(counted.queues[0].requests, 1);
	assert_int_equal(counted.queues[0].calls, 1);
	desc(&f, 4, (struct rig_desc){0x1000, 16, 0, 0}); /* no memory of the guest's */
	rig_offer(&f.rig, 0, 4);
	assert_int_equal(virtq_pop(&f.q, &f.chain), -EPROTO);
	assert_int_equal(virtq_pop(&f.q, &f.chain), -EPROTO);
	assert_int_equal(counted.queues[0].refused, 1);
	assert_int_equal(counted.queues[0].requests, 1);
	close_queue(&f);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(virtq_pops_chain_with_both_parts),
	cmocka_unit_test(virtq_pops_indirect_after_direct),
	cmocka_unit_test(virtq_pops_chain_as_long_as_queue),
	cmocka_unit_test(virtq_pops_same_chain_after_unpop),
	cmocka_unit_test(virtq_breaks_when_ring_is_malformed),
	cmocka_unit_test(virtq_breaks_when_indirect_was_not_negotiated),
	cmocka_unit_test(virtq_breaks_when_used_ring_becomes_private),
	cmocka_unit_test(virtq_breaks_when_more_in_flight_than_descriptors),
	cmocka_unit_test(virtq_refuses_start_when_ring_is_no_ring),
	cmocka_unit_test(virtq_notifies_as_event_index_says),
	cmocka_unit_test(virtq_notifies_as_flags_say),
	cmocka_unit_test(virtq_counts_what_it_gives_and_refuses),
	cmocka_unit_test(virtq_is_not_fooled_when_descriptors_change_behind_each_read),
};
UNIT_MAIN(tests)
