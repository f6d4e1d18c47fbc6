/* SPDX-License-Identifier: Apache-2.0 */
/*
 * KVM's user ABI of SEV-SNP guests, with the sizes checked; names as in vmm/hv/kvm_abi.h. Linux,
 * Documentation/virt/kvm/x86/amd-memory-encryption.rst.
 */
#ifndef VMM_HV_SEV_ABI_H
#define VMM_HV_SEV_ABI_H

#include <stdint.h>

/* What KVM_MEMORY_ENCRYPT_OP on the VM takes. */
struct hv_sev_cmd {
	uint32_t id;
	uint32_t pad0;
	uint64_t data;
	uint32_t error; /* out: the firmware's code */
	uint32_t sev_fd;
};
_Static_assert(sizeof(struct hv_sev_cmd) == 24, "KVM_MEMORY_ENCRYPT_OP");

#define HV_SEV_INIT2                22u
#define HV_SEV_SNP_LAUNCH_START     100u
#define HV_SEV_SNP_LAUNCH_UPDATE    101u
#define HV_SEV_SNP_LAUNCH_FINISH    102u
#define HV_SEV_SNP_ENABLE_REQ_CERTS 103u

struct hv_sev_init {
	uint64_t vmsa_features;
	uint32_t flags;
	uint16_t ghcb_version;
	uint16_t pad1;
	uint32_t pad2[8];
};
_Static_assert(sizeof(struct hv_sev_init) == 48, "KVM_SEV_INIT2");

struct hv_snp_launch_start {
	uint64_t policy;
	uint8_t gosvw[16];
	uint16_t flags;
	uint8_t pad0[6];
	uint64_t pad1[4];
};
_Static_assert(sizeof(struct hv_snp_launch_start) == 64, "KVM_SEV_SNP_LAUNCH_START");

#define HV_SNP_PAGE_NORMAL     1
#define HV_SNP_PAGE_ZERO       3
#define HV_SNP_PAGE_UNMEASURED 4
#define HV_SNP_PAGE_SECRETS    5
#define HV_SNP_PAGE_CPUID      6

struct hv_snp_launch_update {
	uint64_t gfn_start;
	uint64_t uaddr;
	uint64_t len;
	uint8_t type;
	uint8_t pad0;
	uint16_t flags;
	uint32_t pad1;
	uint64_t pad2[4];
};
_Static_assert(sizeof(struct hv_snp_launch_update) == 64, "KVM_SEV_SNP_LAUNCH_UPDATE");

struct hv_snp_launch_finish {
	uint64_t id_block_uaddr;
	uint64_t id_auth_uaddr;
	uint8_t id_block_en;
	uint8_t auth_key_en;
	uint8_t vcek_disabled;
	uint8_t host_data[32];
	uint8_t pad0[3];
	uint16_t flags;
	uint64_t pad1[4];
};
_Static_assert(sizeof(struct hv_snp_launch_finish) == 88, "KVM_SEV_SNP_LAUNCH_FINISH");

#endif
