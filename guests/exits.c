/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exits of every kind and size, to ports and addresses that somebody owns and that nobody does.
 * What nobody owns reads as all ones and swallows writes.
 */
#include "guests/lib/guest.h"
#include "guests/lib/io.h"

const char guest_name[] = "exits";

#define PORT_DEBUG     0x80 /* somebody may listen; nobody answers */
#define PORT_NOBODY    0x5f0
#define PORT_SCRATCH   0x3ff /* the scratch register of the serial port */
#define PORT_PCI_ADDR  0xcf8
#define PORT_PCI_DATA  0xcfc
#define PCI_ABSENT     0x8000f800u   /* 00:1f.0, which the board does not have */
#define MMIO_NOBODY    0xdff00000ull /* end of the window for BARs, which fill it from below */
#define LOW_BUFFER     0x50000ull
#define IOAPIC         0xfec00000ull
#define IOAPIC_WINDOW  0x10
#define IOAPIC_VERSION 1

static void check_ports(void)
{
	out8(PORT_NOBODY, 0x12);
	out8(PORT_DEBUG, 0x41);
	expect("debug port", in8(PORT_DEBUG), 0xff);
	out16(PORT_NOBODY, 0x1234);
	out32(PORT_NOBODY, 0x12345678);
	expect("unclaimed port, 1 byte", in8(PORT_NOBODY), 0xff);
	expect("unclaimed port, 2 bytes", in16(PORT_NOBODY), 0xffff);
	expect("unclaimed port, 4 bytes", in32(PORT_NOBODY), 0xffffffff);
	expect("last port", in8(0xffff), 0xff);
	out8(PORT_SCRATCH, 0xa5);
	expect("serial scratch register", in8(PORT_SCRATCH), 0xa5);
	out8(PORT_SCRATCH, 0x5a);
	expect("serial scratch register again", in8(PORT_SCRATCH), 0x5a);
	/* across the end of the serial port and of the port space: any answer, but an answer */
	out16(PORT_SCRATCH, 0xffff);
	in16(PORT_SCRATCH);
	out32(0x3fe, 0);
	in32(0x3fe);
}

/*
 * The buffers lie in low memory. At level soft private memory is mapped read-only in the monitor,
 * and KVM emulates string input by writing through that mapping: it can't reach private memory
 * there.
 */
static void check_strings(void)
{
	uint8_t *bytes = (uint8_t *)LOW_BUFFER;
	uint16_t *words = (uint16_t *)(LOW_BUFFER + 256);
	uint64_t n = 64;
	void *at = bytes;
	const void *from = bytes;

	fill(bytes, 0, 512);
	__asm__ volatile("rep insb" : "+D"(at), "+c"(n) : "d"(PORT_NOBODY) : "memory");
	for (int i = 0; i < 64; i++)
		expect("string input of bytes", bytes[i], 0xff);
	n = 64;
	at = words;
	__asm__ volatile("rep insw" : "+D"(at), "+c"(n) : "d"(PORT_NOBODY) : "memory");
	for (int i = 0; i < 64; i++)
		expect("string input of words", words[i], 0xffff);
	n = 64;
	__asm__ volatile("rep outsb" : "+S"(from), "+c"(n) : "d"(PORT_NOBODY) : "memory");
	n = 16;
	from = bytes;
	__asm__ volatile("rep outsl" : "+S"(from), "+c"(n) : "d"(PORT_NOBODY) : "memory");
}

static void check_pci(void)
{
	out32(PORT_PCI_ADDR, PCI_ABSENT);
	expect("address port reads back", in32(PORT_PCI_ADDR), PCI_ABSENT);
	expect("absent function, 4 bytes", in32(PORT_PCI_DATA), 0xffffffff);
	expect("absent function, 2 bytes", in16(PORT_PCI_DATA + 2), 0xffff);
	expect("absent function, 1 byte", in8(PORT_PCI_DATA + 3), 0xff);
	out32(PORT_PCI_DATA, 0);
	out32(PORT_PCI_ADDR, 0);
}

static void check_memory(void)
{
	write8(MMIO_NOBODY, 1);
	write16(MMIO_NOBODY, 2);
	write32(MMIO_NOBODY, 3);
	write64(MMIO_NOBODY, 4);
	expect("unclaimed address, 1 byte", read8(MMIO_NOBODY), 0xff);
	expect("unclaimed address, 2 bytes", read16(MMIO_NOBODY), 0xffff);
	expect("unclaimed address, 4 bytes", read32(MMIO_NOBODY), 0xffffffff);
	expect("unclaimed address, 8 bytes", read64(MMIO_NOBODY), ~0ull);
	expect("across a page", read32(MMIO_NOBODY + 0xffe), 0xffffffff);
	write64(MMIO_NOBODY + 0xffc, 5);
	write32(IOAPIC, IOAPIC_VERSION);
	expect("pins of the IOAPIC - 1", read32(IOAPIC + IOAPIC_WINDOW) >> 16 & 0xff, 23);
}

void guest_main(void)
{
	check_ports();
	check_strings();
	check_pci();
	check_memory();
}
