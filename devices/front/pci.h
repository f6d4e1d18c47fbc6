/* SPDX-License-Identifier: Apache-2.0 */
/*
 * struct pci_bus: bus 0 with a host bridge in slot 0 and up to 31 functions, each 0000:00:SS.0.
 *
 * The guest reaches configuration space by mechanism 1 (8 ports) and by ECAM (1 MiB). No firmware
 * runs: BARs are placed within the window when a function is attached, and the guest may move them
 * there. Pin A of slot s is GSI gsi_base + s % PCI_GSIS; functions that share a GSI are or-ed.
 *
 * Threads: configuration from any vCPU, attach and detach from the main thread. One mutex covers
 * all configuration, a second one, taken after it, the lines; order in devices/front/bus.h.
 */
#ifndef DEVICES_FRONT_PCI_H
#define DEVICES_FRONT_PCI_H

#include "devices/front/bus.h"
#include "devices/front/irq.h"
#include "devices/front/pci_dev.h"

#define PCI_ECAM_BYTES  UINT64_C(0x100000)
#define PCI_MECH1_PORTS 8
#define PCI_GSIS        8

struct pci_window {
	uint64_t base, len; /* of addresses for BARs, below 4 GiB for 32-bit ones */
};

struct pci_bus_desc {
	struct bus *bus;
	struct irq irq;
	struct pci_window window;
	uint64_t ecam; /* start of PCI_ECAM_BYTES */
	uint16_t port; /* of mechanism 1's address register, usually 0xcf8 */
	unsigned int gsi_base;
};

/* pci_bus_create() - a bus with its host bridge. Return: 0 or -errno of bus_add(), -ENOMEM. */
int pci_bus_create(struct pci_bus **out, const struct pci_bus_desc *desc, struct err *e) MUST_CHECK;

/* pci_bus_destroy() - free it; all functions are detached, no vCPU runs. NULL is allowed. */
void pci_bus_destroy(struct pci_bus *pci);

/*
 * pci_attach() - place the BARs and make the function visible.
 * @slot: 1 to 31, or 0 for the lowest free one; dev->slot tells which it became
 * Return: 0, -EINVAL, -EBUSY (the slot is taken), -ENOSPC (no slot or no room in the window).
 */
int pci_attach(
	struct pci_bus *pci, struct pci_dev *dev, unsigned int slot, struct err *e) MUST_CHECK;

/*
 * pci_detach() - make it vanish; when this returns no thread is in its callbacks and none will
 * come. Not attached: does nothing. Never call it from a callback.
 */
void pci_detach(struct pci_dev *dev);

/* pci_set_intx() - assert or release pin A; INTx-disable in the command register is honoured. */
void pci_set_intx(struct pci_dev *dev, bool level);

/* pci_in_window() - Return: true if a BAR of size bytes may answer at addr. */
bool pci_in_window(const struct pci_bus *pci, uint64_t addr, uint64_t size);

#endif
