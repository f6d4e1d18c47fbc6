/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The model hypervisor: KVM's ABI of confidential guests, the SNP firmware and the TDX module, in
 * user space. Test programs that link it have their system calls ioctl, open, mmap, fallocate and
 * close wrapped (--wrap): those on the model's descriptors end here, so what runs on the model is
 * the very code of vmm/hv.
 *
 * Rules carry the numbers of docs/kvm-rules.md. Each can be switched off, so that a test can show
 * that it depends on the rule, and each counts who broke it: a run of the VMM must leave all at 0.
 *
 * Private bytes live in a file that nobody maps: the monitor has no address of them. Digests come
 * from code of the model's own, which shares nothing with attestation/.
 */
#ifndef TESTS_MODEL_MODEL_H
#define TESTS_MODEL_MODEL_H

#include <linux/kvm.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MODEL_RULES   65 /* R1..R64; 0 is none */
#define MODEL_DIGEST  48
#define MODEL_POISON  0xa5
#define MODEL_NO_CALL UINT32_MAX

struct model_config {
	uint32_t vm_types;         /* 0: types 0, 1, 4 and 5 */
	unsigned int keys;         /* ASIDs and HKIDs; 0: 4 */
	bool old_errno;            /* of an overlapping binding: EINVAL, as before Linux 7.2 */
	bool no_attributes;        /* a kernel without KVM_SET_MEMORY_ATTRIBUTES */
	bool strict_policy;        /* Linux 6.12: SMT must be allowed, single socket refused */
	unsigned int run_pages;    /* most pages that one launch call takes; 0: all */
	unsigned int busy;         /* launch calls of each kind that first answer EAGAIN */
	unsigned int cpuid_nent;   /* TDX: configurable CPUID entries that are reported; 0: 6 */
	uint32_t cpuid_clear_ecx1; /* SNP firmware takes these bits out of CPUID 1 ECX */
	uint32_t fail_call;        /* number of the ioctl that fails, from 0; MODEL_NO_CALL: none */
	int fail_errno;            /* how it fails */
	uint32_t fail_fw;          /* with this code of firmware, where the call has one */
	bool off[MODEL_RULES];     /* rules that don't hold */
	/* A guest: one KVM_RUN. Fills *run. Return: 0 or -errno. NULL: the guest halts by shutdown.
	 */
	int (*guest)(void *ctx, unsigned int vcpu, struct kvm_run *run);
	void *ctx;
};

struct model_counts {
	uint32_t ioctls, runs; /* calls; of them KVM_RUN */
	uint32_t launch_calls; /* KVM_MEMORY_ENCRYPT_OP */
	unsigned int fds;      /* open descriptors of the model */
	unsigned int vms, keys_used;
	uint64_t assigned; /* pages that a guest owns now */
	uint64_t both;     /* pages resident on both sides now */
	unsigned int broken[MODEL_RULES];
};

/* model_start() - from now on /dev/kvm and /dev/sev are the model's. */
void model_start(const struct model_config *config);

/* model_stop() - back to the host's; frees all that was left open. */
void model_stop(void);

/* model_counts() - figures; `both` asks the kernel about every private page. */
void model_counts(struct model_counts *out);

/* model_broken() - Return: the first rule that was broken, 0 if none was. */
unsigned int model_broken(void);

/* model_digest() - the launch digest of the VM that finished last. Return: false if none did. */
bool model_digest(uint8_t out[MODEL_DIGEST]);

/* What a TD's report would say, as INIT_VM left it. Return: false without a TD. */
struct model_td {
	uint64_t attributes, xfam;
	uint8_t mrconfigid[48], mrowner[48], mrownerconfig[48];
	uint64_t hob; /* RCX of the vCPUs */
};
bool model_td(struct model_td *out);

/*
 * Guests' accesses, for scripted guests. Return: 0; -EFAULT with the exit in *run filled (return
 * it from the guest); -ENXIO where no slot is (MMIO).
 */
int model_guest_read(struct kvm_run *run, uint64_t gpa, bool private, void *to, size_t len);
int model_guest_write(
	struct kvm_run *run, uint64_t gpa, bool private, const void *from, size_t len);
/* model_guest_accept() - PVALIDATE or TDG.MEM.PAGE.ACCEPT of one page. */
int model_guest_accept(struct kvm_run *run, uint64_t gpa);
/* model_guest_map() - ask for a conversion by KVM_HC_MAP_GPA_RANGE. Return: 0, or -ENOSYS. */
int model_guest_map(struct kvm_run *run, uint64_t gpa, uint64_t pages, bool private);

#endif
