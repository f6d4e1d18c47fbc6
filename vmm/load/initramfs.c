/* SPDX-License-Identifier: Apache-2.0 */
/* The initramfs; see vmm/load/initramfs.h. */
#include "vmm/load/initramfs.h"

#include "base/num.h"
#include "memory/image.h"
#include "memory/layout.h"
#include "vmm/load/kernel.h"

#include <errno.h>

int initramfs_load(
	gpa_t *addr, struct image *image, const struct initramfs_request *req, struct err *e)
{
	uint64_t top = min_u64(req->layout->ranges[0].len, (uint64_t)req->kernel->initrd_max + 1);
	uint64_t bottom = align_up(req->kernel->end, PAGE_SIZE);
	struct image_part part = {
		.type = IMAGE_NORMAL, .bytes = req->file.at, .bytes_len = req->file.left};

	if (!req->file.left)
		return err_set(e, EINVAL, "--initramfs %s: the file is empty", req->name);
	/* the field in boot_params has 32 bits; top is at most 3 GiB */
	if (top < req->file.left || align_down(top - req->file.left, PAGE_SIZE) < bottom)
		return err_set(e, E2BIG,
			"--initramfs %s: its %zu bytes do not fit into memory between the kernel's end "
			"%#llx and %#llx; give more --memory",
			req->name, req->file.left, (unsigned long long)bottom,
			(unsigned long long)top);
	part.gpa = gpa_of(align_down(top - req->file.left, PAGE_SIZE));
	part.len = req->file.left;
	*addr = part.gpa;
	if (image_add(image, &part, e))
		return err_context(e, "--initramfs %s", req->name);
	return 0;
}
