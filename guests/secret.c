/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Leaves two patterns behind and halts, so that the host can look for them: `secret=N` in private
 * memory, N + 1 on the shared side. Each is 64 bytes, one number again and again. Drives the disk
 * first, so that a device process has mapped all that it ever maps.
 */
#include "guests/lib/disk.h"
#include "guests/lib/guest.h"
#include "guests/lib/io.h"
#include "guests/lib/paging.h"

const char guest_name[] = "secret";

#define PRIVATE_PAGE 0xb00000ull
#define WORDS        8

static void leave(uint64_t at, uint64_t number)
{
	for (uint64_t i = 0; i < WORDS; i++)
		write64(at + 8 * i, number);
}

void guest_main(void)
{
	uint64_t secret = guest_option("secret", 1);
	struct virtio v;

	disk_share();
	virtio_find(&v, VIRTIO_BLK);
	virtio_start(&v, 0, DISK_RINGS);
	expect("read", disk_request(&v, DISK_IN, 0, SECTOR), DISK_OK);
	leave((uint64_t)private_side(PRIVATE_PAGE), secret);
	leave((uint64_t)shared_side(DISK_DATA), secret + 1);
	print("READY\n");
	for (;;)
		__asm__ volatile("cli; hlt");
}
