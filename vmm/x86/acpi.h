/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ACPI tables: hardware-reduced ACPI with the least that Linux needs: RSDP, XSDT, FADT, MADT,
 * MCFG and a static DSDT. No interrupt override: KVM routes GSI n to IOAPIC pin n for every n.
 */
#ifndef VMM_X86_ACPI_H
#define VMM_X86_ACPI_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct acpi_desc {
	uint64_t addr; /* guest address of the area, a multiple of 16; the RSDP is first in it */
	unsigned int n_vcpus; /* that there can be; APIC id = index */
	unsigned int n_later; /* the last so many of them are not there yet, but may come */
	bool cpu_plug;        /* vCPUs can come and go: there is a devices/front/cpu_plug.h */
	bool mem_plug;        /* memory can come: there is a devices/front/mem_plug.h */
	bool serial;          /* there is a COM1 */
};

/*
 * acpi_fill() - write all tables into the area.
 * Return: 0; -E2BIG if len is too small for that many vCPUs.
 */
int acpi_fill(uint8_t *area, size_t len, const struct acpi_desc *desc, struct err *e) MUST_CHECK;

#endif
