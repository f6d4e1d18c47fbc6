/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The address map of the x86 board, beside RAM (memory/layout.h). Everything is below 4 GiB, so
 * that no device address depends on the size of RAM or on the C-bit.
 */
#ifndef VMM_X86_MAP_H
#define VMM_X86_MAP_H

#include <stdint.h>

/* Low memory: filled at launch, in the first MiB (never shared with devices). */
#define MAP_GDT         UINT64_C(0x00000500)
#define MAP_BOOT_PARAMS UINT64_C(0x00007000)
#define MAP_PAGE_TABLES UINT64_C(0x00009000) /* PML4, PDPT and four page directories: 6 pages */
#define MAP_CMDLINE     UINT64_C(0x00020000)
#define MAP_CMDLINE_MAX UINT64_C(0x00010000) /* bytes with the final NUL */
#define MAP_PVH_INFO    UINT64_C(0x00030000)
#define MAP_COPYIN_CODE   UINT64_C(0x00040000) /* level sw-protected, see vmm/x86/copyin.h */
#define MAP_COPYIN_INFO   UINT64_C(0x00041000)
#define MAP_COPYIN_TABLES UINT64_C(0x00042000)
#define MAP_COPYIN_TABLES_LEN UINT64_C(0x0000b000)
#define MAP_LOW_RAM_END UINT64_C(0x0009fc00) /* e820: usable up to here */
#define MAP_ACPI        UINT64_C(0x000e0000) /* RSDP first; the BIOS area that Linux scans */
#define MAP_ACPI_LEN    UINT64_C(0x00010000)

/* The hole [3 GiB, 4 GiB). */
#define MAP_PCI_MMIO     UINT64_C(0xc0000000) /* 32-bit BARs */
#define MAP_PCI_MMIO_LEN UINT64_C(0x20000000)
#define MAP_PCI_ECAM     UINT64_C(0xe0000000) /* segment 0, bus 0 alone: 1 MiB */
#define MAP_PCI_ECAM_LEN UINT64_C(0x00100000)
#define MAP_IOAPIC       UINT64_C(0xfec00000)
#define MAP_LAPIC        UINT64_C(0xfee00000)
#define MAP_KVM_TSS      UINT64_C(0xfeffd000) /* KVM's own pages on Intel hosts: 3 pages + 1 */
#define MAP_FIRMWARE_MAX UINT64_C(0x01000000) /* bytes, up to 4 GiB */

/* I/O ports. */
#define MAP_PORT_RTC       0x70 /* index, data */
#define MAP_PORT_NMI       0x61 /* status: why there was an NMI */
#define MAP_PORT_DEBUG     0x80 /* only with a timeline */
#define MAP_PORT_SERIAL    0x3f8 /* 8 ports, ISA interrupt 4 */
#define MAP_PORT_FW_CFG    0x510 /* 12 ports, see devices/front/fw_cfg.h; with firmware */
#define MAP_PORT_PM        0x600 /* ACPI: see MAP_PORT_SLEEP_* and MAP_PORT_RESET */
#define MAP_PORT_SLEEP_CTL 0x600 /* hardware-reduced ACPI sleep control register */
#define MAP_PORT_SLEEP_STS 0x601
#define MAP_PORT_RESET     0x602 /* write MAP_RESET_VALUE: reset */
#define MAP_RESET_VALUE    0x01
#define MAP_PORT_PCI_ADDR  0xcf8 /* configuration mechanism 1 */
#define MAP_PORT_PCI_DATA  0xcfc
#define MAP_PORT_GED       0x610 /* 4 registers of 4 bytes, see devices/front/ged.h */
#define MAP_PORT_GED_NUM   16
#define MAP_PORT_CPUS      0x620 /* see devices/front/cpu_plug.h */
#define MAP_PORT_CPUS_NUM  32
#define MAP_PORT_MEMORY    0x670 /* see devices/front/mem_plug.h */
#define MAP_PORT_MEMORY_NUM 36
#define MAP_PORT_DOORBELL  0x650 /* conversions by port, see vmm/doorbell.h */
#define MAP_PORT_COPYIN    0x660 /* the launch image has been copied, see vmm/x86/copyin.h */

#define MAP_IRQ_SERIAL   4
#define MAP_IRQ_GED      9
#define MAP_IRQ_PCI_BASE 16 /* INTx of PCI slot s: GSI 16 + s % 8 */
#define MAP_IRQ_PCI_NUM  8
#define MAP_GSI_MSI_BASE 24 /* first GSI for MSI routes; 0..23 are IOAPIC pins */

#endif
