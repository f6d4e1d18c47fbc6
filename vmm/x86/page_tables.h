/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The page tables that the first vCPU starts with: the first 4 GiB, virtual = physical, in 2 MiB
 * pages. Intel SDM volume 3A, section 4.5 (4-level paging).
 */
#ifndef VMM_X86_PAGE_TABLES_H
#define VMM_X86_PAGE_TABLES_H

#include <stdint.h>

#define PAGE_TABLES_LEN (6 * 4096) /* PML4, PDPT, four page directories */

/*
 * page_tables_fill() - write them.
 * @addr: guest address of the tables, page aligned
 * @cbit: mask with the C-bit for every entry, tables' addresses included; 0: none
 */
void page_tables_fill(uint8_t tables[PAGE_TABLES_LEN], uint64_t addr, uint64_t cbit);

#endif
