/* SPDX-License-Identifier: Apache-2.0 */
/* The first GDT; see vmm/x86/gdt.h. Descriptors: Intel SDM volume 3A, section 3.4.5. */
#include "vmm/x86/gdt.h"

#include "base/bytes.h"

#include <string.h>

#define DESC_CODE64 UINT64_C(0x00af9b000000ffff) /* L, present, execute/read, accessed */
#define DESC_CODE32 UINT64_C(0x00cf9b000000ffff) /* D, 4 GiB */
#define DESC_DATA   UINT64_C(0x00cf93000000ffff) /* read/write, accessed, 4 GiB */

void gdt_fill(uint8_t gdt[GDT_LEN], enum x86_mode mode)
{
	memset(gdt, 0, GDT_LEN);
	store_le64(gdt + GDT_CODE, mode == X86_LONG64 ? DESC_CODE64 : DESC_CODE32);
	store_le64(gdt + GDT_DATA, DESC_DATA);
}
