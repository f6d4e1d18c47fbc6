/* SPDX-License-Identifier: Apache-2.0 */
/* The memory map that the guest is told: RAM of the layout and what of it is taken. */
#ifndef VMM_X86_E820_H
#define VMM_X86_E820_H

#include <stdint.h>

struct layout;

#define E820_MAX 8

enum e820_type { /* ACPI 6.5, table 15.4 */
	E820_RAM = 1,
	E820_RESERVED = 2,
	E820_ACPI = 3,
};

struct e820_entry {
	uint64_t addr, len; /* bytes */
	uint32_t type;      /* enum e820_type */
};

/* e820_fill() - sorted, without overlaps. Return: the number of entries written. */
unsigned int e820_fill(struct e820_entry map[E820_MAX], const struct layout *layout);

#endif
