/* SPDX-License-Identifier: Apache-2.0 */
/*
 * KVM's user ABI that is younger than a distribution's <linux/kvm.h>: our own definitions, with
 * the sizes checked. Names carry an hv_ or HV_ prefix so that newer system headers don't clash.
 */
#ifndef VMM_HV_KVM_ABI_H
#define VMM_HV_KVM_ABI_H

#include <linux/kvm.h>
#include <stdint.h>

#define HV_CAP_USER_MEMORY2      231
#define HV_CAP_MEMORY_FAULT_INFO 232
#define HV_CAP_MEMORY_ATTRIBUTES 233
#define HV_CAP_GUEST_MEMFD       234
#define HV_CAP_VM_TYPES          235
#define HV_CAP_PRE_FAULT_MEMORY  236
#define HV_CAP_GUEST_MEMFD_FLAGS 244

#define HV_EXIT_REASON_MEMORY_FAULT  39
#define HV_EXIT_REASON_SNP_REQ_CERTS 43
#define HV_SYSTEM_EVENT_SEV_TERM     6
#define HV_HC_MAP_GPA_RANGE          12
#define HV_HC_MAP_ENCRYPTED          (UINT64_C(1) << 4) /* args[2] */

#define HV_MEM_GUEST_MEMFD          4u
#define HV_MEMORY_ATTRIBUTE_PRIVATE (UINT64_C(1) << 3)
#define HV_MEMORY_EXIT_PRIVATE      (UINT64_C(1) << 3)

#define HV_GUEST_MEMFD_MMAP        1u
#define HV_GUEST_MEMFD_INIT_SHARED 2u

#define HV_VM_DEFAULT      0u
#define HV_VM_SW_PROTECTED 1u
#define HV_VM_SNP          4u
#define HV_VM_TDX          5u

struct hv_create_guest_memfd {
	uint64_t size;
	uint64_t flags;
	uint64_t reserved[6];
};
_Static_assert(sizeof(struct hv_create_guest_memfd) == 64, "KVM_CREATE_GUEST_MEMFD");

struct hv_memory_region2 {
	uint32_t slot;
	uint32_t flags;
	uint64_t guest_phys_addr;
	uint64_t memory_size;
	uint64_t userspace_addr;
	uint64_t guest_memfd_offset;
	uint32_t guest_memfd;
	uint32_t pad1;
	uint64_t pad2[14];
};
_Static_assert(sizeof(struct hv_memory_region2) == 160, "KVM_SET_USER_MEMORY_REGION2");

struct hv_memory_attributes {
	uint64_t address;
	uint64_t size;
	uint64_t attributes;
	uint64_t flags;
};
_Static_assert(sizeof(struct hv_memory_attributes) == 32, "KVM_SET_MEMORY_ATTRIBUTES");

struct hv_pre_fault {
	uint64_t gpa; /* in and out: moved past what was done */
	uint64_t size;
	uint64_t flags;
	uint64_t padding[5];
};
_Static_assert(sizeof(struct hv_pre_fault) == 64, "KVM_PRE_FAULT_MEMORY");

/* The exit union of struct kvm_run for KVM_EXIT_MEMORY_FAULT; at the same place as run->io. */
struct hv_memory_fault {
	uint64_t flags;
	uint64_t gpa;
	uint64_t size;
};

/* The exit union for KVM_EXIT_SNP_REQ_CERTS. */
struct hv_req_certs {
	uint64_t gpa;
	uint64_t npages;
	uint64_t ret;
};

#define HV_CREATE_GUEST_MEMFD      _IOWR(KVMIO, 0xd4, struct hv_create_guest_memfd)
#define HV_SET_USER_MEMORY_REGION2 _IOW(KVMIO, 0x49, struct hv_memory_region2)
#define HV_SET_MEMORY_ATTRIBUTES   _IOW(KVMIO, 0xd2, struct hv_memory_attributes)
#define HV_PRE_FAULT_MEMORY        _IOWR(KVMIO, 0xd5, struct hv_pre_fault)

#endif
