/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The launch image of an SNP guest that starts with OVMF, or with an SVSM below OVMF: firmware,
 * then the sections of its SEV metadata, in the order in which the VMM adds them.
 */
#ifndef VMM_LOAD_SNP_IMAGE_H
#define VMM_LOAD_SNP_IMAGE_H

#include "base/err.h"
#include "memory/image.h"

#include <stdbool.h>

struct ovmf;
struct sev_hashes;

/* What VMMs do differently with the sections. */
struct snp_image_rules {
	bool cpuid_last;         /* EC2: CPUID pages after all other sections */
	bool sec_mem_unmeasured; /* GCE: SEC_MEM is UNMEASURED, not ZERO */
};

struct snp_image_spec {
	const struct ovmf *fw;           /* with its sections read */
	bool firmware, sections; /* which of the two to append */
	const struct sev_hashes *hashes; /* NULL: no kernel is given */
	struct snp_image_rules rules;
};

/*
 * snp_image_add() - append firmware and sections; bytes are borrowed from the firmware file.
 * Return: 0, -EINVAL for firmware that cannot be launched so, -EEXIST for overlaps, -ENOMEM.
 */
int snp_image_add(struct image *image, const struct snp_image_spec *spec, struct err *e) MUST_CHECK;

struct snp_image_svsm_spec {
	const struct ovmf *fw;   /* OVMF */
	const struct ovmf *svsm; /* with its sections read */
	uint64_t vars_size; /* bytes between the SVSM and OVMF, where OVMF keeps its variables */
};

/*
 * snp_image_add_svsm() - append OVMF, the SVSM below it, and the SVSM's sections.
 * @entry: address of the SVSM's first instruction
 * Return: as snp_image_add().
 */
int snp_image_add_svsm(struct image *image, const struct snp_image_svsm_spec *spec, gpa_t *entry,
	struct err *e) MUST_CHECK;

#endif
