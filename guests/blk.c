/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A disk as a driver sees it: reads `sectors=N` sectors and prints their checksum, writes sector 1
 * and reads it back, then requests that must fail. With `readonly=1` the write must be refused.
 */
#include "guests/lib/disk.h"
#include "guests/lib/guest.h"
#include "guests/lib/io.h"
#include "guests/lib/paging.h"

const char guest_name[] = "blk";

#define SECTORS_AT_ONCE 8u /* one page */
#define ODD_TYPE        77

static uint64_t capacity(const struct virtio *v)
{
	return read32(v->config) | (uint64_t)read32(v->config + 4) << 32;
}

static void print_checksum(struct virtio *v, uint64_t n)
{
	uint32_t h = HASH_INIT;

	for (uint64_t at = 0; at < n; at += SECTORS_AT_ONCE) {
		uint32_t some = n - at < SECTORS_AT_ONCE ? (uint32_t)(n - at) : SECTORS_AT_ONCE;

		fill(shared_side(DISK_DATA), 0xee, PAGE);
		expect("read", disk_request(v, DISK_IN, at, some * SECTOR), DISK_OK);
		h = hash(h, shared_side(DISK_DATA), some * SECTOR);
	}
	print("disk capacity %u sectors %u checksum 0x%x\n", capacity(v), n, (uint64_t)h);
}

static void check_write(struct virtio *v)
{
	volatile uint32_t *data = shared_side(DISK_DATA);

	for (uint32_t i = 0; i < SECTOR / 4; i++)
		data[i] = i * 0x9e3779b1u;
	expect("write", disk_request(v, DISK_OUT, 1, SECTOR), DISK_OK);
	fill(shared_side(DISK_DATA), 0, SECTOR);
	expect("read back", disk_request(v, DISK_IN, 1, SECTOR), DISK_OK);
	for (uint32_t i = 0; i < SECTOR / 4; i++)
		expect("what was written", data[i], i * 0x9e3779b1u);
	if (v->features >> DISK_F_FLUSH & 1)
		expect("flush", disk_request(v, DISK_FLUSH, 0, 0), DISK_OK);
}

void guest_main(void)
{
	uint64_t n = guest_option("sectors", 8);
	bool readonly = guest_option("readonly", 0);
	struct virtio v;

	disk_share();
	virtio_find(&v, VIRTIO_BLK);
	virtio_start(&v, 1ull << DISK_F_RO | 1ull << DISK_F_FLUSH, DISK_RINGS);
	expect("the read-only feature", v.offered >> DISK_F_RO & 1, readonly);
	if (paging_cbit())
		expect("ACCESS_PLATFORM", v.offered >> VIRTIO_F_ACCESS_PLATFORM & 1, 1);
	print_checksum(&v, n);
	if (readonly)
		expect("write to a read-only disk", disk_request(&v, DISK_OUT, 1, SECTOR),
			DISK_IOERR);
	else
		check_write(&v);
	expect("read behind the end", disk_request(&v, DISK_IN, capacity(&v), SECTOR), DISK_IOERR);
	expect("read across the end", disk_request(&v, DISK_IN, capacity(&v) - 1, 2 * SECTOR),
		DISK_IOERR);
	expect("read at a wrapping sector", disk_request(&v, DISK_IN, ~0ull, SECTOR), DISK_IOERR);
	expect("half a sector", disk_request(&v, DISK_IN, 0, SECTOR / 2), DISK_IOERR);
	expect("an unknown request", disk_request(&v, ODD_TYPE, 0, SECTOR), DISK_UNSUPP);
	expect("the disk still works", disk_request(&v, DISK_IN, 0, SECTOR), DISK_OK);
	virtio_reset(&v);
}
