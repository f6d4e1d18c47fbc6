/* SPDX-License-Identifier: Apache-2.0 */
/*
 * struct hv_host: what this host's KVM and CPU offer. Probed once, before anything is created;
 * `cloister check` prints it and the choice of the level is made from it.
 */
#ifndef VMM_HV_HOST_H
#define VMM_HV_HOST_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct hv_host {
	int kvm_fd; /* -1: no KVM; `why` says why */
	char why[128];
	int api_version;
	bool hardware; /* SVM or VMX in the CPU; without, KVM emulates privileged guest code */
	bool irqchip, user_memory2, memory_fault, msr_filter, map_gpa_exit, tsc_deadline;
	uint32_t guest_memfd_flags; /* HV_GUEST_MEMFD_*, 0: none for ordinary VMs */
	bool guest_memfd;           /* for VMs with private memory */
	bool pre_fault;             /* KVM_PRE_FAULT_MEMORY */
	uint64_t memory_attributes;
	uint32_t vm_types; /* bit mask by VM type number */
	unsigned int max_vcpus;
	unsigned int phys_bits; /* of guest physical addresses that memory slots may use */
	uint32_t signature;     /* CPUID 1 EAX as KVM offers it to guests */
	bool sev_dev;           /* /dev/sev is there */
};

/*
 * hv_host_probe() - fill *host; a host without KVM is not an error, kvm_fd is -1 then.
 * The caller gives it back to hv_host_close().
 */
void hv_host_probe(struct hv_host *host);

void hv_host_close(struct hv_host *host);

#endif
