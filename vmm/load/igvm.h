/* SPDX-License-Identifier: Apache-2.0 */
/*
 * IGVM files: a launch image as somebody else prepared it, with pages for several platforms.
 * Format: the "Independent Guest Virtual Machine" definitions (igvm_defs), versions 1 and 2.
 *
 * The file is hostile. What is no known header, lies outside of the file, or loads the same page
 * twice is an error; a header may be skipped only when its type says so.
 */
#ifndef VMM_LOAD_IGVM_H
#define VMM_LOAD_IGVM_H

#include "base/bytes.h"
#include "base/err.h"
#include "memory/image.h"

#define IGVM_AREAS_MAX    256      /* parameter areas in one file */
#define IGVM_HEADERS_MAX  MIB(64)  /* bytes of variable headers */
#define IGVM_BYTES_MAX    GIB(1)   /* of guest memory that one file may load */
#define IGVM_MEASURED_MAX MIB(512) /* of those, bytes to hash: seconds, not minutes */

/* IGVM_PLATFORM_TYPE */
enum igvm_platform { IGVM_SNP = 2, IGVM_TDX = 3 };

struct igvm_spec {
	enum igvm_platform platform; /* whose pages to load */
	bool native_zero; /* SNP: pages without data are ZERO pages, not NORMAL ones of zeros */
};

/*
 * igvm_image_add() - append the pages that the file loads on the platform, in its order. VMSA
 * pages stand among them.
 * @file: stays the caller's and must outlive the image
 * Return: 0, -EINVAL, -EEXIST for a page that is loaded twice, -ENOMEM.
 */
int igvm_image_add(struct image *image, struct bytes file, const struct igvm_spec *spec,
	struct err *e) MUST_CHECK;

/*
 * igvm_check_kvm() - can KVM launch this image: one vCPU state, last, at the address that KVM
 * gives it, and in a mode that KVM can set. Return: 0, or -EINVAL with the reason.
 */
int igvm_check_kvm(const struct image *image, struct err *e) MUST_CHECK;

#endif
