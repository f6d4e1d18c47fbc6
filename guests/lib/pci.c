/* SPDX-License-Identifier: Apache-2.0 */
/* PCI by configuration mechanism 1; see guests/lib/pci.h. */
#include "guests/lib/pci.h"

#include "guests/lib/guest.h"
#include "guests/lib/io.h"

#define PORT_ADDR     0xcf8
#define PORT_DATA     0xcfc
#define PCI_COMMAND   0x04
#define COMMAND_ON    0x6 /* memory space, bus master */
#define PCI_BARS      0x10
#define N_BARS        6
#define PCI_CAP_FIRST 0x34
#define BAR_IO        1u
#define BAR_64        4u
#define WINDOW        0xc0000000u

static uint32_t next_address = WINDOW;

static void pci_select(unsigned int slot, unsigned int offset)
{
	out32(PORT_ADDR, 0x80000000u | slot << 11 | (offset & 0xfc));
}

uint8_t pci_read8(unsigned int slot, unsigned int offset)
{
	pci_select(slot, offset);
	return in8((uint16_t)(PORT_DATA + (offset & 3)));
}

uint16_t pci_read16(unsigned int slot, unsigned int offset)
{
	pci_select(slot, offset);
	return in16((uint16_t)(PORT_DATA + (offset & 2)));
}

uint32_t pci_read32(unsigned int slot, unsigned int offset)
{
	pci_select(slot, offset);
	return in32(PORT_DATA);
}

void pci_write32(unsigned int slot, unsigned int offset, uint32_t v)
{
	pci_select(slot, offset);
	out32(PORT_DATA, v);
}

unsigned int pci_find(uint16_t vendor, uint16_t device, unsigned int n)
{
	for (unsigned int slot = 0; slot < PCI_SLOTS; slot++)
		if (pci_read32(slot, 0) == ((uint32_t)device << 16 | vendor) && !n--)
			return slot;
	return PCI_SLOTS;
}

/* bar_assign() - Return: BARs that this one takes */
static unsigned int bar_assign(unsigned int slot, unsigned int n)
{
	unsigned int at = PCI_BARS + 4 * n;
	uint32_t old = pci_read32(slot, at), mask;

	if (old & BAR_IO)
		return 1;
	pci_write32(slot, at, 0xffffffffu);
	mask = pci_read32(slot, at) & ~0xfu;
	pci_write32(slot, at, old);
	if (mask && !(old & ~0xfu)) {
		uint32_t size = ~mask + 1;

		next_address = (next_address + size - 1) & ~(size - 1);
		pci_write32(slot, at, next_address);
		next_address += size;
	}
	return old & BAR_64 ? 2 : 1;
}

void pci_enable(unsigned int slot)
{
	uint32_t command = pci_read32(slot, PCI_COMMAND) & 0xffff;

	pci_write32(slot, PCI_COMMAND, command & ~(uint32_t)COMMAND_ON);
	for (unsigned int n = 0; n < N_BARS;)
		n += bar_assign(slot, n);
	pci_write32(slot, PCI_COMMAND, command | COMMAND_ON);
}

uint64_t pci_bar(unsigned int slot, unsigned int n)
{
	uint32_t low = pci_read32(slot, PCI_BARS + 4 * n);

	if (low & BAR_IO)
		guest_fail("a port BAR where memory was wanted", low);
	return (low & ~0xfu) |
		(low & BAR_64 ? (uint64_t)pci_read32(slot, PCI_BARS + 4 * n + 4) << 32 : 0);
}

unsigned int pci_next_cap(unsigned int slot, unsigned int at)
{
	return pci_read8(slot, at ? at + 1 : PCI_CAP_FIRST) & 0xfcu;
}
