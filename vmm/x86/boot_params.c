/* SPDX-License-Identifier: Apache-2.0 */
/* The zero page; see vmm/x86/boot_params.h. */
#include "vmm/x86/boot_params.h"

#include "base/num.h"

#include <string.h>

#define BP_ACPI_RSDP      0x070
#define BP_E820_NUM       0x1e8
#define BP_SETUP_HEADER   0x1f1
#define BP_BOOT_FLAG      0x1fe
#define BP_MAGIC          0x202
#define BP_PROTOCOL       0x206
#define BP_LOADER         0x210
#define BP_LOADFLAGS      0x211
#define BP_INITRD         0x218
#define BP_INITRD_LEN     0x21c
#define BP_CMDLINE        0x228
#define BP_INITRD_MAX     0x22c
#define BP_CMDLINE_MAX    0x238
#define BP_SETUP_DATA     0x250
#define BP_SETUP_HDR_END  0x290
#define BP_E820           0x2d0
#define BP_E820_ENTRY_LEN 20

#define LOADER_UNDEFINED 0xff /* no assigned number */
#define LOADED_HIGH      0x01
#define QUIET_FLAG       0x20
#define INITRD_MAX       0x7fffffff

/* boot_params_header() - the header of the file, or for an ELF file the fields a kernel may read */
static void boot_params_header(uint8_t *page, const struct boot_params_desc *d)
{
	if (d->setup_header.left) {
		memcpy(page + BP_SETUP_HEADER, d->setup_header.at,
			min_u64(d->setup_header.left, BP_SETUP_HDR_END - BP_SETUP_HEADER));
	} else {
		store_le16(page + BP_BOOT_FLAG, 0xaa55);
		memcpy(page + BP_MAGIC, "HdrS", 4);
		store_le16(page + BP_PROTOCOL, 0x20f);
		store_le32(page + BP_INITRD_MAX, INITRD_MAX);
		store_le32(page + BP_CMDLINE_MAX, d->cmdline_max);
	}
	page[BP_LOADER] = LOADER_UNDEFINED;
	page[BP_LOADFLAGS] = LOADED_HIGH | (page[BP_LOADFLAGS] & QUIET_FLAG);
	store_le32(page + BP_INITRD, d->initrd);
	store_le32(page + BP_INITRD_LEN, d->initrd_len);
	store_le32(page + BP_CMDLINE, d->cmdline);
	store_le64(page + BP_SETUP_DATA, 0);
}

void boot_params_fill(uint8_t page[BOOT_PARAMS_LEN], const struct boot_params_desc *d)
{
	memset(page, 0, BOOT_PARAMS_LEN);
	boot_params_header(page, d);
	store_le64(page + BP_ACPI_RSDP, d->rsdp);
	page[BP_E820_NUM] = (uint8_t)d->n_e820;
	for (unsigned int i = 0; i < d->n_e820; i++) {
		uint8_t *entry = page + BP_E820 + i * (size_t)BP_E820_ENTRY_LEN;

		store_le64(entry, d->e820[i].addr);
		store_le64(entry + 8, d->e820[i].len);
		store_le32(entry + 16, d->e820[i].type);
	}
}
