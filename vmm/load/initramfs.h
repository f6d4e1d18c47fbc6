/* SPDX-License-Identifier: Apache-2.0 */
/* The initramfs: where it goes in memory. Its contents are the guest kernel's business. */
#ifndef VMM_LOAD_INITRAMFS_H
#define VMM_LOAD_INITRAMFS_H

#include "base/bytes.h"
#include "base/err.h"
#include "memory/gpa.h"

struct image;
struct kernel;
struct layout;

struct initramfs_request {
	struct bytes file; /* must outlive the image */
	const char *name;  /* for messages */
	const struct layout *layout;
	const struct kernel *kernel; /* loaded already */
};

/*
 * initramfs_load() - add it to the image, page aligned and as high as the kernel allows below
 * 3 GiB, above the kernel.
 * Return: 0 and its address in *addr; -EINVAL (empty); -E2BIG (no room); -ENOMEM.
 */
int initramfs_load(gpa_t *addr, struct image *image, const struct initramfs_request *req,
	struct err *e) MUST_CHECK;

#endif
