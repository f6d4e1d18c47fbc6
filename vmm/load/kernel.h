/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel: from the bytes of a file to parts of the launch image and a place to enter.
 *
 * A bzImage's payload is decompressed here and its vmlinux is booted, not the bzImage itself: that
 * is faster, and the decompressor runs with an unencrypted CR3, which an emulated SEV guest can't.
 * Nothing is taken for granted about where a vmlinux lies: entry and segments come from its
 * headers.
 */
#ifndef VMM_LOAD_KERNEL_H
#define VMM_LOAD_KERNEL_H

#include "base/bytes.h"
#include "base/err.h"
#include "vmm/load/bzimage.h"
#include "vmm/x86/entry.h"

struct image;
struct layout;

enum kernel_format {
	KERNEL_BZIMAGE_VMLINUX, /* vmlinux out of a bzImage */
	KERNEL_BZIMAGE,         /* a bzImage that decompresses itself */
	KERNEL_ELF,             /* vmlinux or another ELF file, entered in 64-bit mode */
	KERNEL_PVH,             /* another ELF file, entered by its PVH note */
};

struct kernel_request {
	struct bytes file; /* must outlive the image */
	const char *name;  /* for messages */
	const struct layout *layout;
	bool need_sev_guest; /* refuse a Linux that can't be an SEV guest, and all that can't be
				checked */
};

struct kernel {
	enum kernel_format format;
	enum x86_mode mode;
	uint64_t entry;
	uint64_t end;              /* first address above all that the kernel uses at its start */
	uint32_t cmdline_max;      /* characters */
	uint32_t initrd_max;       /* highest address of an initrd's last byte */
	struct bytes setup_header; /* of a bzImage, from offset 0x1f1 on; else empty */
	bool is_linux;
	bool sev_guest; /* can be an SEV guest; looked up only if need_sev_guest */
	char version[BZIMAGE_VERSION_MAX]; /* printable; "" if unknown */
};

/*
 * kernel_load() - add the kernel's parts to the image. Messages begin with "--kernel NAME: ".
 * Return: 0; -EINVAL (no kernel, truncated, does not fit); -ENOTSUP (its kind is not supported at
 * this level); -E2BIG, -ENOMEM. The image may hold some parts then and must be given up.
 */
int kernel_load(struct kernel *kernel, struct image *image, const struct kernel_request *req,
	struct err *e) MUST_CHECK;

/* kernel_format_name() - Return: a few words for a person. */
const char *kernel_format_name(enum kernel_format format);

#endif
