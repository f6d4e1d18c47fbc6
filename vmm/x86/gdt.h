/* SPDX-License-Identifier: Apache-2.0 */
/* The GDT that the first vCPU starts with: flat code and data, as Linux's boot protocol wants. */
#ifndef VMM_X86_GDT_H
#define VMM_X86_GDT_H

#include "vmm/x86/entry.h"

#define GDT_LEN  32   /* bytes: null, unused, code, data */
#define GDT_CODE 0x10 /* selectors */
#define GDT_DATA 0x18

/* gdt_fill() - write it; mode says whether code is 64-bit or 32-bit. */
void gdt_fill(uint8_t gdt[GDT_LEN], enum x86_mode mode);

#endif
