/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random reads and writes, as many at once as the queue takes, checked against what was written.
 * Each request must be answered once, with the right data, whatever happens to the device process
 * meanwhile. Prints ROUND n before each round of requests, and a checksum of all at the end. With
 * `grow=1` it then waits for the disk to have another capacity.
 */
#include "guests/lib/disk.h"
#include "guests/lib/guest.h"
#include "guests/lib/io.h"
#include "guests/lib/paging.h"

#include <stddef.h>

const char guest_name[] = "storm";

#define SLOTS    QUEUE_SIZE
#define SECTORS  64u /* used of the disk; each slot has some for itself */
#define PER_SLOT (SECTORS / SLOTS)
#define WORDS    (SECTOR / 4)
#define STRIDE   16u /* only every 16th word says something: guest code may be slow */
#define PATIENCE 20  /* times that virtio_wait() may give up */

/* One request in flight, in the page of headers; its data is a sector in the page of data. */
struct place {
	struct desc table[3];
	uint8_t unused[16];
	struct disk_header header;
	uint8_t status, padding[47];
};
_Static_assert(sizeof(struct place) * SLOTS <= PAGE, "places fit into a page");

struct slot {
	bool busy;
	uint32_t type, sector;
};

static struct slot slots[SLOTS];
static uint32_t generation[SECTORS]; /* how often written; 0: as the host made it */
static uint32_t state;

static uint32_t random(uint32_t below)
{
	state ^= state << 13;
	state ^= state >> 17;
	state ^= state << 5;
	return state % below;
}

static uint32_t word(uint32_t sector, uint32_t i)
{
	if (!generation[sector])
		return sector;
	return (sector << 16 ^ generation[sector]) * 0x9e3779b1u + i;
}

static volatile uint32_t *data_of(uint32_t slot)
{
	return shared_side(DISK_DATA + slot * SECTOR);
}

static void submit(struct virtio *v, uint16_t slot)
{
	struct slot *s = &slots[slot];
	uint64_t at = DISK_HEADER + slot * sizeof(struct place);
	volatile struct place *p = shared_side(at);
	volatile uint32_t *data = data_of(slot);
	uint16_t data_flags;

	s->busy = true;
	s->type = random(2) ? DISK_OUT : DISK_IN;
	s->sector = slot * PER_SLOT + random(PER_SLOT);
	data_flags = s->type == DISK_OUT ? DESC_NEXT : DESC_NEXT | DESC_WRITE;
	if (s->type == DISK_OUT)
		generation[s->sector]++;
	for (uint32_t i = 0; i < WORDS; i += STRIDE)
		data[i] = s->type == DISK_OUT ? word(s->sector, i) : ~0u;
	p->header = (struct disk_header){.type = s->type, .sector = s->sector};
	p->status = DISK_NOTHING;
	p->table[0] =
		(struct desc){at + offsetof(struct place, header), sizeof(p->header), DESC_NEXT, 1};
	p->table[1] = (struct desc){DISK_DATA + slot * SECTOR, SECTOR, data_flags, 2};
	p->table[2] = (struct desc){at + offsetof(struct place, status), 1, DESC_WRITE, 0};
	v->rings->desc[slot] = (struct desc){at, sizeof(p->table), DESC_INDIRECT, 0};
	virtio_offer(v, slot);
}

/* finish() - wait for one request, whichever is first, and check it. */
static void finish(struct virtio *v)
{
	volatile struct place *p;
	uint32_t id, len;
	struct slot *s;

	for (int i = 0; !virtio_wait(v, &id, &len); i++)
		if (i == PATIENCE || (virtio_status(v) & VIRTIO_STATUS_NEEDS_RESET))
			guest_fail("a request got lost", virtio_status(v));
	if (id >= SLOTS || !slots[id].busy)
		guest_fail("an answer to no request", id);
	s = &slots[id];
	p = shared_side(DISK_HEADER + id * sizeof(*p));
	s->busy = false;
	expect("status", p->status, DISK_OK);
	expect("length", len, s->type == DISK_OUT ? 1 : SECTOR + 1);
	for (uint32_t i = 0; s->type == DISK_IN && i < WORDS; i += STRIDE)
		expect("a word of the data", data_of(id)[i], word(s->sector, i));
}

static void one_round(struct virtio *v, uint64_t requests)
{
	uint64_t submitted = 0;

	for (uint64_t done = 0; done < requests; done++) {
		for (uint16_t i = 0; i < SLOTS && submitted < requests; i++) {
			if (slots[i].busy)
				continue;
			submit(v, i);
			submitted++;
		}
		finish(v);
	}
}

static void print_checksum(struct virtio *v)
{
	uint32_t h = HASH_INIT;

	for (uint32_t at = 0; at < SECTORS; at++) {
		expect("read", disk_request(v, DISK_IN, at, SECTOR), DISK_OK);
		for (uint32_t i = 0; i < WORDS; i += STRIDE) {
			expect("a word of the disk", data_of(0)[i], word(at, i));
			h = hash(h, (const void *)&data_of(0)[i], 4);
		}
	}
	print("checksum 0x%x\n", (uint64_t)h);
}

static uint64_t capacity(const struct virtio *v)
{
	return read32(v->config) | (uint64_t)read32(v->config + 4) << 32;
}

/* await_growth() - wait for another capacity, and use the new last sector. */
static void await_growth(struct virtio *v)
{
	uint64_t was = capacity(v), now;

	print("CAPACITY %u\n", was);
	while ((now = capacity(v)) == was)
		;
	print("CAPACITY %u\n", now);
	expect("write", disk_request(v, DISK_OUT, now - 1, SECTOR), DISK_OK);
	expect("read", disk_request(v, DISK_IN, now - 1, SECTOR), DISK_OK);
	expect("read behind the end", disk_request(v, DISK_IN, now, SECTOR), DISK_IOERR);
}

void guest_main(void)
{
	uint64_t rounds = guest_option("rounds", 10), requests = guest_option("requests", 100);
	struct virtio v;

	state = (uint32_t)guest_option("seed", 1);
	disk_share();
	virtio_find(&v, VIRTIO_BLK);
	virtio_start(&v, 1ull << VIRTIO_F_INDIRECT, DISK_RINGS);
	for (uint64_t i = 0; i < rounds; i++) {
		print("ROUND %u\n", i);
		one_round(&v, requests);
	}
	print_checksum(&v);
	if (guest_option("grow", 0))
		await_growth(&v);
	virtio_reset(&v);
}
