/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Costs of the parts that everything else is made of, in nanoseconds and cycles of the time stamp
 * counter per operation: the least of several rounds, which other work on the machine disturbs
 * least. Figures, not verdicts.
 */
#include "attestation/digest.h"
#include "base/clock.h"
#include "base/fd.h"
#include "devices/back/virtq.h"
#include "memory/convert.h"
#include "memory/layout.h"
#include "memory/ledger.h"
#include "memory/ram.h"
#include "tests/unit/devices/rig.h"

#include <stdio.h>
#include <string.h>
#include <x86intrin.h>

#define ROUNDS 300 /* each shorter than a time slice */

struct bench {
	struct rig rig;
	struct view view;
	struct virtq q;
	struct chain chain;
	bool broken;
	struct ram ram;
	struct ledger *ledger;
	struct ledger_map map;
	struct converter converter;
	struct digest digest;
	uint8_t page[4096];
};

typedef void (*operation)(struct bench *b);

/* measure() - n operations are one round */
static void measure(struct bench *b, const char *name, operation fn, unsigned int n)
{
	uint64_t least_ns = UINT64_MAX, least_tsc = UINT64_MAX;

	for (unsigned int round = 0; round < ROUNDS; round++) {
		uint64_t ns = clock_ns(), tsc = __rdtsc();

		for (unsigned int i = 0; i < n; i++)
			fn(b);
		tsc = __rdtsc() - tsc;
		ns = clock_ns() - ns;
		least_ns = ns < least_ns ? ns : least_ns;
		least_tsc = tsc < least_tsc ? tsc : least_tsc;
	}
	printf("micro: %-44s %10.1f ns %10.0f cycles\n", name, (double)least_ns / n,
		(double)least_tsc / n);
}

/* ring_request() - one readable and one writable buffer: offered, taken, finished */
static void ring_request(struct bench *b)
{
	rig_offer(&b->rig, 0, 3);
	if (virtq_pop(&b->q, &b->chain) == 1)
		virtq_push(&b->q, b->chain.head, 1);
	virtq_notify(&b->q);
}

static void ledger_look(struct bench *b)
{
	if (!ledger_map_shared(&b->map, gpa_of(MIB(4)), 4096))
		b->page[0]++;
}

static void convert_page(struct bench *b)
{
	if (convert(&b->converter, gpa_of(MIB(8)), 4096, true) ||
		convert(&b->converter, gpa_of(MIB(8)), 4096, false))
		b->page[0]++;
}

static void convert_huge(struct bench *b)
{
	if (convert(&b->converter, gpa_of(MIB(8)), MIB(2), true) ||
		convert(&b->converter, gpa_of(MIB(8)), MIB(2), false))
		b->page[0]++;
}

static void digest_page(struct bench *b)
{
	uint8_t out[DIGEST_MAX_LEN];
	struct err e = ERR_INIT;

	digest_update(&b->digest, b->page, sizeof(b->page));
	if (digest_final(&b->digest, out, &e))
		b->page[0]++;
}

static int open_ring(struct bench *b, struct err *e)
{
	const struct view_spec spec = {RIG_GPA, RIG_SIZE, RIG_USER, 0};

	rig_open(&b->rig);
	if (view_init(&b->view, b->rig.ledger_fd, e) || view_add(&b->view, &spec, b->rig.mem_fd, e))
		return -e->code;
	b->q = (struct virtq){.view = &b->view,
		.tag = "micro",
		.broken = &b->broken,
		.num = RIG_NUM,
		.desc = gpa_of(RIG_DESC(0)),
		.avail = gpa_of(RIG_AVAIL(0)),
		.used = gpa_of(RIG_USED(0)),
		.call_fd = -1,
		.err_fd = -1,
		.kick = {.fd = -1}};
	rig_desc(&b->rig, RIG_DESC(0), 3, (struct rig_desc){RIG_DATA, 16, RIG_NEXT, 5});
	rig_desc(&b->rig, RIG_DESC(0), 5, (struct rig_desc){RIG_DATA + 0x1000, 4097, RIG_WRITE, 0});
	return virtq_start(&b->q, 0);
}

static int open_memory(struct bench *b, struct err *e)
{
	static const struct convert_ops ops = {.discard = ram_discard};
	struct ram_desc desc = {.guest_memfd = -1, .cbit = UINT64_C(1) << 38};

	if (layout_init(&desc.layout, MIB(64), e) || ram_init(&b->ram, &desc, e) ||
		ledger_create(&b->ledger, &b->ram.layout, false, MIB(32), e) ||
		ledger_map_open(&b->map, ledger_device_fd(b->ledger), e))
		return -e->code;
	b->converter = (struct converter){
		.layout = &b->ram.layout, .ledger = b->ledger, .ops = &ops, .ctx = &b->ram};
	return convert(&b->converter, gpa_of(MIB(4)), 4096, true);
}

int main(void)
{
	static struct bench b;
	struct err e = ERR_INIT;

	if (open_ring(&b, &e) || open_memory(&b, &e) || digest_init(&b.digest, DIGEST_SHA384, &e)) {
		fprintf(stderr, "bench_micro: %s\n", e.text);
		return 1;
	}
	measure(&b, "ring: a request offered, taken, finished", ring_request, 400);
	measure(&b, "ledger: is a page shared?", ledger_look, 10000);
	measure(&b, "conversion of 4 KiB, there and back", convert_page, 20);
	measure(&b, "conversion of 2 MiB, there and back", convert_huge, 10);
	measure(&b, "digest: SHA-384 of 4 KiB", digest_page, 40);
	return 0;
}
