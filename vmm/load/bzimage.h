/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bzImage, the file format of Linux x86 kernels: what its setup header says. Pure parser.
 * Fields: Linux, Documentation/arch/x86/boot.rst.
 */
#ifndef VMM_LOAD_BZIMAGE_H
#define VMM_LOAD_BZIMAGE_H

#include "base/bytes.h"
#include "base/err.h"

#define BZIMAGE_VERSION_MAX 80
#define BZIMAGE_ENTRY_64    0x200 /* of the 64-bit entry in the code */

struct bzimage {
	struct bytes setup_header; /* from offset 0x1f1 on, as boot_params wants it */
	struct bytes code;         /* the part that runs in protected mode; holds the payload */
	struct bytes payload;      /* compressed vmlinux with its 4-byte size; empty: none */
	bool entry_64;             /* code can be entered in 64-bit mode at BZIMAGE_ENTRY_64 */
	uint64_t pref_address;     /* where code wants to be */
	uint32_t init_size;   /* bytes from there that it uses before it has memory management */
	uint32_t cmdline_max; /* characters without the final NUL */
	uint32_t initrd_max;  /* highest address of an initrd's last byte */
	char version[BZIMAGE_VERSION_MAX]; /* "6.12.0-cloud-amd64", "" if unknown; printable */
};

/* bzimage_is() - Return: true if the file has the boot sector's and the setup header's magic. */
bool bzimage_is(struct bytes file);

/*
 * bzimage_parse() - read the header; the results point into the file.
 * Return: 0; -EINVAL (no bzImage, truncated); -ENOTSUP (boot protocol before 2.12, zImage).
 */
int bzimage_parse(struct bzimage *bz, struct bytes file, struct err *e) MUST_CHECK;

#endif
