/* SPDX-License-Identifier: Apache-2.0 */
/* The DSDT; see vmm/x86/acpi_dsdt.h. Section numbers are those of ACPI 6.5. */
#include "vmm/x86/acpi_dsdt.h"

#include "vmm/x86/aml.h"
#include "vmm/x86/map.h"

#define SLP_TYP_S5 5 /* what devices/front/power.h takes for "off" */
#define PM_PORTS   3
#define PCI_SLOTS  32
#define PCI_PINS   4

/* 7.4.2.6: \_S5, the values for the sleep type field */
static void dsdt_poweroff(struct aml *a)
{
	aml_name(a, "_S5_");
	aml_open_package(a, 2);
	aml_int(a, SLP_TYP_S5);
	aml_int(a, 0);
	aml_close(a);
}

/* 6.2.13: _PRT, one package {address, pin, source, GSI} for each pin of each slot */
static void dsdt_pci_routing(struct aml *a)
{
	aml_name(a, "_PRT");
	aml_open_package(a, PCI_SLOTS * PCI_PINS);
	for (uint32_t slot = 0; slot < PCI_SLOTS; slot++)
		for (uint32_t pin = 0; pin < PCI_PINS; pin++) {
			aml_open_package(a, 4);
			aml_int(a, slot << 16 | 0xffff);
			aml_int(a, pin);
			aml_int(a, 0);
			aml_int(a, MAP_IRQ_PCI_BASE + slot % MAP_IRQ_PCI_NUM);
			aml_close(a);
		}
	aml_close(a);
}

static void dsdt_pci(struct aml *a)
{
	aml_open_device(a, "PCI0");
	aml_name(a, "_HID");
	aml_eisa_id(a, "PNP0A08");
	aml_name(a, "_CID");
	aml_eisa_id(a, "PNP0A03");
	aml_name(a, "_UID");
	aml_int(a, 0);
	aml_name(a, "_SEG");
	aml_int(a, 0);
	aml_name(a, "_BBN");
	aml_int(a, 0);
	aml_name(a, "_CRS");
	aml_open_resources(a);
	aml_bus_range(a, 0, 0);
	aml_io(a, MAP_PORT_PCI_ADDR, 8);
	aml_memory_window(a, MAP_PCI_MMIO, MAP_PCI_MMIO_LEN);
	aml_close(a);
	dsdt_pci_routing(a);
	aml_close(a);
}

/* dsdt_board() - addresses that are taken; Linux uses ECAM only if it finds it here */
static void dsdt_board(struct aml *a)
{
	aml_open_device(a, "MBRD");
	aml_name(a, "_HID");
	aml_eisa_id(a, "PNP0C02");
	aml_name(a, "_UID");
	aml_int(a, 0);
	aml_name(a, "_CRS");
	aml_open_resources(a);
	aml_memory(a, MAP_PCI_ECAM, MAP_PCI_ECAM_LEN);
	aml_io(a, MAP_PORT_PM, PM_PORTS);
	aml_close(a);
	aml_close(a);
}

static void dsdt_serial(struct aml *a)
{
	aml_open_device(a, "COM1");
	aml_name(a, "_HID");
	aml_eisa_id(a, "PNP0501");
	aml_name(a, "_UID");
	aml_int(a, 1);
	aml_name(a, "_CRS");
	aml_open_resources(a);
	aml_io(a, MAP_PORT_SERIAL, 8);
	aml_interrupt(a, MAP_IRQ_SERIAL);
	aml_close(a);
	aml_close(a);
}

/* dsdt_clock() - the CMOS clock, without its interrupt: there are no alarms */
static void dsdt_clock(struct aml *a)
{
	aml_open_device(a, "RTC0");
	aml_name(a, "_HID");
	aml_eisa_id(a, "PNP0B00");
	aml_name(a, "_CRS");
	aml_open_resources(a);
	aml_io(a, MAP_PORT_RTC, 2);
	aml_close(a);
	aml_close(a);
}

size_t acpi_dsdt_fill(uint8_t *at, size_t room, bool serial)
{
	struct aml a;

	aml_init(&a, at, room);
	dsdt_poweroff(&a);
	aml_open_scope(&a, "_SB_");
	dsdt_pci(&a);
	dsdt_board(&a);
	if (serial)
		dsdt_serial(&a);
	dsdt_clock(&a);
	aml_close(&a);
	return a.failed ? 0 : a.len;
}
