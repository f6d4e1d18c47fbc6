/* SPDX-License-Identifier: Apache-2.0 */
/* Page tables and conversions; see guests/lib/paging.h. */
#include "guests/lib/paging.h"

#include "guests/lib/io.h"

#include <stdbool.h>

#define ENTRIES          512
#define ADDRESS          0x000ffffffffff000ull
#define PRESENT_RW_LARGE 0x83ull
#define LARGE_PAGE       0x200000ull
#define DOORBELL_PAGE    0x650
#define DOORBELL_COUNT   0x654
#define DOORBELL_COMMAND 0x658 /* write: 0 to shared, 1 to private; read: 0 or errno */
#define NOBODY           0xffffffffu
#define HC_MAP_GPA_RANGE 12
#define HC_ENCRYPTED     (1ull << 4)
#define VENDOR_GENU      0x756e6547u /* the first letters of GenuineIntel */

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

void paging_aim(uint64_t gpa)
{
	uint64_t cr3 = read_cr3();
	uint64_t *window = table(table(table(cr3)[0])[2]);

	for (uint64_t i = 0; i < ENTRIES; i++)
		window[i] = (gpa + i * LARGE_PAGE) | PRESENT_RW_LARGE;
	__asm__ volatile("movq %0, %%cr3" : : "r"(cr3) : "memory");
}

uint64_t paging_cbit(void)
{
	return cbit_mask;
}

static bool is_intel(void)
{
	uint32_t a = 0, b, c, d;

	__asm__ volatile("cpuid" : "+a"(a), "=b"(b), "=c"(c), "=d"(d));
	return b == VENDOR_GENU;
}

/* hypercall() - KVM_HC_MAP_GPA_RANGE. Return: 0 or a negative errno */
static int64_t hypercall(uint64_t gpa, uint64_t n_pages, uint64_t attributes)
{
	int64_t rc = HC_MAP_GPA_RANGE;

	if (is_intel())
		__asm__ volatile("vmcall"
				 : "+a"(rc)
				 : "b"(gpa), "c"(n_pages), "d"(attributes)
				 : "memory");
	else
		__asm__ volatile("vmmcall"
				 : "+a"(rc)
				 : "b"(gpa), "c"(n_pages), "d"(attributes)
				 : "memory");
	return rc;
}

uint32_t convert(uint64_t gpa, uint64_t n_pages, int to_private)
{
	/* Nobody answers at the port: this host can do what the doorbell stands in for. */
	if (in32(DOORBELL_COMMAND) == NOBODY)
		return (uint32_t)-hypercall(gpa, n_pages, to_private ? HC_ENCRYPTED : 0);
	out32(DOORBELL_PAGE, (uint32_t)(gpa / PAGE));
	out32(DOORBELL_COUNT, (uint32_t)n_pages);
	out32(DOORBELL_COMMAND, (uint32_t)to_private);
	return in32(DOORBELL_COMMAND);
}
