/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The body of the DSDT: the devices that Linux can't find by itself. The PCI host bridge with its
 * windows, INTx routing and slots, the board's reserved addresses, COM1, the clock, how to switch
 * off, the power button, and the generic event device, by whose interrupt the board says that a PCI
 * function, a processor or memory came, that one is to go, or that the button was pushed.
 */
#ifndef VMM_X86_ACPI_DSDT_H
#define VMM_X86_ACPI_DSDT_H

#include <stddef.h>
#include <stdint.h>

struct acpi_desc;

/* acpi_dsdt_fill() - write it, without table header. Return: its length, 0 if room is too small. */
size_t acpi_dsdt_fill(uint8_t *at, size_t room, const struct acpi_desc *desc);

#endif
