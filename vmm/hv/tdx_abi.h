/* SPDX-License-Identifier: Apache-2.0 */
/*
 * KVM's user ABI of TDX guests (Linux 6.16), with sizes and offsets checked; names as in
 * vmm/hv/kvm_abi.h. Linux, Documentation/virt/kvm/x86/intel-tdx.rst.
 */
#ifndef VMM_HV_TDX_ABI_H
#define VMM_HV_TDX_ABI_H

#include <linux/kvm.h>
#include <stddef.h>
#include <stdint.h>

#define HV_CAP_X86_APIC_BUS_CYCLES_NS 237

#define HV_EXIT_REASON_TDX        40
#define HV_SYSTEM_EVENT_TDX_FATAL 7

/* What KVM_MEMORY_ENCRYPT_OP takes, on the VM or a vCPU. */
struct hv_tdx_cmd {
	uint32_t id;
	uint32_t flags;
	uint64_t data;
	uint64_t hw_error; /* in: 0; out: the TDX module's status */
};
_Static_assert(sizeof(struct hv_tdx_cmd) == 24, "kvm_tdx_cmd");

#define HV_TDX_CAPABILITIES    0u
#define HV_TDX_INIT_VM         1u
#define HV_TDX_INIT_VCPU       2u
#define HV_TDX_INIT_MEM_REGION 3u
#define HV_TDX_FINALIZE_VM     4u

#define HV_TDX_MEASURE_MEMORY_REGION 1u /* flag of INIT_MEM_REGION */

#define HV_TDX_CPUID_MAX 256u

struct hv_tdx_capabilities {
	uint64_t supported_attrs;
	uint64_t supported_xfam;
	uint64_t kernel_tdvmcallinfo_1_r11;
	uint64_t user_tdvmcallinfo_1_r11;
	uint64_t kernel_tdvmcallinfo_1_r12;
	uint64_t user_tdvmcallinfo_1_r12;
	uint64_t reserved[250];
	uint32_t nent, padding; /* struct kvm_cpuid2 */
	struct kvm_cpuid_entry2 entries[HV_TDX_CPUID_MAX];
};
_Static_assert(offsetof(struct hv_tdx_capabilities, nent) == 2048, "kvm_tdx_capabilities");
_Static_assert(offsetof(struct hv_tdx_capabilities, entries) == 2056, "kvm_tdx_capabilities");

struct hv_tdx_init_vm {
	uint64_t attributes;
	uint64_t xfam;
	uint8_t mrconfigid[48];
	uint8_t mrowner[48];
	uint8_t mrownerconfig[48];
	uint64_t reserved[12];
	uint32_t nent, padding; /* struct kvm_cpuid2 */
	struct kvm_cpuid_entry2 entries[HV_TDX_CPUID_MAX];
};
_Static_assert(offsetof(struct hv_tdx_init_vm, mrowner) == 64, "kvm_tdx_init_vm");
_Static_assert(offsetof(struct hv_tdx_init_vm, mrownerconfig) == 112, "kvm_tdx_init_vm");
_Static_assert(offsetof(struct hv_tdx_init_vm, nent) == 256, "kvm_tdx_init_vm");
_Static_assert(sizeof(struct kvm_cpuid_entry2) == 40, "kvm_cpuid_entry2");

struct hv_tdx_init_mem_region {
	uint64_t source_addr;
	uint64_t gpa;
	uint64_t nr_pages;
};
_Static_assert(sizeof(struct hv_tdx_init_mem_region) == 24, "kvm_tdx_init_mem_region");

#define HV_TDVMCALL_GET_INFO     UINT64_C(0x10000)
#define HV_TDVMCALL_GET_QUOTE    UINT64_C(0x10002)
#define HV_TDVMCALL_SETUP_NOTIFY UINT64_C(0x10004)

#define HV_TDVMCALL_INFO_NOTIFY (UINT64_C(1) << 1) /* GET_INFO, leaf 1, R11 */

#define HV_TDVMCALL_SUCCESS         UINT64_C(0)
#define HV_TDVMCALL_RETRY           UINT64_C(1)
#define HV_TDVMCALL_INVALID_OPERAND UINT64_C(0x8000000000000000)
#define HV_TDVMCALL_ALIGN_ERROR     UINT64_C(0x8000000000000002)
#define HV_TDVMCALL_UNSUPPORTED     UINT64_C(0x8000000000000003)

/* The exit union for KVM_EXIT_TDX. */
struct hv_tdx_exit {
	uint64_t flags;
	uint64_t nr;
	uint64_t ret;
	union {
		struct {
			uint64_t gpa, size;
		} quote;
		struct {
			uint64_t leaf, r11, r12, r13, r14;
		} info;
		uint64_t vector;
	};
};
_Static_assert(sizeof(struct hv_tdx_exit) == 64, "exit union of KVM_EXIT_TDX");

#endif
