/* SPDX-License-Identifier: Apache-2.0 */
/* Page tables and conversions; see guests/lib/paging.h. */
#include "guests/lib/paging.h"

#include "guests/lib/io.h"

#define ENTRIES          512
#define ADDRESS          0x000ffffffffff000ull
#define PRESENT_RW_LARGE 0x83ull
#define LARGE_PAGE       0x200000ull
#define DOORBELL_PAGE    0x650
#define DOORBELL_COUNT   0x654
#define DOORBELL_COMMAND 0x658 /* write: 0 to shared, 1 to private; read: 0 or errno */

static uint64_t cbit_mask;

static uint64_t read_cr3(void)
{
	uint64_t v;

	__asm__ volatile("movq %%cr3, %0" : "=r"(v));
	return v;
}

/* table() - Return: the table that an entry or CR3 points to; tables lie below 4 GiB */
static uint64_t *table(uint64_t entry)
{
	return (uint64_t *)(entry & ADDRESS & 0xffffffffull);
}

void paging_init(void)
{
	uint64_t cr3 = read_cr3();
	uint64_t *pdpt = table(table(cr3)[0]);
	uint64_t *window = table(pdpt[1]), *devices = table(pdpt[3]);

	/* The entry for address 0 holds nothing but flags and the C-bit. */
	cbit_mask = table(pdpt[0])[0] & ADDRESS;
	for (uint64_t i = 0; i < ENTRIES; i++) {
		window[i] = i * LARGE_PAGE | PRESENT_RW_LARGE;
		devices[i] &= ~cbit_mask;
	}
	__asm__ volatile("movq %0, %%cr3" : : "r"(cr3) : "memory");
}

uint64_t paging_cbit(void)
{
	return cbit_mask;
}

uint32_t convert(uint64_t gpa, uint64_t n_pages, int to_private)
{
	out32(DOORBELL_PAGE, (uint32_t)(gpa / PAGE));
	out32(DOORBELL_COUNT, (uint32_t)n_pages);
	out32(DOORBELL_COMMAND, (uint32_t)to_private);
	return in32(DOORBELL_COMMAND);
}
