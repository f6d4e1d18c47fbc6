/* SPDX-License-Identifier: Apache-2.0 */
/*
 * boot_params, the "zero page" of Linux's boot protocol: one page that tells the kernel its command
 * line, initramfs, memory map and ACPI tables. Offsets: Linux, arch/x86/include/uapi/asm/
 * bootparam.h and Documentation/arch/x86/boot.rst.
 */
#ifndef VMM_X86_BOOT_PARAMS_H
#define VMM_X86_BOOT_PARAMS_H

#include "base/bytes.h"
#include "vmm/x86/e820.h"

#define BOOT_PARAMS_LEN 4096

struct boot_params_desc {
	struct bytes
		setup_header; /* the bzImage's, from offset 0x1f1 on; empty: a plain one is made */
	uint32_t cmdline;     /* address of the text with its final NUL */
	uint32_t cmdline_max; /* characters; for a made header */
	uint32_t initrd, initrd_len; /* 0: none */
	uint64_t rsdp;
	struct e820_entry e820[E820_MAX];
	unsigned int n_e820;
};

/* boot_params_fill() - write the page. All that is not said stays zero: no screen, no EFI, no EDD.
 */
void boot_params_fill(uint8_t page[BOOT_PARAMS_LEN], const struct boot_params_desc *desc);

#endif
