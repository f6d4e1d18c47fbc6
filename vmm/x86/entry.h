/* SPDX-License-Identifier: Apache-2.0 */
/*
 * struct x86_entry: how the first vCPU starts, as the loader decides it and the hypervisor sets it.
 * All segments are flat; interrupts are off.
 */
#ifndef VMM_X86_ENTRY_H
#define VMM_X86_ENTRY_H

#include <stdint.h>

enum x86_mode {
	X86_LONG64, /* 64-bit code, paging on: Linux boot protocol, section "64-bit boot protocol" */
	X86_PROTECTED32, /* 32-bit code, paging off: PVH */
	X86_RESET, /* real mode, as after reset: firmware; the state that launch digests count on */
};

struct x86_entry {
	enum x86_mode mode;
	uint64_t rip; /* RESET: below 4 GiB; the upper 16 bits become the base of CS */
	uint64_t rdx; /* RESET: the CPU's signature */
	uint64_t rsi; /* LONG64: address of boot_params */
	uint64_t rbx; /* PROTECTED32: address of the PVH start info */
	uint64_t cr3; /* LONG64: page tables, with the C-bit where there is one */
	uint64_t gdt; /* base; selector 0x10 is code, 0x18 data */
	uint16_t gdt_limit; /* bytes - 1 */
};

#endif
