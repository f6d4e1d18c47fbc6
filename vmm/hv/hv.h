/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hypervisor: one VM and its vCPUs, on KVM, whose ioctls kvm*.c alone issues.
 *
 * Threads: struct hv may be used from any thread after hv_create(); a vCPU belongs to one thread
 * from its first hv_vcpu_run() on, except for hv_vcpu_kick().
 */
#ifndef VMM_HV_HV_H
#define VMM_HV_HV_H

#include "memory/gpa.h"
#include "vmm/hv/exit.h"
#include "vmm/hv/vm_type.h"
#include "vmm/x86/entry.h"

struct hv;
struct hv_stat_sink;
struct hv_vcpu;
struct ram_slot;

struct hv_desc {
	const struct vm_type *type;
	const struct hv_host *host; /* must outlive the VM */
	unsigned int n_vcpus;
	unsigned int cbit;  /* bit number; 0 at level off */
	uint32_t signature; /* what the guest's CPUID 1 EAX says; 0: as the host's */
	const struct tdx_identity *tdx; /* level tdx: who it is; read by hv_create() alone */
	bool xcr0_preset;   /* lab: give vCPUs all of XCR0 at reset, see --xcr0-preset */
	bool req_certs;     /* level snp: ask for certificates, HV_EXIT_CERTS */
};

/* hv_create() - a VM with its interrupt controllers, no memory, no vCPU. Return: 0 or -errno. */
int hv_create(struct hv **out, const struct hv_desc *desc, struct err *e) MUST_CHECK;

/* hv_destroy() - close the VM; NULL is allowed. vCPUs must be gone. */
void hv_destroy(struct hv *hv);

/*
 * hv_guest_memfd() - a guest_memfd of size bytes for this VM, close-on-exec.
 * @mappable: mappable and initially shared, else inaccessible to every process
 * Return: the descriptor, or -errno; -EOPNOTSUPP, without a message, if KVM has no such thing.
 */
int hv_guest_memfd(struct hv *hv, uint64_t size, bool mappable, struct err *e) MUST_CHECK;

/* hv_add_slots() - map memory; slot numbers follow the order. Return: 0 or -errno. */
int hv_add_slots(
	struct hv *hv, const struct ram_slot *slots, unsigned int n, struct err *e) MUST_CHECK;

/* hv_set_private() - the set_private slot of struct convert_ops; ctx is a struct hv. */
int hv_set_private(void *ctx, gpa_t gpa, uint64_t len, bool private);

/* Interrupts. gsi 0..23 are IOAPIC pins; routes above them are MSIs. Any thread. */
int hv_irq_line(struct hv *hv, unsigned int gsi, bool level);
/* hv_msi_alloc() - Return: a free gsi for MSIs, or -ENOSPC. */
int hv_msi_alloc(struct hv *hv);
void hv_msi_free(struct hv *hv, unsigned int gsi);
/* hv_msi_set() - aim an allocated gsi at an MSI address and data. Return: 0 or -errno. */
int hv_msi_set(struct hv *hv, unsigned int gsi, uint64_t addr, uint32_t data);
int hv_irqfd(struct hv *hv, unsigned int gsi, int eventfd, bool assign);
/* hv_msi_send() - send one MSI now, without a route. Return: 0 or -errno. */
int hv_msi_send(struct hv *hv, uint64_t addr, uint32_t data);
/* hv_nmi() - raise a non-maskable interrupt on a vCPU. Return: 0 or -errno. */
int hv_nmi(struct hv *hv, unsigned int vcpu);
/* hv_ioeventfd() - a write of len bytes (0: any) at an MMIO address signals eventfd. */
int hv_ioeventfd(struct hv *hv, uint64_t addr, unsigned int len, int eventfd, bool assign);

/* hv_vcpu_create() - vCPU `index` in its reset state, also while others run. Return: 0 or -errno. */
int hv_vcpu_create(
	struct hv_vcpu **out, struct hv *hv, unsigned int index, struct err *e) MUST_CHECK;

/* hv_vcpu_destroy() - close it; its thread must be gone. NULL is allowed. */
void hv_vcpu_destroy(struct hv_vcpu *vcpu);

/* hv_vcpu_enter() - put the first vCPU to the loader's entry state. Return: 0 or -errno. */
int hv_vcpu_enter(struct hv_vcpu *vcpu, const struct x86_entry *entry, struct err *e) MUST_CHECK;

/* hv_vcpu_stats() - tell all that KVM counts of a vCPU (vmm/hv/stat.h). The main thread. */
void hv_vcpu_stats(const struct hv_vcpu *vcpu, const struct hv_stat_sink *sink);

/* hv_vcpu_run() - run guest code until something has to be done; *exit is valid until the next. */
void hv_vcpu_run(struct hv_vcpu *vcpu, struct hv_exit *exit);

/* hv_vcpu_answer() - result of an explicit HV_EXIT_CONVERT, 0 or -errno, before the next run. */
void hv_vcpu_answer(struct hv_vcpu *vcpu, int rc);

/*
 * hv_vcpu_prefault() - map guest memory before the guest touches it, as far as KVM likes to; what
 * is left, the guest's accesses bring. On the vCPU's thread, or before it runs. Return: bytes done
 * from gpa on, 0 if KVM can't.
 */
uint64_t hv_vcpu_prefault(struct hv_vcpu *vcpu, gpa_t gpa, uint64_t len);

/*
 * hv_vcpu_kick() - make hv_vcpu_run() return HV_EXIT_STOPPED until hv_vcpu_unkick(), which only a
 * stopped vCPU may get. The caller signals its thread, whose handler does nothing. Any thread.
 */
void hv_vcpu_kick(struct hv_vcpu *vcpu);
void hv_vcpu_unkick(struct hv_vcpu *vcpu);

#endif
