/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random accesses of every size: to the registers of a disk at any time and in any state, to PCI
 * configuration, to ports and addresses that nobody owns, to the serial port; conversions of random
 * ranges between them. `seed=` and `steps=` choose. Nothing may come of it but time that passes; in
 * the end the serial port has to work again.
 */
#include "guests/lib/guest.h"
#include "guests/lib/io.h"
#include "guests/lib/paging.h"
#include "guests/lib/pci.h"
#include "guests/lib/slow.h"
#include "guests/lib/virtio.h"

const char guest_name[] = "hostile";

#define SERIAL     0x3f8
#define SERIAL_IER 0x3f9
#define SERIAL_LCR 0x3fb
#define SERIAL_MCR 0x3fc
#define PCI_ADDR   0xcf8
#define PCI_DATA   0xcfc
#define NOBODY     0x5f0
#define ECAM       0xe0000000ull
#define AREA       0x1000000ull /* free memory, for conversions */
#define AREA_PAGES 0x1000ull

static uint64_t state;

static uint64_t any(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

/* value() - a number of the kinds that bounds checks get wrong, or any */
static uint64_t value(void)
{
	static const uint64_t odd[] = {0, 1, 3, 4, 0x7f, 0x80, 0xff, 0xffff, 0x8000, 0xffffffff,
		0x80000000, 0x7fffffffffffffff, 0xfffffffffffffff0};
	uint64_t r = any();

	return r & 1 ? odd[r / 2 % (sizeof(odd) / sizeof(*odd))] : any();
}

static void touch_memory(uint64_t at)
{
	switch (any() % 8) {
	case 0:
		write8(at, (uint8_t)value());
		break;
	case 1:
		write16(at, (uint16_t)value());
		break;
	case 2:
		write32(at, (uint32_t)value());
		break;
	case 3:
		write64(at, value());
		break;
	case 4:
		read8(at);
		break;
	case 5:
		read16(at);
		break;
	case 6:
		read32(at);
		break;
	default:
		read64(at);
		break;
	}
}

static void touch_port(uint16_t port)
{
	switch (any() % 6) {
	case 0:
		out8(port, (uint8_t)value());
		break;
	case 1:
		out16(port, (uint16_t)value());
		break;
	case 2:
		out32(port, (uint32_t)value());
		break;
	case 3:
		in8(port);
		break;
	case 4:
		in16(port);
		break;
	default:
		in32(port);
		break;
	}
}

static void step(const struct virtio *v, uint64_t bar)
{
	uint64_t r = any();

	switch (any() % 8) {
	case 0:
	case 1:
		touch_memory(v->common + r % 0x40);
		break;
	case 2:
		touch_memory(bar + r % 0x4000);
		break;
	case 3: /* DRIVER_OK in whatever state */
		write8(v->common + 20, (uint8_t)(r & 15));
		break;
	case 4:
		out32(PCI_ADDR, 0x80000000u | (uint32_t)v->slot << 11 | (r & 0xfc & ~0x3fu));
		touch_port((uint16_t)(PCI_DATA + r % 4));
		break;
	case 5:
		touch_memory(ECAM + ((uint64_t)v->slot << 15 | 0x40 | r % 0xfb8));
		break;
	case 6:
		touch_port((uint16_t)(r & 1 ? NOBODY + r % 8 : SERIAL + r / 2 % 8));
		break;
	default:
		if (paging_cbit())
			convert(r & 0x700 ? AREA + r % AREA_PAGES * PAGE : value(), value() % 64,
				(int)(r & 1));
	}
}

void guest_main(void)
{
	uint64_t steps = guest_option("steps", 20000), bar;
	struct slow slow = {0};
	struct virtio v;

	state = guest_option("seed", 1) * 0x9e3779b97f4a7c15ull;
	virtio_find(&v, VIRTIO_BLK);
	bar = v.common & ~0xffffull;
	while (steps--) {
		uint64_t since = slow_begin();

		step(&v, bar);
		slow_end(&slow, since);
	}
	out8(SERIAL_LCR, 3);
	out8(SERIAL_MCR, 0);
	out8(SERIAL_IER, 0);
	slow_print(&slow);
}
