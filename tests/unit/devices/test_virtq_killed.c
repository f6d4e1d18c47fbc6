/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A device process that is killed between any two instructions of the walker: guest memory and the
 * record are kept as they were after each instruction, and for each of these moments another
 * process takes over. No chain is lost, none is seen used twice.
 */
#include "devices/back/inflight_packed.h"
#include "devices/back/virtq.h"
#include "tests/unit/devices/rig.h"
#include "tests/unit/unit.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#define CHAINS  5u
#define PAGES   3u /* of queue 0: ring, driver's area, device's area */
#define RECORD  4096u
#define MOMENTS 1024u

struct moment {
	uint8_t ring[PAGES * PAGE_SIZE];
	uint8_t record[RECORD];
};

struct fixture {
	struct rig rig;
	struct view view;
	struct virtq q;
	struct inflight inflight;
	bool broken;
	bool packed;
	uint64_t record[RECORD / 8];
	uint16_t offered; /* packed: the driver's position */
	uint16_t start;   /* where the rings begin */
};

/* What the signal handler sees. */
static struct {
	struct fixture *f;
	struct moment *moments;
	unsigned int n;
	bool stop;
} killer;

static void open_queue(struct fixture *f, bool packed, uint16_t start)
{
	const struct view_spec spec = {RIG_GPA, RIG_SIZE, RIG_USER, 0};
	struct err e = ERR_INIT;

	memset(f, 0, sizeof(*f));
	rig_open(&f->rig);
	assert_int_equal(view_init(&f->view, f->rig.ledger_fd, &e), 0);
	assert_int_equal(view_add(&f->view, &spec, f->rig.mem_fd, &e), 0);
	f->packed = packed;
	f->start = f->offered = start;
}

static void close_queue(struct fixture *f)
{
	view_fini(&f->view);
	rig_close(&f->rig);
}

/* begin() - a process takes the queue over. */
static void begin(struct fixture *f)
{
	uint16_t lap = f->start & RIG_NUM ? 0 : VRING_PACKED_WRAP;
	uint32_t packed_base = (f->start % RIG_NUM) | lap;

	f->inflight = (struct inflight){.split = f->packed ? NULL : (void *)f->record,
		.packed = f->packed ? (void *)f->record : NULL};
	f->q = (struct virtq){
		.view = &f->view,
		.tag = "test",
		.broken = &f->broken,
		.num = RIG_NUM,
		.base = f->packed ? packed_base | packed_base << 16 : f->start,
		.desc = gpa_of(RIG_DESC(0)),
		.avail = gpa_of(RIG_AVAIL(0)),
		.used = gpa_of(RIG_USED(0)),
		.call_fd = f->rig.call[0],
		.err_fd = f->rig.err[0],
		.kick = {.fd = -1},
		.inflight = &f->inflight,
	};
	assert_int_equal(virtq_start(&f->q, f->packed ? VIRTIO_F_RING_PACKED : 0), 0);
}

/* lap_before() - a packed ring in which everything up to the beginning was used. */
static void lap_before(struct fixture *f)
{
	struct vring_packed_desc *ring = rig_at(&f->rig, RIG_DESC(0));

	for (uint16_t i = 0; i < RIG_NUM; i++) {
		bool even = !(f->start & RIG_NUM), this_lap = i < f->start % RIG_NUM;

		ring[i].flags = even == this_lap ? VRING_PACKED_DESC_F_BOTH : 0;
	}
}

/* offer_all() - CHAINS chains of two descriptors; the n-th one has n + 1 bytes. */
static void offer_all(struct fixture *f)
{
	if (!f->packed)
		for (unsigned int i = 0; i < 2; i++)
			*(uint16_t *)rig_at(&f->rig, i ? RIG_AVAIL(0) + 2 : RIG_USED(0) + 2) =
				f->start;
	for (uint16_t i = 0; i < CHAINS; i++) {
		const struct rig_desc d[] = {{RIG_DATA, i + 1u, RIG_NEXT, (uint16_t)(2 * i + 1)},
			{RIG_DATA, 1, RIG_WRITE, 0}};

		if (f->packed) {
			rig_offer_packed(&f->rig, &f->offered, d, 2, i);
			continue;
		}
		rig_desc(&f->rig, RIG_DESC(0), 2u * i, d[0]);
		rig_desc(&f->rig, RIG_DESC(0), 2u * i + 1, d[1]);
		rig_offer(&f->rig, 0, (uint16_t)(2 * i));
	}
}

/* work() - what is killed: take four, give one back, finish two at once and the third. */
static void work(struct virtq *q)
{
	struct virtq_done done[3];
	struct chain c;
	int rc = 1;

	for (unsigned int i = 0; i < 3; i++) {
		rc &= virtq_pop(q, &c);
		done[(i + 2) % 3] = (struct virtq_done){c.head, 1};
	}
	rc &= virtq_pop(q, &c);
	virtq_unpop(q, c.head);
	rc &= virtq_pop(q, &c);
	virtq_push_all(q, done, 2);
	virtq_push(q, done[2].head, 1);
	killer.stop = rc == 1;
}

static void on_step(int sig, siginfo_t *info, void *context)
{
	struct moment *last = killer.n ? &killer.moments[killer.n - 1] : NULL;
	struct fixture *f = killer.f;
	ucontext_t *u = context;

	(void)sig, (void)info;
	if (killer.stop)
		u->uc_mcontext.gregs[REG_EFL] &= ~0x100;
	if (last && !memcmp(last->record, f->record, RECORD) &&
		!memcmp(last->ring, f->rig.mem, sizeof(last->ring)))
		return;
	if (killer.n == MOMENTS)
		abort();
	memcpy(killer.moments[killer.n].ring, f->rig.mem, sizeof(last->ring));
	memcpy(killer.moments[killer.n].record, f->record, RECORD);
	killer.n++;
}

static void kill_everywhere(struct fixture *f)
{
	struct sigaction step = {.sa_sigaction = on_step, .sa_flags = SA_SIGINFO}, was;

	killer.f = f;
	killer.n = 0;
	killer.stop = false;
	sigaction(SIGTRAP, &step, &was);
	__asm__ volatile("pushfq; orq $0x100, (%%rsp); popfq" ::: "memory", "cc");
	work(&f->q);
	__asm__ volatile("nop; nop");
	sigaction(SIGTRAP, &was, NULL);
	assert_true(killer.stop);
}

/* seen() - which chains the driver finds used, by their number; fails if one is there twice. */
static unsigned int seen(struct fixture *f)
{
	uint16_t at = f->start;
	struct vring_packed_desc d;
	unsigned int found = 0;

	while (f->packed ? rig_used_packed(&f->rig, at, &d) : at != rig_used(&f->rig, 0)) {
		uint32_t id = d.id;

		if (!f->packed)
			id = *(uint32_t *)rig_at(&f->rig, RIG_USED(0) + 4 + 8 * (at % RIG_NUM)) / 2;
		assert_true(id < CHAINS);
		assert_false(found & 1u << id);
		found |= 1u << id;
		at = (uint16_t)(at + (f->packed ? 2 : 1));
	}
	return found;
}

/* take_over() - finish everything from that moment on. */
static void take_over(struct fixture *f, const struct moment *m)
{
	struct virtq_done done[CHAINS];
	unsigned int had, n = 0;
	struct chain c;

	memcpy(f->rig.mem, m->ring, sizeof(m->ring));
	memcpy(f->record, m->record, RECORD);
	had = seen(f);
	begin(f);
	assert_int_equal(seen(f), had);
	while (virtq_pop(&f->q, &c) == 1) {
		assert_true(n < CHAINS);
		assert_int_equal(c.n_out, 1);
		assert_int_equal(c.n_in, 1);
		assert_in_range(c.out_len, 1, CHAINS);
		assert_false(had & 1u << (c.out_len - 1)); /* not what the driver has back */
		done[n++] = (struct virtq_done){c.head, 1};
	}
	assert_false(f->broken);
	virtq_push_all(&f->q, done, n);
	assert_int_equal(seen(f), (1u << CHAINS) - 1);
	assert_int_equal(f->q.in_flight, 0);
}

static void virtq_loses_nothing_when_killed_anywhere(void **state)
{
	static const uint16_t starts[] = {0, RIG_NUM - 3, 2 * RIG_NUM - 3};
	struct moment *moments = calloc(MOMENTS, sizeof(*moments));
	struct fixture f;

	(void)state;
#ifdef __SANITIZE_THREAD__
	skip(); /* too many instructions to stop at each */
#endif
	assert_non_null(moments);
	killer.moments = moments;
	for (unsigned int i = 0; i < 2 * ARRAY_SIZE(starts); i++) {
		open_queue(&f, i % 2, starts[i / 2]);
		if (f.packed)
			lap_before(&f);
		offer_all(&f);
		begin(&f);
		kill_everywhere(&f);
		assert_true(killer.n > 20);
		for (unsigned int n = 0; n < killer.n; n++)
			take_over(&f, &moments[n]);
		close_queue(&f);
	}
	free(moments);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(virtq_loses_nothing_when_killed_anywhere),
};
UNIT_MAIN(tests)
