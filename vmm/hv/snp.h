/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The launch of an SEV-SNP guest: the image page by page to the firmware, then the vCPUs' state,
 * then the guest is its own. Calls: Linux, Documentation/virt/kvm/x86/amd-memory-encryption.rst.
 */
#ifndef VMM_HV_SNP_H
#define VMM_HV_SNP_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct hv;
struct hv_vcpu;
struct image;

#define SNP_HOST_DATA_LEN  32
#define SNP_POLICY_DEFAULT UINT64_C(0x30000) /* SMT allowed; bit 17 must be 1; no debugging */

struct snp_launch {
	const struct image *image;
	const struct hv_vcpu *first; /* its CPUID is that of the CPUID page */
	uint64_t policy;
	uint8_t host_data[SNP_HOST_DATA_LEN];
	const uint8_t *id_block; /* ID_BLOCK_LEN bytes, NULL: none */
	const uint8_t *id_auth;  /* ID_BLOCK_AUTH_LEN bytes, with the ID block */
	bool author_key;         /* id_auth holds an author key */
	bool exact_cpuid;        /* refuse a CPUID page that the firmware corrects */
};

/* What a launch took; for the report. */
struct snp_counts {
	unsigned int ioctls;      /* launch commands given to KVM */
	unsigned int runs;        /* runs of pages of one type */
	uint64_t pages;           /* of the image */
	unsigned int corrections; /* CPUID leaves that the firmware changed */
};

/*
 * hv_snp_launch() - launch: all parts of the image in their order, but VMSA pages, which KVM makes
 * of its vCPUs' state. Every vCPU has been created and put to its first state; none runs.
 * Return: 0, or -errno: the VM can only be destroyed then.
 */
int hv_snp_launch(struct hv *hv, const struct snp_launch *desc, struct snp_counts *counts,
	struct err *e) MUST_CHECK;

/*
 * hv_snp_answer_certs() - answer HV_EXIT_CERTS, before the vCPU's next run.
 * @rc: 0; -ENOSPC: the guest may ask again with room for `pages`; -EAGAIN: later; else: it failed
 */
void hv_snp_answer_certs(struct hv_vcpu *vcpu, int rc, uint64_t pages);

#endif
