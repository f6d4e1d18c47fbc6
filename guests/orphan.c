/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads the disk until its device process dies, which the host brings about after READY. That must
 * show as DEVICE_NEEDS_RESET, and everything but the device must go on.
 */
#include "guests/lib/disk.h"
#include "guests/lib/guest.h"
#include "guests/lib/io.h"

const char guest_name[] = "orphan";

#define REQUESTS 1000000

void guest_main(void)
{
	struct virtio v;

	disk_share();
	virtio_find(&v, VIRTIO_BLK);
	virtio_start(&v, 0, DISK_RINGS);
	expect("read", disk_request(&v, DISK_IN, 0, SECTOR), DISK_OK);
	print("READY\n");
	for (int i = 0; disk_request(&v, DISK_IN, 0, SECTOR) == DISK_OK; i++)
		if (i == REQUESTS)
			guest_fail("the device process never died", 0);
	if (!(virtio_status(&v) & VIRTIO_STATUS_NEEDS_RESET))
		guest_fail("silence instead of NEEDS_RESET", virtio_status(&v));
	virtio_reset(&v);
	expect("status after a reset", virtio_status(&v), 0);
}
