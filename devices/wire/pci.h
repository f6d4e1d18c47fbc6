/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PCI configuration space of a type 0 header (PCI Local Bus 3.0, section 6.1) and the MSI-X
 * capability (section 6.8.2). Offsets are in bytes.
 */
#ifndef DEVICES_WIRE_PCI_H
#define DEVICES_WIRE_PCI_H

#include <assert.h>
#include <stdint.h>

#define PCI_CONFIG_LEN 256u /* conventional; PCI_ECAM_LEN per function in ECAM */
#define PCI_ECAM_LEN   4096u
#define PCI_SLOTS      32u
#define PCI_BARS       6u
#define PCI_HEADER_LEN 0x40u

#define PCI_VENDOR      0x00u
#define PCI_DEVICE      0x02u
#define PCI_COMMAND     0x04u
#define PCI_STATUS      0x06u
#define PCI_REVISION    0x08u
#define PCI_CLASS       0x09u /* three bytes: interface, subclass, class */
#define PCI_HEADER_TYPE 0x0eu
#define PCI_BAR(n)      (0x10u + 4u * (n))
#define PCI_SUB_VENDOR  0x2cu
#define PCI_SUB_ID      0x2eu
#define PCI_CAP_PTR     0x34u
#define PCI_INT_LINE    0x3cu
#define PCI_INT_PIN     0x3du

#define PCI_COMMAND_MEMORY   0x0002u
#define PCI_COMMAND_MASTER   0x0004u
#define PCI_COMMAND_INTX_OFF 0x0400u
#define PCI_STATUS_INTX      0x0008u
#define PCI_STATUS_CAPS      0x0010u

#define PCI_BAR_IS_64    0x4u
#define PCI_BAR_PREFETCH 0x8u

#define PCI_CAP_VENDOR 0x09u
#define PCI_CAP_MSIX   0x11u

/* MSI-X capability, after the id and next bytes. */
struct pci_msix_cap {
	uint16_t control; /* bits 0-10: table size - 1; PCI_MSIX_* */
	uint32_t table;   /* bits 0-2: BAR; the rest: offset */
	uint32_t pba;
} __attribute__((packed));
static_assert(sizeof(struct pci_msix_cap) == 10, "PCI 3.0, 6.8.2");

#define PCI_MSIX_ENABLE   0x8000u
#define PCI_MSIX_MASK_ALL 0x4000u
#define PCI_MSIX_MAX      2048u

struct pci_msix_entry { /* one vector in the table */
	uint32_t addr_lo;
	uint32_t addr_hi;
	uint32_t data;
	uint32_t control; /* bit 0: masked */
};
static_assert(sizeof(struct pci_msix_entry) == 16, "PCI 3.0, 6.8.2");
#define PCI_MSIX_MASKED 0x1u

/* Class codes: class << 16 | subclass << 8 | interface. */
#define PCI_CLASS_STORAGE_SCSI 0x010000u
#define PCI_CLASS_STORAGE      0x018000u
#define PCI_CLASS_NET          0x020000u
#define PCI_CLASS_SERIAL       0x078000u
#define PCI_CLASS_HOST_BRIDGE  0x060000u
#define PCI_CLASS_OTHER        0xff0000u

/* Configuration mechanism 1: the address register. */
#define PCI_MECH1_ENABLE UINT32_C(0x80000000)

#endif
