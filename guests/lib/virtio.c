/* SPDX-License-Identifier: Apache-2.0 */
/* A virtio driver; see guests/lib/virtio.h. */
#include "guests/lib/virtio.h"

#include "guests/lib/guest.h"
#include "guests/lib/io.h"
#include "guests/lib/paging.h"
#include "guests/lib/pci.h"

#include <stddef.h>

/* Virtio 1.2, 4.1.4: struct virtio_pci_cap. */
#define CAP_VENDOR            9
#define CAP_TYPE              3
#define CAP_BAR               4
#define CAP_OFFSET            8
#define CAP_NOTIFY_MULTIPLIER 16

enum cap_type { CAP_COMMON = 1, CAP_NOTIFY = 2, CAP_DEVICE = 4 };

/* Virtio 1.2, 4.1.4.3: struct virtio_pci_common_cfg. */
enum common_offset {
	DEVICE_FEATURE_SELECT = 0,
	DEVICE_FEATURE = 4,
	DRIVER_FEATURE_SELECT = 8,
	DRIVER_FEATURE = 12,
	CONFIG_MSIX_VECTOR = 16,
	DEVICE_STATUS = 20,
	QUEUE_SELECT = 22,
	QUEUE_SIZE_REG = 24,
	QUEUE_MSIX_VECTOR = 26,
	QUEUE_ENABLE = 28,
	QUEUE_NOTIFY_OFF = 30,
	QUEUE_DESC = 32,
	QUEUE_DRIVER = 40,
	QUEUE_DEVICE = 48,
};

#define STATUS_ACKNOWLEDGE 1
#define STATUS_DRIVER      2
#define NO_VECTOR          0xffff
#define AVAIL_NO_INTERRUPT 1
#define POLLS              100000 /* reads of the status register: each one is an exit */
#define SPINS              200    /* looks at the used ring between two of them */

_Static_assert(sizeof(struct desc) == 16, "virtio 1.2, 2.7.5");
_Static_assert(sizeof(struct rings) <= PAGE, "a queue fits into one page");

static void barrier(void)
{
	__asm__ volatile("lock; addl $0, (%%rsp)" : : : "memory", "cc");
}

static void note_cap(struct virtio *v, unsigned int at)
{
	uint64_t addr;

	if (pci_read8(v->slot, at) != CAP_VENDOR)
		return;
	switch (pci_read8(v->slot, at + CAP_TYPE)) {
	case CAP_COMMON:
	case CAP_NOTIFY:
	case CAP_DEVICE:
		break;
	default:
		return;
	}
	addr = pci_bar(v->slot, pci_read8(v->slot, at + CAP_BAR)) +
		pci_read32(v->slot, at + CAP_OFFSET);
	switch (pci_read8(v->slot, at + CAP_TYPE)) {
	case CAP_COMMON:
		v->common = addr;
		break;
	case CAP_NOTIFY:
		v->notify = addr;
		v->notify_multiplier = pci_read32(v->slot, at + CAP_NOTIFY_MULTIPLIER);
		break;
	default:
		v->config = addr;
		break;
	}
}

void virtio_find(struct virtio *v, uint16_t device)
{
	unsigned int slot = pci_find(VIRTIO_VENDOR, device, 0);

	if (slot == PCI_SLOTS)
		guest_fail("no such virtio device", device);
	virtio_open(v, slot);
}

void virtio_open(struct virtio *v, unsigned int slot)
{
	*v = (struct virtio){.slot = slot};
	pci_enable(v->slot);
	for (unsigned int at = pci_next_cap(v->slot, 0); at; at = pci_next_cap(v->slot, at))
		note_cap(v, at);
	if (!v->common || !v->notify)
		guest_fail("a virtio capability is missing", v->slot);
}

uint8_t virtio_status(const struct virtio *v)
{
	return read8(v->common + DEVICE_STATUS);
}

static void add_status(const struct virtio *v, uint8_t bit)
{
	write8(v->common + DEVICE_STATUS, virtio_status(v) | bit);
}

void virtio_reset(struct virtio *v)
{
	write8(v->common + DEVICE_STATUS, 0);
	for (int i = 0; virtio_status(v); i++)
		if (i == POLLS)
			guest_fail("reset does not end", virtio_status(v));
}

void virtio_negotiate(struct virtio *v, uint64_t wanted)
{
	add_status(v, STATUS_ACKNOWLEDGE);
	add_status(v, STATUS_DRIVER);
	v->offered = 0;
	for (uint32_t i = 0; i < 2; i++) {
		write32(v->common + DEVICE_FEATURE_SELECT, i);
		v->offered |= (uint64_t)read32(v->common + DEVICE_FEATURE) << 32 * i;
	}
	if (!(v->offered >> VIRTIO_F_VERSION_1 & 1))
		guest_fail("VERSION_1 is not offered", v->offered);
	v->features = v->offered &
		(wanted | 1ull << VIRTIO_F_VERSION_1 | 1ull << VIRTIO_F_ACCESS_PLATFORM);
	for (uint32_t i = 0; i < 2; i++) {
		write32(v->common + DRIVER_FEATURE_SELECT, i);
		write32(v->common + DRIVER_FEATURE, (uint32_t)(v->features >> 32 * i));
	}
	add_status(v, VIRTIO_STATUS_FEATURES_OK);
	if (!(virtio_status(v) & VIRTIO_STATUS_FEATURES_OK))
		guest_fail("features were refused", v->features);
}

/* The 64-bit registers are written as two halves: 4.1.3.1 lets a device insist on it. */
static void write_address(uint64_t at, uint64_t v)
{
	write32(at, (uint32_t)v);
	write32(at + 4, (uint32_t)(v >> 32));
}

void virtio_set_queue(struct virtio *v, uint64_t desc, uint64_t avail, uint64_t used)
{
	write16(v->common + CONFIG_MSIX_VECTOR, NO_VECTOR);
	write16(v->common + QUEUE_SELECT, v->queue);
	if (read16(v->common + QUEUE_SIZE_REG) < QUEUE_SIZE)
		guest_fail("queue is too small", read16(v->common + QUEUE_SIZE_REG));
	write16(v->common + QUEUE_SIZE_REG, QUEUE_SIZE);
	write16(v->common + QUEUE_MSIX_VECTOR, v->msix ? 0 : NO_VECTOR);
	write_address(v->common + QUEUE_DESC, desc);
	write_address(v->common + QUEUE_DRIVER, avail);
	write_address(v->common + QUEUE_DEVICE, used);
	write16(v->common + QUEUE_ENABLE, 1);
}

void virtio_drive(struct virtio *v)
{
	add_status(v, VIRTIO_STATUS_DRIVER_OK);
}

void virtio_set_rings(struct virtio *v, uint64_t rings_gpa)
{
	v->rings_gpa = rings_gpa;
	v->rings = shared_side(rings_gpa);
	v->used_seen = 0;
	fill(shared_side(rings_gpa), 0, PAGE);
	v->rings->avail.flags = AVAIL_NO_INTERRUPT;
	virtio_set_queue(v, rings_gpa, rings_gpa + offsetof(struct rings, avail),
		rings_gpa + offsetof(struct rings, used));
}

void virtio_start(struct virtio *v, uint64_t wanted, uint64_t rings_gpa)
{
	virtio_reset(v);
	virtio_negotiate(v, wanted);
	virtio_set_rings(v, rings_gpa);
	virtio_drive(v);
}

void virtio_kick(const struct virtio *v)
{
	uint16_t off;

	write16(v->common + QUEUE_SELECT, v->queue);
	off = read16(v->common + QUEUE_NOTIFY_OFF);
	barrier();
	write16(v->notify + (uint64_t)off * v->notify_multiplier, v->queue);
}

void virtio_offer(struct virtio *v, uint16_t head)
{
	uint16_t idx = v->rings->avail.idx;

	v->rings->avail.ring[idx % QUEUE_SIZE] = head;
	barrier();
	v->rings->avail.idx = (uint16_t)(idx + 1);
	virtio_kick(v);
}

bool virtio_wait(struct virtio *v, uint32_t *id, uint32_t *len)
{
	for (int i = 0; v->rings->used.idx == v->used_seen; i++) {
		if (i % SPINS)
			continue;
		if (i / SPINS == POLLS || (virtio_status(v) & VIRTIO_STATUS_NEEDS_RESET))
			return false;
	}
	barrier();
	*id = v->rings->used.ring[v->used_seen % QUEUE_SIZE].id;
	*len = v->rings->used.ring[v->used_seen % QUEUE_SIZE].len;
	v->used_seen++;
	return true;
}
