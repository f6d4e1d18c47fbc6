/* SPDX-License-Identifier: Apache-2.0 */
/* The model's objects and its calls on /dev/kvm, VMs and vCPUs; see tests/model/model.h. */
#include "tests/model/model_int.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

struct model the_model = {.vault = -1};
pthread_mutex_t model_lock = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;

bool model_broke(unsigned int rule)
{
	if (the_model.config.off[rule])
		return false;
	the_model.counts.broken[rule]++;
	return true;
}

struct model_fd *model_find(int fd)
{
	for (size_t i = 0; i < MODEL_FDS; i++)
		if (the_model.fds[i].kind && the_model.fds[i].fd == fd)
			return &the_model.fds[i];
	return NULL;
}

/* A guest_memfd comes without FD_CLOEXEC, as KVM gives it. */
struct model_fd *model_open_fd(enum model_kind kind, struct model_vm *vm, size_t len)
{
	for (size_t i = 0; i < MODEL_FDS; i++) {
		struct model_fd *f = &the_model.fds[i];

		if (f->kind)
			continue;
		f->fd = memfd_create("model", kind == MODEL_GMEM ? 0 : MFD_CLOEXEC);
		if (f->fd < 0 || (len && ftruncate(f->fd, (off_t)len)))
			return NULL;
		f->kind = kind;
		f->vm = vm;
		f->vcpu = NULL;
		f->gmem = NULL;
		the_model.counts.fds++;
		return f;
	}
	return NULL;
}

void model_start(const struct model_config *config)
{
	model_stop();
	the_model.config = *config;
	if (!the_model.config.vm_types)
		the_model.config.vm_types = 0x33;
	if (!the_model.config.keys)
		the_model.config.keys = 4;
	the_model.vault = memfd_create("vault", MFD_CLOEXEC);
	the_model.up = true;
}

static void vm_free(struct model_vm *vm)
{
	for (unsigned int i = 0; i < vm->n_vcpus; i++) {
		munmap(vm->vcpus[i]->run, MODEL_RUNLEN);
		free(vm->vcpus[i]);
	}
	munmap(vm->private_bits, MODEL_GFNS / 8);
	EVP_MD_CTX_free(vm->mrtd);
	free(vm);
}

void model_stop(void)
{
	struct model *m = &the_model;

	for (size_t i = 0; i < MODEL_FDS; i++)
		if (m->fds[i].kind)
			close(m->fds[i].fd);
	for (unsigned int i = 0; i < m->n_vms; i++)
		vm_free(m->vms[i]);
	if (m->vault >= 0)
		close(m->vault);
	for (unsigned int i = 0; i < m->n_gmems; i++)
		free(m->gmems[i]);
	*m = (struct model){.vault = -1};
}

unsigned int model_broken(void)
{
	for (unsigned int i = 1; i < MODEL_RULES; i++)
		if (the_model.counts.broken[i])
			return i;
	return 0;
}

bool model_digest(uint8_t out[MODEL_DIGEST])
{
	if (the_model.last)
		memcpy(out, the_model.last->digest, MODEL_DIGEST);
	return the_model.last != NULL;
}

bool model_td(struct model_td *out)
{
	if (the_model.last)
		*out = the_model.last->td;
	return the_model.last && the_model.last->type == HV_VM_TDX;
}

static unsigned int keys_used(void)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < the_model.n_vms; i++)
		n += the_model.vms[i]->inited &&
			(the_model.vms[i]->open || the_model.vms[i]->n_gmems_open);
	return n;
}

/* gmem_count() - a guest's pages, and those whose shared side is resident, too */
static void gmem_count(const struct model_gmem *g, struct model_counts *out)
{
	for (uint64_t i = 0; g->chunks && i < g->n_pages; i++) {
		const struct model_page *p = g->chunks[i >> 9] ? &g->chunks[i >> 9][i & 511] : NULL;

		if (!p) {
			i |= 511;
			continue;
		}
		out->assigned += p->state != PAGE_EMPTY;
		for (unsigned int s = 0; (p->state || p->bytes) && s < MODEL_SLOTS; s++) {
			const struct model_slot *slot = &g->vm->slots[s];
			uint64_t at = i * MODEL_PAGE - slot->r.guest_memfd_offset;
			unsigned char in = 0;

			if (slot->gmem == g && at < slot->r.memory_size && slot->r.userspace_addr &&
				!mincore((void *)(slot->r.userspace_addr + at), MODEL_PAGE, &in))
				out->both += in & 1;
		}
	}
}

void model_counts(struct model_counts *out)
{
	pthread_mutex_lock(&model_lock);
	*out = the_model.counts;
	out->keys_used = keys_used();
	out->assigned = out->both = 0;
	for (unsigned int i = 0; i < the_model.n_vms; i++)
		out->vms += the_model.vms[i]->open || the_model.vms[i]->n_gmems_open;
	for (unsigned int i = 0; i < the_model.n_gmems; i++)
		gmem_count(the_model.gmems[i], out);
	pthread_mutex_unlock(&model_lock);
}

/* An EPYC of family 0x17 with what Linux needs of it. */
static const struct kvm_cpuid_entry2 cpu[] = {
	{.function = 0, .eax = 0xd, .ebx = 0x68747541, .ecx = 0x444d4163, .edx = 0x69746e65},
	{.function = 1, .eax = 0x800f12, .ebx = 0x800, .ecx = 0xc2202001, .edx = 0x178bfbff},
	{.function = 7, .flags = KVM_CPUID_FLAG_SIGNIFCANT_INDEX, .ebx = 0x209c01a9},
	{.function = 0xd,
		.flags = KVM_CPUID_FLAG_SIGNIFCANT_INDEX,
		.eax = 7,
		.ebx = 0x340,
		.ecx = 0x340},
	{.function = 0x80000000, .eax = 0x80000021},
	{.function = 0x80000001, .eax = 0x800f12, .edx = 0x2fd3fbff},
	{.function = 0x80000008, .eax = 0x3030},
};

void model_cpuid(struct kvm_cpuid2 *out, const struct kvm_cpuid_entry2 **entries, unsigned int *n)
{
	*entries = cpu;
	*n = sizeof(cpu) / sizeof(cpu[0]);
	if (!out)
		return;
	out->nent = *n;
	memcpy(out->entries, cpu, sizeof(cpu));
}

static long kvm_cap(unsigned long cap)
{
	switch (cap) {
	case KVM_CAP_IRQCHIP:
	case KVM_CAP_SPLIT_IRQCHIP:
	case HV_CAP_USER_MEMORY2:
	case HV_CAP_MEMORY_FAULT_INFO:
	case HV_CAP_GUEST_MEMFD:
	case KVM_CAP_X86_MSR_FILTER:
	case KVM_CAP_TSC_DEADLINE_TIMER:
		return 1;
	case KVM_CAP_X86_USER_SPACE_MSR:
		return 7;
	case HV_CAP_MEMORY_ATTRIBUTES:
		return the_model.config.no_attributes ? 0 : (long)HV_MEMORY_ATTRIBUTE_PRIVATE;
	case KVM_CAP_EXIT_HYPERCALL:
		return 1 << HV_HC_MAP_GPA_RANGE;
	case HV_CAP_GUEST_MEMFD_FLAGS:
		return 3;
	case HV_CAP_VM_TYPES:
		return (long)the_model.config.vm_types;
	case KVM_CAP_MAX_VCPUS:
		return MODEL_VCPUS;
	default:
		return 0;
	}
}

static long kvm_create_vm(unsigned long type)
{
	struct model_vm *vm;
	struct model_fd *f;

	REFUSE(1, type > 31 || !(the_model.config.vm_types >> type & 1), EINVAL);
	if (the_model.n_vms == sizeof(the_model.vms) / sizeof(the_model.vms[0]))
		return -ENOMEM;
	vm = calloc(1, sizeof(*vm));
	f = vm ? model_open_fd(MODEL_VM, vm, 0) : NULL;
	if (!f) {
		free(vm);
		return -EMFILE;
	}
	vm->type = (unsigned int)type;
	vm->open = true;
	vm->busy_left = the_model.config.busy;
	vm->private_bits = mmap(NULL, MODEL_GFNS / 8, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	the_model.vms[the_model.n_vms++] = vm;
	return f->fd;
}

long model_kvm_ioctl(unsigned long request, void *arg)
{
	const struct kvm_cpuid_entry2 *entries;
	unsigned int n;

	switch (request) {
	case KVM_GET_API_VERSION:
		return KVM_API_VERSION;
	case KVM_CHECK_EXTENSION:
		return kvm_cap((unsigned long)arg);
	case KVM_GET_VCPU_MMAP_SIZE:
		return MODEL_RUNLEN;
	case KVM_CREATE_VM:
		return kvm_create_vm((unsigned long)arg);
	case KVM_GET_SUPPORTED_CPUID:
		model_cpuid(arg, &entries, &n);
		return 0;
	default:
		return -ENOTTY;
	}
}

/* vcpu_reset() - the state that KVM itself gives a new vCPU, which is not the measured one */
static void vcpu_reset(struct model_vcpu *v)
{
	struct kvm_segment data = {.limit = 0xffff, .type = 2, .present = 1, .s = 1};
	struct kvm_sregs *s = &v->sregs;

	s->ds = s->es = s->fs = s->gs = s->ss = data;
	s->cs = data;
	s->cs.selector = 0xf000;
	s->cs.base = 0xffff0000;
	s->cs.type = 0xa;
	s->ldt = (struct kvm_segment){.limit = 0xffff, .type = 2, .present = 1};
	s->tr = (struct kvm_segment){.limit = 0xffff, .type = 3, .present = 1};
	s->gdt.limit = s->idt.limit = 0xffff;
	s->cr0 = 0x60000010;
	v->regs = (struct kvm_regs){.rip = 0xfff0, .rdx = 0x600, .rflags = 2};
}

static long vm_create_vcpu(struct model_vm *vm, unsigned long index)
{
	bool encrypted = vm->type == HV_VM_SNP || vm->type == HV_VM_TDX;
	struct model_vcpu *v;
	struct model_fd *f;

	REFUSE(20, vm->type == HV_VM_SNP && (!vm->inited || vm->finished), EINVAL);
	REFUSE(41, vm->type == HV_VM_TDX && !vm->inited, EIO);
	REFUSE(60, vm->type == HV_VM_TDX && !vm->split, EINVAL);
	REFUSE(60, vm->type == HV_VM_SNP && !vm->split && !vm->irqchip, EINVAL);
	if (index >= MODEL_VCPUS || vm->n_vcpus == MODEL_VCPUS || (encrypted && !vm->open))
		return -EINVAL;
	v = calloc(1, sizeof(*v));
	f = v ? model_open_fd(MODEL_VCPU, vm, MODEL_RUNLEN) : NULL;
	if (!f) {
		free(v);
		return -EMFILE;
	}
	v->index = (unsigned int)index;
	v->run = mmap(NULL, MODEL_RUNLEN, PROT_READ | PROT_WRITE, MAP_SHARED, f->fd, 0);
	vcpu_reset(v);
	vm->vcpus[vm->n_vcpus++] = f->vcpu = v;
	return f->fd;
}

static long vm_enable_cap(struct model_vm *vm, const struct kvm_enable_cap *c)
{
	switch (c->cap) {
	case KVM_CAP_EXIT_HYPERCALL:
		REFUSE(12, c->args[0] & ~(UINT64_C(1) << HV_HC_MAP_GPA_RANGE), EINVAL);
		vm->hypercalls = c->args[0] != 0;
		return 0;
	case KVM_CAP_SPLIT_IRQCHIP:
		REFUSE(60, vm->irqchip || vm->n_vcpus, EEXIST);
		vm->split = true;
		return 0;
	case KVM_CAP_X86_USER_SPACE_MSR:
		return 0;
	default:
		return vm->type == HV_VM_TDX && c->cap == 237 ? 0 : -EINVAL;
	}
}

static long vm_create_irqchip(struct model_vm *vm)
{
	REFUSE(60, vm->type == HV_VM_TDX || vm->split || vm->n_vcpus, EINVAL);
	vm->irqchip = true;
	return 0;
}

static long vm_old_region(struct model_vm *vm, const struct kvm_userspace_memory_region *r)
{
	struct hv_memory_region2 new = {.slot = r->slot,
		.flags = r->flags,
		.guest_phys_addr = r->guest_phys_addr,
		.memory_size = r->memory_size,
		.userspace_addr = r->userspace_addr};

	REFUSE(5, r->flags & HV_MEM_GUEST_MEMFD, EINVAL);
	return model_set_region(vm, &new);
}

long model_vm_ioctl(struct model_fd *f, unsigned long request, void *arg)
{
	struct model_vm *vm = f->vm;

	switch (request) {
	case KVM_CREATE_VCPU:
		return vm_create_vcpu(vm, (unsigned long)arg);
	case KVM_ENABLE_CAP:
		return vm_enable_cap(vm, arg);
	case KVM_CREATE_IRQCHIP:
		return vm_create_irqchip(vm);
	case KVM_CHECK_EXTENSION:
		return kvm_cap((unsigned long)arg);
	case KVM_SET_USER_MEMORY_REGION:
		return vm_old_region(vm, arg);
	case HV_SET_USER_MEMORY_REGION2:
		return model_set_region(vm, arg);
	case HV_SET_MEMORY_ATTRIBUTES:
		return model_set_attributes(vm, arg);
	case HV_CREATE_GUEST_MEMFD:
		return model_create_gmem(vm, arg);
	case KVM_MEMORY_ENCRYPT_OP:
		the_model.counts.launch_calls++;
		if (vm->type == HV_VM_SNP)
			return model_sev_op(vm, arg);
		return vm->type == HV_VM_TDX ? model_tdx_vm_op(vm, arg) : -ENOTTY;
	case KVM_SET_IDENTITY_MAP_ADDR:
	case KVM_SET_TSS_ADDR:
	case KVM_SET_GSI_ROUTING:
	case KVM_X86_SET_MSR_FILTER:
	case KVM_IRQ_LINE:
	case KVM_IRQFD:
	case KVM_IOEVENTFD:
	case KVM_SIGNAL_MSI:
	case KVM_SET_TSC_KHZ:
		return 0;
	default:
		return -ENOTTY;
	}
}

/* vcpu_run() - a guest's turn, without the lock */
static long vcpu_run(struct model_fd *f)
{
	const struct model_config *c = &the_model.config;
	struct model_vm *vm = f->vm;
	struct model_vcpu *v = f->vcpu;
	long rc;

	REFUSE(31, vm->type == HV_VM_SNP && !vm->finished, EINVAL);
	REFUSE(43, vm->type == HV_VM_TDX && (!vm->finished || !v->td_inited), EINVAL);
	REFUSE(50, vm->dead, EIO);
	REFUSE(12,
		vm->type && v->run->exit_reason == KVM_EXIT_HYPERCALL &&
			v->run->hypercall.ret != 0 && v->run->hypercall.ret != EINVAL &&
			v->run->hypercall.ret != EAGAIN,
		EINVAL);
	the_model.counts.runs++;
	if (v->run->immediate_exit)
		return -EINTR;
	v->run->exit_reason = KVM_EXIT_SHUTDOWN;
	if (!c->guest)
		return 0;
	pthread_mutex_unlock(&model_lock);
	rc = c->guest(c->ctx, v->index, v->run);
	pthread_mutex_lock(&model_lock);
	if (!rc && v->run->exit_reason == KVM_EXIT_SYSTEM_EVENT)
		vm->dead = true;
	return rc;
}

static long vcpu_set_cpuid(struct model_vcpu *v, const struct kvm_cpuid2 *t)
{
	if (t->nent > CPUID_MAX_ENTRIES)
		return -E2BIG;
	v->cpuid.head = *t;
	memcpy(v->cpuid.entries, t->entries, t->nent * sizeof(t->entries[0]));
	v->cpuid_set = true;
	return 0;
}

static long vcpu_get_cpuid(const struct model_vcpu *v, struct kvm_cpuid2 *t)
{
	if (t->nent < v->cpuid.head.nent)
		return -E2BIG;
	t->nent = v->cpuid.head.nent;
	memcpy(t->entries, v->cpuid.entries, t->nent * sizeof(t->entries[0]));
	return 0;
}

/* vcpu_registers() - those of a guest with encrypted state are nobody's after the launch */
static long vcpu_registers(struct model_fd *f, unsigned long request, void *arg)
{
	struct model_vcpu *v = f->vcpu;

	REFUSE(31, f->vm->type == HV_VM_SNP && f->vm->finished, EINVAL);
	REFUSE(43, f->vm->type == HV_VM_TDX, EINVAL);
	if (request == KVM_GET_SREGS)
		memcpy(arg, &v->sregs, sizeof(v->sregs));
	else if (request == KVM_SET_SREGS)
		memcpy(&v->sregs, arg, sizeof(v->sregs));
	else if (request == KVM_GET_REGS)
		memcpy(arg, &v->regs, sizeof(v->regs));
	else if (request == KVM_SET_REGS)
		memcpy(&v->regs, arg, sizeof(v->regs));
	return 0;
}

long model_vcpu_ioctl(struct model_fd *f, unsigned long request, void *arg)
{
	switch (request) {
	case KVM_RUN:
		return vcpu_run(f);
	case KVM_SET_CPUID2:
		return vcpu_set_cpuid(f->vcpu, arg);
	case KVM_GET_CPUID2:
		return vcpu_get_cpuid(f->vcpu, arg);
	case KVM_GET_SREGS:
	case KVM_SET_SREGS:
	case KVM_GET_REGS:
	case KVM_SET_REGS:
		return vcpu_registers(f, request, arg);
	case KVM_SET_MSRS:
		return 1;
	case KVM_SET_XCRS:
		return 0;
	case KVM_SET_GUEST_DEBUG:
		f->vcpu->dr7 = true;
		return 0;
	case KVM_MEMORY_ENCRYPT_OP:
		the_model.counts.launch_calls++;
		return f->vm->type == HV_VM_TDX ? model_tdx_vcpu_op(f, arg) : -ENOTTY;
	default:
		return -ENOTTY;
	}
}
