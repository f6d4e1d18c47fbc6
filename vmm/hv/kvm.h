/* SPDX-License-Identifier: Apache-2.0 */
/* What the KVM implementation's files share; nobody else includes this. */
#ifndef VMM_HV_KVM_H
#define VMM_HV_KVM_H

#include "vmm/hv/hv.h"
#include "vmm/hv/kvm_abi.h"

#include <pthread.h>

#define KVM_IOAPIC_PINS 24
#define KVM_MSI_ROUTES  256

/* The interrupt routing table, which KVM takes whole each time. */
struct kvm_routes {
	pthread_mutex_t lock;
	struct {
		struct kvm_irq_routing head;
		struct kvm_irq_routing_entry entries[KVM_IOAPIC_PINS + KVM_MSI_ROUTES];
	} table;
	bool used[KVM_MSI_ROUTES];
	struct kvm_irq_routing_entry msi[KVM_MSI_ROUTES];
};

struct hv {
	struct hv_desc desc;
	int vm_fd;
	int sev_fd; /* /dev/sev at level snp, else -1; KVM finds it by number until FINISH */
	uint64_t tdx_calls; /* level tdx: TDVMCALLs that this KVM lets us offer (leaf 1, R11) */
	unsigned int n_slots;
	size_t run_len; /* of a vCPU's shared page */
	struct kvm_routes routes;
};

struct hv_vcpu {
	struct hv *hv;
	int fd;
	unsigned int index;
	struct kvm_run *run;
	int stats_fd; /* -1: KVM has none */
};

/* kvm_stats_fd() - Return: a descriptor for hv_vcpu_stats(), or -errno. */
int kvm_stats_fd(int vcpu_fd);

/* kvm_irq_init() - the interrupt controllers and their first routes. Return: 0 or -errno. */
int kvm_irq_init(struct hv *hv, struct err *e);

/* kvm_snp_init() - make a new VM an SNP guest, before its first vCPU. Return: 0 or -errno. */
int kvm_snp_init(struct hv *hv, struct err *e);

/* kvm_tdx_init() - make a new VM a TD, before its first vCPU. Return: 0 or -errno. */
int kvm_tdx_init(struct hv *hv, struct err *e);

/* kvm_tdx_exit() - decode KVM_EXIT_TDX; what nobody knows keeps KVM's answer "not supported". */
void kvm_tdx_exit(struct hv_vcpu *vcpu, struct hv_exit *exit);

/* kvm_tdx_exit_fatal() - decode a TD's last words. */
void kvm_tdx_exit_fatal(const struct kvm_run *run, struct hv_exit *exit);

#endif
