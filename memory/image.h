/* SPDX-License-Identifier: Apache-2.0 */
/*
 * struct image: the launch image, an ordered list of (gpa, page type, bytes).
 *
 * Loaders only build an image. Plain and software-confidential VMs, SNP, TDX, the test model and
 * the measurement predictor all read the same list, so what is launched and what is predicted
 * cannot drift apart.
 *
 * Invariants: 1. every part starts and ends on a page; 2. parts do not overlap, but every vCPU's
 * save area may have the same address; 3. the order is the order of launch and thus of
 * measurement; 4. bytes of a part beyond `bytes_len` are zeros.
 */
#ifndef MEMORY_IMAGE_H
#define MEMORY_IMAGE_H

#include "base/err.h"
#include "memory/gpa.h"

#include <stddef.h>

/*
 * What a page is to the launch commands; names as in the SNP firmware ABI, section 8.17. TDX knows
 * two of them: NORMAL is added and extended (MR_EXTEND), UNMEASURED is added only.
 */
enum image_page {
	IMAGE_NORMAL, /* contents are loaded and measured */
	IMAGE_VMSA,   /* SNP: a vCPU's state, measured; built by KVM, so only predictors read it */
	IMAGE_ZERO,   /* zeros; measured as such */
	IMAGE_UNMEASURED, /* contents are loaded, their address alone is measured */
	IMAGE_SECRETS,    /* SNP: filled by firmware */
	IMAGE_CPUID,      /* SNP: contents checked by firmware */
};

struct image_part {
	gpa_t gpa;
	uint64_t len; /* bytes, a multiple of the page size, not 0 */
	enum image_page type;
	const void *bytes; /* NULL only if bytes_len is 0 */
	size_t bytes_len;  /* at most len; the rest is zeros */
};

struct image {
	struct image_part *parts;
	size_t n_parts;
	size_t room;               /* parts that fit before the array grows */
	void *spans;               /* search tree of the ranges taken */
	struct image_owned *owned; /* memory that the image frees */
};

/* image_init() - make an empty image. */
void image_init(struct image *image);

/* image_fini() - free the list and the memory it owns; allowed on a half-built image. */
void image_fini(struct image *image);

/*
 * image_add() - append a part.
 * @part: gpa page aligned; len is rounded up to whole pages here; bytes are borrowed, see
 * image_own() Return: 0, -EINVAL (unaligned, empty, wraps), -EEXIST (overlaps a part), -ENOMEM.
 */
int image_add(struct image *image, const struct image_part *part, struct err *e) MUST_CHECK;

/* image_own() - give the image malloc'ed memory to free. Return: 0, or -ENOMEM: freed already. */
int image_own(struct image *image, void *memory, struct err *e) MUST_CHECK;

/* image_own_map() - the same for an mmap'ed range, which image_fini() unmaps. */
int image_own_map(struct image *image, void *map, size_t len, struct err *e) MUST_CHECK;

/* image_bytes() - Return: the sum of the lengths of all parts. */
uint64_t image_bytes(const struct image *image);

/* image_end() - Return: the first address above all parts, 0 for an empty image. */
gpa_t image_end(const struct image *image);

#endif
