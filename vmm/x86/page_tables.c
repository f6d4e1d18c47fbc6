/* SPDX-License-Identifier: Apache-2.0 */
/* The first page tables; see vmm/x86/page_tables.h. */
#include "vmm/x86/page_tables.h"

#include "base/bytes.h"
#include "base/num.h"

#include <string.h>

#define PTE_PRESENT UINT64_C(0x01)
#define PTE_WRITE   UINT64_C(0x02)
#define PTE_LARGE   UINT64_C(0x80)
#define ENTRIES     512
#define GIBS        4

void page_tables_fill(uint8_t tables[PAGE_TABLES_LEN], uint64_t addr, uint64_t cbit)
{
	uint64_t flags = PTE_PRESENT | PTE_WRITE | cbit;
	uint8_t *pdpt = tables + PAGE_SIZE, *dirs = pdpt + PAGE_SIZE;

	memset(tables, 0, PAGE_TABLES_LEN);
	store_le64(tables, (addr + PAGE_SIZE) | flags);
	for (uint64_t i = 0; i < GIBS; i++)
		store_le64(pdpt + i * 8, (addr + (2 + i) * PAGE_SIZE) | flags);
	for (uint64_t i = 0; i < GIBS * ENTRIES; i++)
		store_le64(dirs + i * 8, i * MIB(2) | PTE_LARGE | flags);
}
