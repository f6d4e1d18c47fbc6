/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Devices that come and go: polls the event registers as the DSDT's methods read them. Of each disk
 * that comes it prints slot and first word, of each other device its number; it lets go of what it is asked to.
 * After `goes=N` of these it ends. With `stubborn=1` it first lets go of what nobody asked for.
 */
#include "guests/lib/disk.h"
#include "guests/lib/guest.h"
#include "guests/lib/io.h"
#include "guests/lib/paging.h"
#include "guests/lib/pci.h"
#include "guests/lib/virtio.h"

const char guest_name[] = "plug";

#define GED_ADDED 0x610
#define GED_ASKED 0x614
#define GED_EJECT 0x618
#define GED_EVENT 0x61c

static void use(unsigned int slot)
{
	struct virtio v;

	expect("the vendor in the slot", pci_read16(slot, 0), VIRTIO_VENDOR);
	if (pci_read16(slot, 2) != VIRTIO_BLK) {
		print("CAME slot %u device 0x%x\n", (uint64_t)slot, (uint64_t)pci_read16(slot, 2));
		return;
	}
	virtio_open(&v, slot);
	virtio_start(&v, 0, DISK_RINGS);
	expect("read", disk_request(&v, DISK_IN, 0, SECTOR), DISK_OK);
	print("CAME slot %u word 0x%x\n", (uint64_t)slot,
		(uint64_t) * (volatile uint32_t *)shared_side(DISK_DATA));
	virtio_reset(&v);
}

/* let_go() - eject, and wait until the slot is empty */
static void let_go(unsigned int slot)
{
	out32(GED_EJECT, 1u << slot);
	while (pci_read16(slot, 0) != 0xffff)
		__asm__ volatile("pause");
	print("WENT slot %u\n", (uint64_t)slot);
}

void guest_main(void)
{
	uint64_t goes = guest_option("goes", 1);

	disk_share();
	if (guest_option("stubborn", 0)) {
		out32(GED_EJECT, ~0u);
		expect("nothing was asked for", in32(GED_ASKED), 0);
	}
	print("READY\n");
	while (goes) {
		uint32_t added = in32(GED_ADDED), asked = in32(GED_ASKED);

		for (unsigned int slot = 1; slot < PCI_SLOTS; slot++)
			if (added >> slot & 1)
				use(slot);
		for (unsigned int slot = 1; slot < PCI_SLOTS; slot++)
			if (asked >> slot & 1) {
				let_go(slot);
				goes--;
			}
		if (in32(GED_EVENT))
			print("BUTTON\n");
	}
	guest_pass();
}
