/* SPDX-License-Identifier: Apache-2.0 */
/*
 * struct pci_dev: one PCI function: configuration space, memory BARs, capabilities, INTx pin A.
 *
 * It is embedded in the device that it belongs to, filled by pci_dev_init() and the add functions,
 * then put on a bus with pci_attach() (devices/front/pci.h).
 *
 * Invariants: 1. a BAR answers only while the memory-enable bit is set and its address lies within
 * the bus's window; 2. bits outside the write mask never change by the guest's hand.
 * Locks: config functions and the callbacks marked so run under the lock of the bus.
 */
#ifndef DEVICES_FRONT_PCI_DEV_H
#define DEVICES_FRONT_PCI_DEV_H

#include "devices/front/bus.h"
#include "devices/wire/pci.h"

#include <stdbool.h>

struct pci_bus;

struct pci_dev_ops {
	/* Accesses to a BAR, within it, sizes as in struct bus_ops; any thread, no lock. */
	uint64_t (*bar_read)(void *ctx, unsigned int bar, uint64_t off, unsigned int len);
	void (*bar_write)(void *ctx, unsigned int bar, uint64_t off, unsigned int len, uint64_t v);
	/* Under the lock of the bus: the BAR is now at addr, or no longer anywhere (mapped false).
	 */
	void (*bar_moved)(void *ctx, unsigned int bar, uint64_t addr, bool mapped);
	/* Under the lock of the bus: the guest wrote to capabilities at [off, off+len). */
	void (*cap_written)(void *ctx, unsigned int off, unsigned int len);
};

struct pci_bar {
	struct pci_dev *dev;
	uint64_t size; /* 0: there is none */
	uint64_t home; /* where it was placed at first; stays reserved for it */
	bool is_64;
	bool mapped;
	struct bus_region region; /* valid while mapped */
};

struct pci_ident {
	uint16_t vendor, device, sub_vendor, sub_id;
	uint32_t class_code; /* PCI_CLASS_* */
	uint8_t revision;
	bool intx; /* has interrupt pin A */
};

struct pci_dev {
	struct pci_bus *bus; /* NULL: not attached */
	unsigned int slot;
	const struct pci_dev_ops *ops; /* NULL: no BARs, no capabilities that act */
	void *ctx;
	struct pci_bar bars[PCI_BARS];
	uint8_t config[PCI_CONFIG_LEN], mask[PCI_CONFIG_LEN];
	unsigned int cap_end;  /* first free byte for capabilities */
	unsigned int last_cap; /* 0: none yet */
	unsigned int window;   /* offset of a virtio PCI access capability, 0: none */
	bool intx;             /* the device asserts its pin */
};

/* pci_dev_init() - an unattached function without BARs; all four ops are filled if ops is not NULL.
 */
void pci_dev_init(struct pci_dev *dev, const struct pci_ident *ident, const struct pci_dev_ops *ops,
	void *ctx);

/* pci_dev_add_bar() - a memory BAR; size: a power of two, at least 16; flags: PCI_BAR_*. */
void pci_dev_add_bar(struct pci_dev *dev, unsigned int bar, uint64_t size, unsigned int flags);

/*
 * pci_dev_add_cap() - append a capability with len bytes of body after id and next; read-only until
 * pci_dev_allow(). Asserts that there is room. Return: its offset.
 */
unsigned int pci_dev_add_cap(struct pci_dev *dev, uint8_t id, const void *body, size_t len);

/* pci_dev_allow() - let the guest write the bits of mask in the 32-bit register at off. */
void pci_dev_allow(struct pci_dev *dev, unsigned int off, uint32_t mask);

/* pci_dev_add_window() - the capability at off is virtio's PCI configuration access capability. */
void pci_dev_add_window(struct pci_dev *dev, unsigned int off);

/* pci_dev_command() - Return: the command register. Under the lock of the bus. */
uint16_t pci_dev_command(const struct pci_dev *dev);

/* pci_dev_remap() - make BARs answer where the registers say, or nowhere if off. Under that lock.
 */
void pci_dev_remap(struct pci_dev *dev, struct bus *bus, bool on);

/* pci_dev_config_read() - Return: len bytes at off; off + len <= PCI_CONFIG_LEN. Under that lock.
 */
uint64_t pci_dev_config_read(const struct pci_dev *dev, unsigned int off, unsigned int len);

/* pci_dev_config_write() - change the bits that the mask allows; no other effect. Under it. */
void pci_dev_config_write(struct pci_dev *dev, unsigned int off, unsigned int len, uint64_t v);

/* pci_dev_window_access() - act on the access window; without the lock. Return: what was read. */
uint32_t pci_dev_window_access(struct pci_dev *dev, const uint8_t cap[20], bool write);

#endif
