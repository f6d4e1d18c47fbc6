/* SPDX-License-Identifier: Apache-2.0 */
/* PCI configuration space by ports, bus 0, function 0 of each slot. */
#ifndef GUESTS_LIB_PCI_H
#define GUESTS_LIB_PCI_H

#include <stdbool.h>
#include <stdint.h>

#define PCI_SLOTS 32

uint8_t pci_read8(unsigned int slot, unsigned int offset);
uint16_t pci_read16(unsigned int slot, unsigned int offset);
uint32_t pci_read32(unsigned int slot, unsigned int offset);
void pci_write32(unsigned int slot, unsigned int offset, uint32_t v);

/* pci_find() - Return: the slot of the n-th device with these ids, or PCI_SLOTS. */
unsigned int pci_find(uint16_t vendor, uint16_t device, unsigned int n);

/*
 * pci_enable() - give the memory BARs that have no address one, and switch memory and DMA on.
 * Addresses are dealt out from 3 GiB upwards.
 */
void pci_enable(unsigned int slot);

/* pci_bar() - Return: the address in memory BAR number n. */
uint64_t pci_bar(unsigned int slot, unsigned int n);

/* pci_next_cap() - Return: offset of the capability after `at` (0: the first), 0 at the end. */
unsigned int pci_next_cap(unsigned int slot, unsigned int at);

#endif
