/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The start info of the PVH boot protocol, for ELF kernels other than Linux.
 * Layouts: Xen, public/arch-x86/hvm/start_info.h.
 */
#ifndef VMM_X86_PVH_H
#define VMM_X86_PVH_H

#include "vmm/x86/e820.h"

#define PVH_LEN 4096 /* start info, list of modules, memory map */

struct pvh_desc {
	uint64_t addr;               /* where it will be in guest memory */
	uint64_t cmdline;            /* address of the text with its final NUL */
	uint64_t initrd, initrd_len; /* length 0: none */
	uint64_t rsdp;
	struct e820_entry e820[E820_MAX];
	unsigned int n_e820;
};

/* pvh_fill() - write it. */
void pvh_fill(uint8_t info[PVH_LEN], const struct pvh_desc *desc);

#endif
