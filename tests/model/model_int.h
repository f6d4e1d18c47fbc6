/* SPDX-License-Identifier: Apache-2.0 */
/* What the model's files share. All state is under one lock, which KVM_RUN lets go of. */
#ifndef TESTS_MODEL_MODEL_INT_H
#define TESTS_MODEL_MODEL_INT_H

#include "tests/model/model.h"
#include "vmm/hv/kvm_abi.h"
#include "vmm/x86/cpuid.h"

#include "base/bytes.h"

#include <errno.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <string.h>

#define MODEL_FDS    64
#define MODEL_SLOTS  16
#define MODEL_VCPUS  64
#define MODEL_PAGE   4096u
#define MODEL_RUNLEN 12288

enum model_kind { MODEL_NONE, MODEL_KVM, MODEL_SEV, MODEL_VM, MODEL_VCPU, MODEL_GMEM };

enum model_state { PAGE_EMPTY, PAGE_LAUNCHED, PAGE_PENDING, PAGE_ACCEPTED };

struct model_page {
	uint32_t bytes; /* index of its bytes in the vault + 1; 0: zeros */
	uint8_t state;
};

/* Pages of a guest_memfd in chunks of 512, made as they are used. */
struct model_gmem {
	struct model_vm *vm;
	uint64_t n_pages;
	struct model_page **chunks;
	bool open;
};

struct model_slot {
	bool used;
	struct hv_memory_region2 r;
	struct model_gmem *gmem; /* NULL: none */
};

struct model_vcpu {
	unsigned int index;
	struct kvm_sregs sregs;
	struct kvm_regs regs;
	struct cpuid_table cpuid;
	struct kvm_run *run;
	bool cpuid_set, td_inited, dr7;
};

struct model_vm {
	unsigned int type;
	bool open, inited, started, finished, dead, split, irqchip, hypercalls, req_certs;
	unsigned int n_gmems_open;
	struct model_slot slots[MODEL_SLOTS];
	struct model_vcpu *vcpus[MODEL_VCPUS];
	unsigned int n_vcpus;
	uint8_t *private_bits; /* one bit per page */
	uint64_t policy, features;
	uint8_t digest[MODEL_DIGEST];
	EVP_MD_CTX *mrtd;
	struct model_td td;
	unsigned int busy_left;
};

struct model_fd {
	enum model_kind kind;
	int fd;
	struct model_vm *vm;
	struct model_vcpu *vcpu;
	struct model_gmem *gmem;
};

struct model {
	struct model_config config;
	struct model_counts counts;
	struct model_fd fds[MODEL_FDS];
	struct model_vm *vms[16];
	struct model_gmem *gmems[16];
	unsigned int n_vms, n_gmems;
	struct model_vm *last; /* that finished */
	int vault;
	uint32_t vault_pages;
	bool up;
};

/* Bits of private pages that a VM has room for: 2^42 bytes. */
#define MODEL_GFNS (UINT64_C(1) << 30)

extern struct model the_model;
extern pthread_mutex_t model_lock;

/* model_broke() - count a broken rule. Return: false if the rule is off. */
bool model_broke(unsigned int rule);

/* REFUSE - the rule's check, in functions that return -errno */
#define REFUSE(rule, cond, error)                                                                  \
	do {                                                                                       \
		if ((cond) && model_broke(rule))                                                   \
			return -(error);                                                           \
	} while (0)

struct model_fd *model_find(int fd);
struct model_fd *model_open_fd(enum model_kind kind, struct model_vm *vm, size_t len);

long model_vm_ioctl(struct model_fd *f, unsigned long request, void *arg);
long model_vcpu_ioctl(struct model_fd *f, unsigned long request, void *arg);
long model_kvm_ioctl(unsigned long request, void *arg);

/* Memory: model_mem.c */
long model_set_region(struct model_vm *vm, const struct hv_memory_region2 *r);
long model_set_attributes(struct model_vm *vm, const struct hv_memory_attributes *a);
long model_create_gmem(struct model_vm *vm, const struct hv_create_guest_memfd *c);
int model_fallocate(struct model_gmem *g, int mode, int64_t offset, int64_t len);
void model_gmem_free(struct model_gmem *g);
struct model_slot *model_slot_of(struct model_vm *vm, uint64_t gpa);
bool model_is_private(const struct model_vm *vm, uint64_t gfn);
struct model_page *model_page_of(struct model_gmem *g, uint64_t page, bool make);
int model_page_write(struct model_page *p, size_t at, const void *from, size_t len);
void model_page_read(const struct model_page *p, size_t at, void *to, size_t len);
void model_page_drop(struct model_page *p);
/* model_launch_page() - the private page of a gfn that can take a launch page. Return: 0, -errno */
struct model_page *model_launch_page(struct model_vm *vm, uint64_t gfn);

/* Copies from and to the caller's memory, as the kernel does them. Return: false for EFAULT. */
bool model_copy_in(uint64_t addr, void *to, size_t len);
bool model_copy_out(uint64_t addr, const void *from, size_t len);

long model_sev_op(struct model_vm *vm, void *arg);
long model_tdx_vm_op(struct model_vm *vm, void *arg);
long model_tdx_vcpu_op(struct model_fd *f, void *arg);

/* Supported CPUID of the model's CPU. */
void model_cpuid(struct kvm_cpuid2 *out, const struct kvm_cpuid_entry2 **entries, unsigned int *n);

#endif
