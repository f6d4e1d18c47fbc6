/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ACPI tables as firmware takes them: a file with the RSDP, a file with all other tables, and a
 * script that says where to put them, which pointers to move and which checksums to make. QEMU,
 * "etc/table-loader"; read by OVMF and SeaBIOS.
 */
#ifndef VMM_X86_ACPI_LOADER_H
#define VMM_X86_ACPI_LOADER_H

#include "vmm/x86/acpi.h"

#include <stddef.h>

#define ACPI_LOADER_RSDP   "etc/acpi/rsdp"
#define ACPI_LOADER_TABLES "etc/acpi/tables"
#define ACPI_LOADER_SCRIPT "etc/table-loader"

#define ACPI_LOADER_AREA    0x10000
#define ACPI_LOADER_COMMAND 128 /* bytes of one command */
#define ACPI_LOADER_MAX     24  /* commands */

struct acpi_loader {
	uint8_t area[ACPI_LOADER_AREA];
	const uint8_t *rsdp, *tables; /* the files, in area */
	size_t rsdp_len, tables_len;
	uint8_t script[ACPI_LOADER_MAX * ACPI_LOADER_COMMAND];
	size_t script_len;
};

/*
 * acpi_loader_fill() - make all three. Pointers in the files count from the start of the file that
 * they point into, checksums are 0.
 * @desc: addr is ignored
 * Return: 0; -E2BIG: too many vCPUs.
 */
int acpi_loader_fill(struct acpi_loader *l, const struct acpi_desc *desc, struct err *e) MUST_CHECK;

#endif
