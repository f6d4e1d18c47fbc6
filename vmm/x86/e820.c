/* SPDX-License-Identifier: Apache-2.0 */
/* The memory map; see vmm/x86/e820.h. */
#include "vmm/x86/e820.h"

#include "memory/layout.h"
#include "vmm/x86/map.h"

unsigned int e820_fill(struct e820_entry map[E820_MAX], const struct layout *layout)
{
	unsigned int n = 0;

	map[n++] = (struct e820_entry){0, MAP_LOW_RAM_END, E820_RAM};
	map[n++] = (struct e820_entry){MAP_LOW_RAM_END, MAP_ACPI - MAP_LOW_RAM_END, E820_RESERVED};
	map[n++] = (struct e820_entry){MAP_ACPI, MAP_ACPI_LEN, E820_ACPI};
	map[n++] = (struct e820_entry){
		MAP_ACPI + MAP_ACPI_LEN, LAYOUT_LOW_LEN - MAP_ACPI - MAP_ACPI_LEN, E820_RESERVED};
	map[n++] = (struct e820_entry){
		LAYOUT_LOW_LEN, layout->ranges[0].len - LAYOUT_LOW_LEN, E820_RAM};
	/* Linux uses ECAM only where the firmware reserved it */
	map[n++] = (struct e820_entry){MAP_PCI_ECAM, MAP_PCI_ECAM_LEN, E820_RESERVED};
	for (unsigned int i = 1; i < layout->n_ranges; i++)
		map[n++] = (struct e820_entry){
			layout->ranges[i].gpa.v, layout->ranges[i].len, E820_RAM};
	return n;
}
