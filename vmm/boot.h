/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a VM boots: kernel, initramfs and boot data as one launch image, and the state in which the
 * first vCPU enters it. All boot data lies in the first MiB, at the addresses of vmm/x86/map.h.
 */
#ifndef VMM_BOOT_H
#define VMM_BOOT_H

#include "base/bytes.h"
#include "memory/image.h"
#include "vmm/load/kernel.h"
#include "vmm/x86/entry.h"

struct layout;

struct boot_request {
	struct bytes kernel,
		initramfs; /* whole files, must outlive the image; initramfs may be empty */
	const char *kernel_name, *initramfs_name; /* for messages; no initramfs: NULL */
	const char *cmdline;                      /* NULL: empty */
	const struct layout *layout;
	unsigned int n_vcpus, n_later; /* as in struct acpi_desc */
	bool cpu_plug, mem_plug;       /* likewise */
	uint64_t cbit;                 /* mask for page tables, 0 at level off */
	bool need_sev_guest; /* the level emulates an SEV guest: refuse kernels that can't be one */
	bool serial;         /* the board has COM1 */
};

struct boot {
	struct image image;
	struct x86_entry entry;
	enum kernel_format format;
	bool sev_guest;                    /* found to be able; only looked for if it was needed */
	char version[BZIMAGE_VERSION_MAX]; /* of the kernel, printable; "" if unknown */
};

/*
 * boot_build() - fill *boot; the caller ends it with image_fini(&boot->image).
 * Messages name the flag at fault: --kernel, --initramfs, --cmdline or --cpus.
 * Return: 0, or -errno; boot->image is empty then.
 */
int boot_build(struct boot *boot, const struct boot_request *req, struct err *e) MUST_CHECK;

#endif
