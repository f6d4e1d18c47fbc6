/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every size at every offset, read and written: the registers of a disk, its PCI configuration, all
 * ports. Left out: what resets the disk, which takes its time (guests/hostile.c does that), and
 * what ends the VM. Of ports beyond those that boards use only every `stride=`th. In the end the
 * serial port has to work again. Prints how long the slowest access took.
 */
#include "guests/lib/guest.h"
#include "guests/lib/io.h"
#include "guests/lib/pci.h"
#include "guests/lib/slow.h"
#include "guests/lib/virtio.h"

const char guest_name[] = "everywhere";

#define SERIAL     0x3f8
#define SERIAL_LCR 0x3fb
#define SERIAL_MCR 0x3fc
#define PM         0x600 /* sleep and reset registers */
#define BOARD      0x1000u
#define ECAM       0xe0000000ull
#define BAR_LEN    0x10000ull
#define STATUS     20u /* in the common configuration: a write resets */

static struct slow slow;

static void touch_port(uint16_t port)
{
	in8(port);
	in16(port);
	in32(port);
	if (port >= PM - 3 && port < PM + 3)
		return;
	out8(port, (uint8_t)port);
	out16(port, 0xffff);
	out32(port, 0);
}

static void touch_memory(uint64_t at, bool read_only)
{
	read8(at);
	read16(at);
	read32(at);
	read64(at);
	if (read_only)
		return;
	write8(at, 0xff);
	write16(at, 0);
	write32(at, 0xffffffff);
	write64(at, at);
}

static void touch_ports(uint32_t stride)
{
	for (uint32_t port = 0; port < 0x10000; port += port < BOARD ? 1 : stride) {
		uint64_t since = slow_begin();

		touch_port((uint16_t)port);
		slow_end(&slow, since);
	}
	out8(SERIAL_LCR, 3);
	out8(SERIAL_MCR, 0);
}

static void touch_range(uint64_t from, uint64_t len, uint64_t but, uint64_t but_len)
{
	for (uint64_t at = from; at < from + len; at++) {
		uint64_t since = slow_begin();

		touch_memory(at, at + 8 > but && at < but + but_len);
		slow_end(&slow, since);
	}
}

void guest_main(void)
{
	uint64_t function;
	struct virtio v;

	virtio_find(&v, VIRTIO_BLK);
	function = ECAM + ((uint64_t)v.slot << 15);
	touch_range(v.common & ~(BAR_LEN - 1), 0x4000, v.common + STATUS, 1);
	touch_ports((uint32_t)guest_option("stride", 61));
	/* Last: its registers may move away, or be switched off. */
	touch_range(function, 0x1000, 0, 0);
	slow_print(&slow);
}
