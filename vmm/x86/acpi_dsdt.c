/* SPDX-License-Identifier: Apache-2.0 */
/* The DSDT; see vmm/x86/acpi_dsdt.h. Section numbers are those of ACPI 6.5. */
#include "vmm/x86/acpi_dsdt.h"

#include "vmm/x86/acpi.h"
#include "vmm/x86/aml.h"
#include "vmm/x86/map.h"

#include <stdio.h>

#define SLP_TYP_S5 5 /* what devices/front/power.h takes for "off" */
#define PM_PORTS   3
#define PCI_SLOTS  32
#define SET_BITS   32  /* processors per register of devices/front/cpu_plug.h */
#define STA_THERE  0xf /* 6.3.7: present, enabled, shown, functioning */
#define PCI_PINS   4
#define MEM_PIECES 32 /* bits of the registers of devices/front/mem_plug.h */

#define NOTIFY_CHECK 1    /* 5.6.6: look for the device */
#define NOTIFY_EJECT 3    /* let go of it */
#define NOTIFY_PUSH  0x80 /* the power button */

#define EVENT_BUTTON 1 /* bits of devices/front/ged.h's event register */

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

/* dsdt_slot() - name of the device object of a PCI slot */
static const char *dsdt_slot(char name[5], uint32_t slot)
{
	snprintf(name, 5, "S%02X_", slot & 0xff);
	return name;
}

/* dsdt_cpu() - name of the device object of a processor */
static const char *dsdt_cpu(char name[5], uint32_t n)
{
	snprintf(name, 5, "C%03X", n & 0xfff);
	return name;
}

/* dsdt_if_bit() - open an If that asks for a bit of Local0 */
static void dsdt_if_bit(struct aml *a, uint32_t bit)
{
	aml_open_if(a);
	aml_op(a, AML_AND);
	aml_op(a, AML_LOCAL0);
	aml_int(a, bit);
	aml_op(a, AML_NOWHERE);
}

static void dsdt_notify(struct aml *a, const char *object, uint64_t value)
{
	aml_op(a, AML_NOTIFY);
	aml_path(a, object);
	aml_int(a, value);
}

/* Device objects that bits of a register stand for. */
struct told {
	const char *(*name)(char name[5], uint32_t n);
	uint32_t first, end; /* numbers of the devices */
	uint32_t base;       /* number of the device that bit 0 stands for */
};

/* dsdt_tell() - read a register, which clears it, and notify the devices of its bits */
static void dsdt_tell(struct aml *a, const char *reg, uint64_t value, const struct told *told)
{
	char name[5];

	aml_op(a, AML_STORE);
	aml_path(a, reg);
	aml_op(a, AML_LOCAL0);
	for (uint32_t n = told->first; n < told->end; n++) {
		dsdt_if_bit(a, UINT32_C(1) << (n - told->base));
		dsdt_notify(a, told->name(name, n), value);
		aml_close(a);
	}
}

/* 6.3: a device that has _EJ0 can be plugged in and out while the system runs */
static void dsdt_pci_slot(struct aml *a, uint32_t slot)
{
	char name[5];

	aml_open_device(a, dsdt_slot(name, slot));
	aml_name(a, "_ADR");
	aml_int(a, slot << 16);
	aml_name(a, "_SUN");
	aml_int(a, slot);
	aml_open_method(a, "_EJ0", 1);
	aml_op(a, AML_STORE);
	aml_int(a, UINT32_C(1) << slot);
	aml_path(a, "EJCT");
	aml_close(a);
	aml_close(a);
}

static void dsdt_pci_hotplug(struct aml *a)
{
	const struct told slots = {dsdt_slot, 1, PCI_SLOTS, 0};

	for (uint32_t slot = 1; slot < PCI_SLOTS; slot++)
		dsdt_pci_slot(a, slot);
	aml_open_method(a, "TELL", 0);
	dsdt_tell(a, "ADDD", NOTIFY_CHECK, &slots);
	dsdt_tell(a, "ASKD", NOTIFY_EJECT, &slots);
	aml_close(a);
}

/* --- processors that come and go --- */

/* dsdt_cpu_registers() - as devices/front/cpu_plug.h has them */
static void dsdt_cpu_registers(struct aml *a)
{
	static const char *const names[] = {"CPP0", "CPP1", "CPA0", "CPA1", "CPK0", "CPK1", "CPEJ"};

	aml_port_region(a, "CPUR", MAP_PORT_CPUS, MAP_PORT_CPUS_NUM);
	aml_open_field(a, "CPUR");
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		aml_field_unit(a, names[i]);
	aml_close(a);
}

/* dsdt_status() - 6.3.7: what _STA does: is the bit of a register set, so is it there now? */
static void dsdt_status(struct aml *a, const char *reg, uint32_t bit)
{
	aml_op(a, AML_STORE);
	aml_path(a, reg);
	aml_op(a, AML_LOCAL0);
	dsdt_if_bit(a, bit);
	aml_op(a, AML_RETURN);
	aml_int(a, STA_THERE);
	aml_close(a);
	aml_op(a, AML_RETURN);
	aml_int(a, 0);
}

/* dsdt_processor() - 8.4: the first one can't go; 6.2.11: _MAT is its entry of the MADT */
static void dsdt_processor(struct aml *a, uint32_t n)
{
	const uint8_t madt[] = {0, 8, (uint8_t)n, (uint8_t)n, 1, 0, 0, 0};
	char name[5];

	aml_open_device(a, dsdt_cpu(name, n));
	aml_name(a, "_HID");
	aml_string(a, "ACPI0007");
	aml_name(a, "_UID");
	aml_int(a, n);
	aml_name(a, "_MAT");
	aml_buffer(a, madt, sizeof(madt));
	aml_open_method(a, "_STA", 0);
	dsdt_status(a, n < SET_BITS ? "CPP0" : "CPP1", UINT32_C(1) << n % SET_BITS);
	aml_close(a);
	if (n) {
		aml_open_method(a, "_EJ0", 1);
		aml_op(a, AML_STORE);
		aml_int(a, n);
		aml_path(a, "CPEJ");
		aml_close(a);
	}
	aml_close(a);
}

static void dsdt_processors(struct aml *a, uint32_t n)
{
	const struct told low = {dsdt_cpu, 1, n < SET_BITS ? n : SET_BITS, 0};
	const struct told high = {dsdt_cpu, SET_BITS, n, SET_BITS};

	dsdt_cpu_registers(a);
	aml_open_device(a, "CPUS");
	aml_name(a, "_HID");
	aml_string(a, "ACPI0010");
	for (uint32_t i = 0; i < n; i++)
		dsdt_processor(a, i);
	aml_open_method(a, "TELL", 0);
	dsdt_tell(a, "CPA0", NOTIFY_CHECK, &low);
	dsdt_tell(a, "CPK0", NOTIFY_EJECT, &low);
	if (n > SET_BITS) {
		dsdt_tell(a, "CPA1", NOTIFY_CHECK, &high);
		dsdt_tell(a, "CPK1", NOTIFY_EJECT, &high);
	}
	aml_close(a);
	aml_close(a);
}

/* --- memory that comes --- */

/* dsdt_piece() - name of the device object of a piece of memory */
static const char *dsdt_piece(char name[5], uint32_t n)
{
	snprintf(name, 5, "M%03X", n & 0xfff);
	return name;
}

static void dsdt_store(struct aml *a, const char *from, const char *to)
{
	aml_op(a, AML_STORE);
	aml_path(a, from);
	aml_path(a, to);
}

/* dsdt_mem_registers() - as devices/front/mem_plug.h has them */
static void dsdt_mem_registers(struct aml *a)
{
	aml_port_region(a, "MEMR", MAP_PORT_MEMORY, MAP_PORT_MEMORY_NUM);
	aml_open_field(a, "MEMR");
	aml_field_unit(a, "MEMP");
	aml_field_unit(a, "MEMA");
	aml_field_unit(a, "MESL");
	aml_field_wide(a, "MEFI");
	aml_field_wide(a, "MELA");
	aml_field_wide(a, "MELE");
	aml_close(a);
}

/* dsdt_mem_resources() - a template, and the method that fills in addresses of a piece */
static void dsdt_mem_resources(struct aml *a)
{
	static const struct {
		uint8_t offset;
		const char *field, *reg;
	} values[] = {
		{AML_RANGE_FIRST, "BUFI", "MEFI"},
		{AML_RANGE_LAST, "BULA", "MELA"},
		{AML_RANGE_LENGTH, "BULE", "MELE"},
	};

	aml_name(a, "BUFF");
	aml_open_resources(a);
	aml_memory_range(a);
	aml_close(a);
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		aml_qword_of(a, "BUFF", values[i].offset, values[i].field);
	aml_open_method(a, "RSRC", 1);
	aml_op(a, AML_STORE);
	aml_op(a, AML_ARG0);
	aml_path(a, "MESL");
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		dsdt_store(a, values[i].reg, values[i].field);
	aml_op(a, AML_RETURN);
	aml_path(a, "BUFF");
	aml_close(a);
}

/* dsdt_memory() - 9.11: one piece, which has no _EJ0 as it never goes */
static void dsdt_memory(struct aml *a, uint32_t n)
{
	char name[5];

	aml_open_device(a, dsdt_piece(name, n));
	aml_name(a, "_HID");
	aml_eisa_id(a, "PNP0C80");
	aml_name(a, "_UID");
	aml_int(a, n);
	aml_open_method(a, "_STA", 0);
	dsdt_status(a, "MEMP", UINT32_C(1) << n);
	aml_close(a);
	aml_open_method(a, "_CRS", 0);
	aml_op(a, AML_RETURN);
	aml_path(a, "RSRC");
	aml_int(a, n);
	aml_close(a);
	aml_close(a);
}

static void dsdt_memories(struct aml *a)
{
	const struct told pieces = {dsdt_piece, 0, MEM_PIECES, 0};

	dsdt_mem_registers(a);
	aml_open_device(a, "MEMS");
	aml_name(a, "_HID");
	aml_eisa_id(a, "PNP0A06"); /* a container */
	aml_name(a, "_UID");
	aml_string(a, "memory");
	dsdt_mem_resources(a);
	for (uint32_t i = 0; i < MEM_PIECES; i++)
		dsdt_memory(a, i);
	aml_open_method(a, "TELL", 0);
	dsdt_tell(a, "MEMA", NOTIFY_CHECK, &pieces);
	aml_close(a);
	aml_close(a);
}

/* --- the event device --- */

/* dsdt_ged_registers() - as devices/front/ged.h has them */
static void dsdt_ged_registers(struct aml *a)
{
	aml_port_region(a, "GEDR", MAP_PORT_GED, MAP_PORT_GED_NUM);
	aml_open_field(a, "GEDR");
	aml_field_unit(a, "ADDD");
	aml_field_unit(a, "ASKD");
	aml_field_unit(a, "EJCT");
	aml_field_unit(a, "EVNT");
	aml_close(a);
}

/* 5.6.9: the device that turns an interrupt into what the board has to say */
static void dsdt_ged(struct aml *a, const struct acpi_desc *d)
{
	aml_open_device(a, "GED_");
	aml_name(a, "_HID");
	aml_string(a, "ACPI0013");
	aml_name(a, "_UID");
	aml_int(a, 0);
	aml_name(a, "_CRS");
	aml_open_resources(a);
	aml_interrupt(a, MAP_IRQ_GED);
	aml_close(a);
	aml_open_method(a, "_EVT", 1);
	aml_path(a, "\\_SB_PCI0TELL");
	if (d->cpu_plug)
		aml_path(a, "\\_SB_CPUSTELL");
	if (d->mem_plug)
		aml_path(a, "\\_SB_MEMSTELL");
	aml_op(a, AML_STORE);
	aml_path(a, "EVNT");
	aml_op(a, AML_LOCAL0);
	dsdt_if_bit(a, EVENT_BUTTON);
	dsdt_notify(a, "\\_SB_PWRB", NOTIFY_PUSH);
	aml_close(a);
	aml_close(a);
	aml_close(a);
}

static void dsdt_power_button(struct aml *a)
{
	aml_open_device(a, "PWRB");
	aml_name(a, "_HID");
	aml_eisa_id(a, "PNP0C0C");
	aml_name(a, "_UID");
	aml_int(a, 0);
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
	dsdt_pci_hotplug(a);
	aml_close(a);
}

/* dsdt_board() - addresses that are taken; Linux uses ECAM only if it finds it here */
static void dsdt_board(struct aml *a, const struct acpi_desc *d)
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
	aml_io(a, MAP_PORT_GED, MAP_PORT_GED_NUM);
	if (d->cpu_plug)
		aml_io(a, MAP_PORT_CPUS, MAP_PORT_CPUS_NUM);
	if (d->mem_plug)
		aml_io(a, MAP_PORT_MEMORY, MAP_PORT_MEMORY_NUM);
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

size_t acpi_dsdt_fill(uint8_t *at, size_t room, const struct acpi_desc *d)
{
	struct aml a;

	aml_init(&a, at, room);
	dsdt_poweroff(&a);
	aml_open_scope(&a, "_SB_");
	dsdt_ged_registers(&a);
	dsdt_power_button(&a);
	dsdt_pci(&a);
	if (d->cpu_plug)
		dsdt_processors(&a, d->n_vcpus);
	if (d->mem_plug)
		dsdt_memories(&a);
	dsdt_ged(&a, d);
	dsdt_board(&a, d);
	if (d->serial)
		dsdt_serial(&a);
	dsdt_clock(&a);
	aml_close(&a);
	return a.failed ? 0 : a.len;
}
