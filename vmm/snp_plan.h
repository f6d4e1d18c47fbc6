/* SPDX-License-Identifier: Apache-2.0 */
/*
 * struct snp_plan: all that an SNP guest will be launched with, known before anything is created:
 * the launch image, the vCPUs' first state, what goes into its reports, and the digest that all
 * this will have. Prediction and launch read the same image.
 */
#ifndef VMM_SNP_PLAN_H
#define VMM_SNP_PLAN_H

#include "attestation/id_block.h"
#include "attestation/snp_digest.h"
#include "base/file_map.h"
#include "vmm/certs.h"
#include "vmm/hv/snp.h"
#include "vmm/load/ovmf.h"
#include "vmm/x86/entry.h"

#define SNP_FEATURES UINT64_C(1) /* SEV_FEATURES that KVM sets: SNP active */

struct hv_vcpu;
struct layout;
struct vm_config;

struct snp_plan {
	struct file_map firmware;
	struct ovmf fw;
	struct image image;
	unsigned int n_vcpus;
	uint32_t signature; /* CPUID 1 EAX of the guest */
	uint8_t digest[SNP_DIGEST_LEN];
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

/* snp_plan_rom() - Return: bytes below 4 GiB that the firmware takes. */
uint64_t snp_plan_rom(const struct snp_plan *plan);

/* snp_plan_check() - does the image fit into this RAM? Return: 0 or -EINVAL. */
int snp_plan_check(
	const struct snp_plan *plan, const struct layout *layout, struct err *e) MUST_CHECK;

/* snp_plan_entry() - Return: how vCPU number `index` starts. */
struct x86_entry snp_plan_entry(const struct snp_plan *plan, unsigned int index);

#endif
