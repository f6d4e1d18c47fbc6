/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TDX virtual firmware: the TDX metadata of an OVMF or td-shim file, and the launch image that it
 * asks for. Intel TDVF design guide (344991), section 11 "TDVF metadata".
 *
 * The file is hostile: every data range is checked against it, so firmware that was cut (a
 * code-only image with the metadata of the full one) is an error, not another measurement.
 */
#ifndef VMM_LOAD_TDVF_H
#define VMM_LOAD_TDVF_H

#include "base/bytes.h"
#include "base/err.h"
#include "memory/image.h"

#define TDVF_SECTIONS_MAX 64
#define TDVF_BYTES_MAX    GIB(1)   /* of guest memory that sections may add */
#define TDVF_MEASURED_MAX MIB(512) /* of those, bytes to hash: seconds, not minutes */

enum tdvf_section_type {
	TDVF_BFV,    /* boot firmware volume */
	TDVF_CFV,    /* configuration firmware volume */
	TDVF_TD_HOB, /* the VMM describes memory here */
	TDVF_TEMP_MEM,
	TDVF_PERM_MEM,
	TDVF_PAYLOAD,
	TDVF_PAYLOAD_PARAM,
	TDVF_TD_INFO,
	TDVF_TD_PARAMS,
	TDVF_TYPES,
};

#define TDVF_MR_EXTEND (UINT32_C(1) << 0) /* contents are measured */
#define TDVF_PAGE_AUG  (UINT32_C(1) << 1) /* the guest accepts it itself: not added at build */

struct tdvf_section {
	struct bytes data; /* in the file */
	gpa_t gpa;
	uint64_t size; /* bytes of memory, whole pages; 0: not loaded */
	enum tdvf_section_type type;
	uint32_t attributes;
};

struct tdvf {
	struct tdvf_section sections[TDVF_SECTIONS_MAX];
	size_t n_sections;
};

/*
 * tdvf_parse() - read the TDX metadata.
 * @file: stays the caller's and must outlive *fw and images made of it
 * Return: 0 or -EINVAL.
 */
int tdvf_parse(struct tdvf *fw, struct bytes file, struct err *e) MUST_CHECK;

/*
 * tdvf_image_add() - append what the sections load, in table order. A launch fills the TD HOB,
 * which comes as zeros: its bytes are not measured.
 * Return: 0, -EINVAL, -EEXIST for overlaps, -ENOMEM.
 */
int tdvf_image_add(struct image *image, const struct tdvf *fw, struct err *e) MUST_CHECK;

#endif
