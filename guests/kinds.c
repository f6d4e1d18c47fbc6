/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A device of every kind: starts disk, entropy device and console, twice each, with MSI-X and
 * without, and takes bytes from them. The console's input has to come from outside, after READY.
 * With `again=1` it starts the disk again and again until its process answers no more, which the
 * host brings about after READY: that must show as NEEDS_RESET and end nothing.
 */
#include "guests/lib/disk.h"
#include "guests/lib/guest.h"
#include "guests/lib/io.h"
#include "guests/lib/paging.h"
#include "guests/lib/pci.h"

const char guest_name[] = "kinds";

#define VIRTIO_CONSOLE 0x1043
#define VIRTIO_RNG     0x1044

#define SERIAL_IER  0x3f9
#define SERIAL_MCR  0x3fc
#define IER_THRE    2
#define MCR_OUT2    8
#define MSIX_CAP    0x11
#define MSIX_ENABLE 0x80000000u
#define MSI_ADDRESS 0xfee00000u
#define VECTOR      0x31

#define COMMON_STATUS 20

#define BYTES 64u

/* Memory whose shared side is touched without having been shared: the VMM frees it. */
#define STOLEN     0x1000000ull
#define STOLEN_LEN 0xc00000ull

static unsigned int find_cap(unsigned int slot, uint8_t id)
{
	unsigned int at = pci_next_cap(slot, 0);

	while (at && pci_read8(slot, at) != id)
		at = pci_next_cap(slot, at);
	return at;
}

/* msix() - aim vector 0 at this CPU, which takes no interrupts, and switch MSI-X on or off */
static void msix(struct virtio *v, bool on)
{
	unsigned int cap = find_cap(v->slot, MSIX_CAP);
	uint32_t place = pci_read32(v->slot, cap + 4);
	uint64_t entry = pci_bar(v->slot, place & 7) + (place & ~7u);

	write32(entry, MSI_ADDRESS);
	write32(entry + 4, 0);
	write32(entry + 8, VECTOR);
	write32(entry + 12, !on);
	pci_write32(v->slot, cap, on ? MSIX_ENABLE : 0);
	v->msix = on;
}

/* take() - have the device write some bytes. Return: the first of them. */
static uint8_t take(struct virtio *v, const char *what)
{
	volatile uint8_t *data = shared_side(DISK_DATA);
	uint32_t id, len;

	v->rings->desc[0] = (struct desc){DISK_DATA, BYTES, DESC_WRITE, 0};
	virtio_offer(v, 0);
	if (!virtio_wait(v, &id, &len) || !len || len > BYTES)
		guest_fail(what, len);
	return *data;
}

static void use(uint16_t device, const char *what)
{
	struct virtio v;

	virtio_find(&v, device);
	for (int i = 0; i < 2; i++) {
		msix(&v, i);
		virtio_start(&v, 0, DISK_RINGS);
		if (device == VIRTIO_BLK)
			expect(what, disk_request(&v, DISK_IN, 0, SECTOR), DISK_OK);
		else
			print("%s %u\n", what, (uint64_t)take(&v, what));
		/* The last one is left as it is: the VMM has to clean up. */
		if (!i || device != VIRTIO_CONSOLE)
			virtio_reset(&v);
	}
}

/* reset() - Return: false if the device broke meanwhile */
static bool reset(const struct virtio *v)
{
	bool broken = virtio_status(v) & VIRTIO_STATUS_NEEDS_RESET;

	write8(v->common + COMMON_STATUS, 0);
	while (!broken && virtio_status(v))
		broken = virtio_status(v) & VIRTIO_STATUS_NEEDS_RESET;
	return !broken;
}

static void lose_disk(void)
{
	struct virtio v;

	virtio_find(&v, VIRTIO_BLK);
	while (reset(&v)) {
		virtio_negotiate(&v, 0);
		v.rings_gpa = DISK_RINGS;
		v.rings = shared_side(DISK_RINGS);
		virtio_set_queue(&v, DISK_RINGS, DISK_RINGS + 0x200, DISK_RINGS + 0x400);
		virtio_drive(&v);
	}
}

void guest_main(void)
{
	disk_share();
	out8(SERIAL_MCR, MCR_OUT2);
	out8(SERIAL_IER, IER_THRE);
	out8(SERIAL_IER, 0);
	for (uint64_t at = 0; paging_cbit() && at < STOLEN_LEN; at += PAGE)
		write8((uint64_t)shared_side(STOLEN + at), 1);
	use(VIRTIO_BLK, "disk");
	if (guest_option("again", 0)) {
		print("READY\n");
		lose_disk();
		return;
	}
	use(VIRTIO_RNG, "entropy");
	print("READY\n");
	use(VIRTIO_CONSOLE, "input");
}
