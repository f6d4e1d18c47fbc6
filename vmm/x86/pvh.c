/* SPDX-License-Identifier: Apache-2.0 */
/* PVH start info; see vmm/x86/pvh.h. */
#include "vmm/x86/pvh.h"

#include "base/bytes.h"

#include <string.h>

#define PVH_MAGIC     0x336ec578
#define PVH_VERSION   1    /* the first with a memory map */
#define PVH_MODULES   0x40 /* offsets in the page */
#define PVH_MEMMAP    0x60
#define PVH_ENTRY_LEN 24

void pvh_fill(uint8_t info[PVH_LEN], const struct pvh_desc *d)
{
	memset(info, 0, PVH_LEN);
	store_le32(info, PVH_MAGIC);
	store_le32(info + 4, PVH_VERSION);
	if (d->initrd_len) {
		store_le32(info + 12, 1);
		store_le64(info + 16, d->addr + PVH_MODULES);
		store_le64(info + PVH_MODULES, d->initrd);
		store_le64(info + PVH_MODULES + 8, d->initrd_len);
	}
	store_le64(info + 24, d->cmdline);
	store_le64(info + 32, d->rsdp);
	store_le64(info + 40, d->addr + PVH_MEMMAP);
	store_le32(info + 48, d->n_e820);
	for (unsigned int i = 0; i < d->n_e820; i++) {
		uint8_t *entry = info + PVH_MEMMAP + i * (size_t)PVH_ENTRY_LEN;

		store_le64(entry, d->e820[i].addr);
		store_le64(entry + 8, d->e820[i].len);
		store_le32(entry + 16, d->e820[i].type);
	}
}
