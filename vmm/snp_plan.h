/* SPDX-License-Identifier: Apache-2.0 */
/*
 * struct snp_plan: all that an SNP guest will be launched with, known before anything is created:
 * beside the launch image the vCPUs' first state, and what goes into its reports. Prediction and
 * launch read the same image.
 */
#ifndef VMM_SNP_PLAN_H
#define VMM_SNP_PLAN_H

#include "attestation/id_block.h"
#include "attestation/snp_digest.h"
#include "vmm/certs.h"
#include "vmm/hv/snp.h"
#include "vmm/launch_plan.h"
#include "vmm/load/ovmf.h"
#include "vmm/x86/entry.h"

#define SNP_FEATURES UINT64_C(1) /* SEV_FEATURES that KVM sets: SNP active */

_Static_assert(SNP_DIGEST_LEN == LAUNCH_DIGEST_LEN, "launch digest");

struct snp_plan {
	struct launch_plan common;
	struct ovmf fw;
	uint32_t signature; /* CPUID 1 EAX of the guest */
	uint8_t id_block[ID_BLOCK_LEN], id_auth[ID_BLOCK_AUTH_LEN];
	struct snp_launch launch;
	struct snp_counts counts; /* after the launch */
	struct certs certs;       /* for the guest's reports; table NULL: none */
};

/*
 * snp_plan_create() - read firmware, kernel and the rest, and predict.
 * @signature: CPUID 1 EAX of the host, used unless the config names a CPU
 * Return: 0; -errno with the flag named; -EPERM if the digest is not the one that is expected: each
 * page of it is logged then.
 */
int snp_plan_create(struct snp_plan **out, const struct vm_config *config, uint32_t signature,
	struct err *e) MUST_CHECK;

/* snp_plan_destroy() - free; NULL is allowed. */
void snp_plan_destroy(struct snp_plan *plan);

/* snp_plan_entry() - Return: how vCPU number `index` starts. */
struct x86_entry snp_plan_entry(const struct snp_plan *plan, unsigned int index);

#endif
