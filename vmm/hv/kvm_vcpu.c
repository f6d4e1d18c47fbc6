/* SPDX-License-Identifier: Apache-2.0 */
/* vCPUs on KVM: creation and the run loop's decoding of exits; see vmm/hv/hv.h. */
#include "vmm/hv/kvm.h"

#include "base/fd.h"
#include "base/log.h"
#include "vmm/hv/sev_text.h"
#include "vmm/hv/snp.h"
#include "vmm/hv/tdx_abi.h"
#include "vmm/x86/cpuid.h"
#include "vmm/x86/msr.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

static int vcpu_set_cpuid(struct hv_vcpu *vcpu, struct err *e)
{
	const struct hv_desc *d = &vcpu->hv->desc;
	struct cpuid_desc desc = {
		.index = vcpu->index,
		.n_vcpus = d->n_vcpus,
		.signature = d->signature,
		.cbit = d->cbit,
		.tsc_deadline = d->host->tsc_deadline,
		.need_rdrand = d->host->hardware, /* no Linux boots without hardware support */
	};
	struct cpuid_table t = {.head.nent = CPUID_MAX_ENTRIES};
	int rc;

	if (ioctl(d->host->kvm_fd, KVM_GET_SUPPORTED_CPUID, &t.head) < 0)
		return err_sys(e, errno, "KVM_GET_SUPPORTED_CPUID");
	rc = cpuid_build(&t, &desc, e);
	if (rc)
		return rc;
	if (ioctl(vcpu->fd, KVM_SET_CPUID2, &t.head) < 0)
		return err_sys(e, errno, "KVM_SET_CPUID2");
	if (d->xcr0_preset && !d->type->dual) { /* XCR0 is measured there */
		struct kvm_xcrs x = {.nr_xcrs = 1, .xcrs = {{.xcr = 0, .value = cpuid_xcr0(&t)}}};

		if (ioctl(vcpu->fd, KVM_SET_XCRS, &x) < 0)
			return err_sys(e, errno, "KVM_SET_XCRS");
	}
	return 0;
}

static int vcpu_set_msrs(struct hv_vcpu *vcpu, struct err *e)
{
	struct {
		struct kvm_msrs head;
		struct kvm_msr_entry entries[1];
	} m = {
		.head.nmsrs = 1,
		.entries = {{.index = MSR_MTRR_DEF_TYPE, .data = MSR_MTRR_ENABLED_WB}},
	};

	if (ioctl(vcpu->fd, KVM_SET_MSRS, &m.head) != 1)
		return err_sys(e, errno, "KVM_SET_MSRS");
	return 0;
}

int hv_vcpu_create(struct hv_vcpu **out, struct hv *hv, unsigned int index, struct err *e)
{
	struct hv_vcpu *vcpu = calloc(1, sizeof(*vcpu));
	int rc;

	*out = NULL;
	if (!vcpu)
		return err_sys(e, ENOMEM, "vcpu%u", index);
	vcpu->hv = hv;
	vcpu->index = index;
	vcpu->run = MAP_FAILED;
	vcpu->stats_fd = -1;
	vcpu->fd = ioctl(hv->vm_fd, KVM_CREATE_VCPU, (unsigned long)index);
	if (vcpu->fd >= 0)
		vcpu->run =
			mmap(NULL, hv->run_len, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu->fd, 0);
	rc = vcpu->run == MAP_FAILED ? err_sys(e, errno, "KVM_CREATE_VCPU") : 0;
	if (!rc)
		vcpu->stats_fd = kvm_stats_fd(vcpu->fd);
	if (!rc)
		rc = vcpu_set_cpuid(vcpu, e);
	if (!rc && !hv->desc.type->dual) /* firmware sets its MTRRs itself */
		rc = vcpu_set_msrs(vcpu, e);
	if (rc) {
		hv_vcpu_destroy(vcpu);
		return err_context(e, "vcpu%u", index);
	}
	*out = vcpu;
	return 0;
}

void hv_vcpu_destroy(struct hv_vcpu *vcpu)
{
	if (!vcpu)
		return;
	if (vcpu->run != MAP_FAILED)
		munmap(vcpu->run, vcpu->hv->run_len);
	fd_drop(&vcpu->stats_fd);
	fd_drop(&vcpu->fd);
	free(vcpu);
}

/* Segment types: SDM volume 3, section 3.4.5.1; the unusable LDTR keeps its reset value. */
static void vcpu_long64(struct kvm_sregs *s, const struct x86_entry *entry)
{
	const uint64_t cr0 = 0x80050033; /* PG AM WP NE ET MP PE */
	const uint64_t efer = 0x500;     /* LME LMA */
	struct kvm_segment code = {.selector = 0x10,
		.limit = 0xffffffff,
		.type = 0xb,
		.present = 1,
		.s = 1,
		.l = 1,
		.g = 1};
	struct kvm_segment data = {.selector = 0x18,
		.limit = 0xffffffff,
		.type = 3,
		.present = 1,
		.s = 1,
		.db = 1,
		.g = 1};

	s->cs = code;
	s->ds = s->es = s->fs = s->gs = s->ss = data;
	s->gdt.base = entry->gdt;
	s->gdt.limit = entry->gdt_limit;
	s->cr3 = entry->cr3;
	s->cr4 = 0x20; /* PAE */
	s->cr0 = cr0;
	s->efer = efer;
}

/* PVH: docs of the Xen project, "x86/HVM direct boot ABI" */
static void vcpu_protected32(struct kvm_sregs *s, const struct x86_entry *entry)
{
	struct kvm_segment code = {.selector = 0x10,
		.limit = 0xffffffff,
		.type = 0xb,
		.present = 1,
		.s = 1,
		.db = 1,
		.g = 1};
	struct kvm_segment data = code;

	data.selector = 0x18;
	data.type = 3;
	s->cs = code;
	s->ds = s->es = s->fs = s->gs = s->ss = data;
	s->gdt.base = entry->gdt;
	s->gdt.limit = entry->gdt_limit;
	s->cr0 = 0x11; /* ET PE */
	s->cr4 = 0;
	s->efer = 0;
}

/*
 * AMD APM volume 2, section 14.1.3 "Processor Initialization State", with the attributes as the CPU
 * has them after the first load of CS and TR: the state in attestation/vmsa.h, to the bit. KVM adds
 * EFER.SVME and CR4.MCE itself.
 */
static void vcpu_reset(struct kvm_sregs *s, const struct x86_entry *entry)
{
	struct kvm_segment code = {.selector = 0xf000,
		.base = entry->rip & 0xffff0000,
		.limit = 0xffff,
		.type = 0xb,
		.present = 1,
		.s = 1};
	struct kvm_segment data = {.limit = 0xffff, .type = 3, .present = 1, .s = 1};

	s->cs = code;
	s->ds = s->es = s->fs = s->gs = s->ss = data;
	s->ldt = (struct kvm_segment){.limit = 0xffff, .type = 2, .present = 1};
	s->tr = (struct kvm_segment){.limit = 0xffff, .type = 0xb, .present = 1};
	s->gdt = s->idt = (struct kvm_dtable){.limit = 0xffff};
	s->cr0 = 0x10; /* ET */
	s->cr2 = s->cr3 = s->cr4 = s->cr8 = s->efer = 0;
}

int hv_vcpu_enter(struct hv_vcpu *vcpu, const struct x86_entry *entry, struct err *e)
{
	struct kvm_regs regs = {
		.rip = entry->rip,
		.rsi = entry->rsi,
		.rbx = entry->rbx,
		.rdx = entry->rdx,
		.rflags = 2,
	};
	struct kvm_sregs sregs;

	if (ioctl(vcpu->fd, KVM_GET_SREGS, &sregs) < 0)
		return err_sys(e, errno, "KVM_GET_SREGS");
	if (entry->mode == X86_LONG64)
		vcpu_long64(&sregs, entry);
	else if (entry->mode == X86_PROTECTED32)
		vcpu_protected32(&sregs, entry);
	else
		vcpu_reset(&sregs, entry);
	if (entry->mode == X86_RESET)
		regs.rip = entry->rip & 0xffff;
	if (ioctl(vcpu->fd, KVM_SET_SREGS, &sregs) < 0)
		return err_sys(e, errno, "KVM_SET_SREGS");
	if (ioctl(vcpu->fd, KVM_SET_REGS, &regs) < 0)
		return err_sys(e, errno, "KVM_SET_REGS");
	return 0;
}

static void exit_failed(struct hv_exit *exit, const char *what, uint64_t value)
{
	exit->kind = HV_EXIT_FAILED;
	snprintf(exit->text, sizeof(exit->text), "%s (%#llx)", what, (unsigned long long)value);
}

static void exit_msr(struct kvm_run *run, bool write, struct hv_exit *exit)
{
	uint64_t data = run->msr.data;
	bool ok = write ? msr_write(run->msr.index, data) : msr_read(run->msr.index, &data);

	run->msr.error = !ok; /* the guest gets #GP */
	run->msr.data = data;
	exit->kind = HV_EXIT_AGAIN;
}

static void exit_hypercall(struct hv_vcpu *vcpu, struct hv_exit *exit)
{
	struct kvm_run *run = vcpu->run;
	uint64_t pages = run->hypercall.args[1];

	run->hypercall.ret = (__u64)-1000LL; /* KVM_ENOSYS */
	exit->kind = HV_EXIT_AGAIN;
	if (run->hypercall.nr != HV_HC_MAP_GPA_RANGE)
		return;
	exit->kind = HV_EXIT_CONVERT;
	exit->convert.gpa = gpa_of(run->hypercall.args[0]);
	/* A count that overflows becomes a length that convert() refuses. */
	exit->convert.len = pages > UINT64_MAX >> PAGE_SHIFT ? 0 : pages << PAGE_SHIFT;
	exit->convert.to_shared = !(run->hypercall.args[2] & HV_HC_MAP_ENCRYPTED);
	exit->convert.implicit = false;
}

/* exit_system_event() - a guest with encrypted state says why it gives up */
static void exit_system_event(const struct kvm_run *run, struct hv_exit *exit)
{
	char reason[96];

	exit->kind = HV_EXIT_RESET;
	if (run->system_event.type == HV_SYSTEM_EVENT_TDX_FATAL)
		kvm_tdx_exit_fatal(run, exit);
	if (run->system_event.type != HV_SYSTEM_EVENT_SEV_TERM)
		return;
	exit->kind = HV_EXIT_FAILED;
	sev_text_termination(
		reason, sizeof(reason), run->system_event.ndata ? run->system_event.data[0] : 0);
	snprintf(exit->text, sizeof(exit->text), "the guest terminated itself: %s", reason);
}

/*
 * exit_memory_fault() - memory was not as the guest's access wanted it. With both sides in one slot
 * that is a request to convert; with an alias for each side it can't be mended.
 */
static void exit_memory_fault(struct hv_vcpu *vcpu, int error, struct hv_exit *exit)
{
	struct hv_memory_fault fault;

	memcpy(&fault, &vcpu->run->io, sizeof(fault));
	if (error == EHWPOISON) {
		exit_failed(exit, "the host's memory is broken at guest address", fault.gpa);
	} else if (vcpu->hv->desc.type->dual && !(fault.flags & ~HV_MEMORY_EXIT_PRIVATE)) {
		exit->kind = HV_EXIT_CONVERT;
		exit->convert.gpa = gpa_of(fault.gpa);
		exit->convert.len = fault.size;
		exit->convert.to_shared = !(fault.flags & HV_MEMORY_EXIT_PRIVATE);
		exit->convert.implicit = true;
	} else {
		exit_failed(exit,
			fault.flags & HV_MEMORY_EXIT_PRIVATE
				? "private guest memory has no backing, at guest address"
				: "guest memory has no backing, at guest address",
			fault.gpa);
	}
}

/* exit_certs() - what is not answered fails, and the guest is told so */
static void exit_certs(struct hv_vcpu *vcpu, struct hv_exit *exit)
{
	struct hv_req_certs req;

	memcpy(&req, &vcpu->run->io, sizeof(req));
	exit->kind = HV_EXIT_CERTS;
	exit->certs.gpa = gpa_of(req.gpa);
	exit->certs.pages = req.npages;
	hv_snp_answer_certs(vcpu, -EIO, req.npages);
}

/* exit_error() - KVM_RUN itself failed */
static void exit_error(struct hv_vcpu *vcpu, int error, struct hv_exit *exit)
{
	if (error == EINTR || error == EAGAIN) {
		exit->kind = __atomic_load_n(&vcpu->run->immediate_exit, __ATOMIC_RELAXED)
			? HV_EXIT_STOPPED
			: HV_EXIT_AGAIN;
		return;
	}
	if ((error == EFAULT || error == EHWPOISON) &&
		vcpu->run->exit_reason == HV_EXIT_REASON_MEMORY_FAULT)
		exit_memory_fault(vcpu, error, exit);
	else
		exit_failed(exit, strerrordesc_np(error), (uint64_t)error);
}

static void exit_decode(struct hv_vcpu *vcpu, struct hv_exit *exit)
{
	struct kvm_run *run = vcpu->run;

	switch (run->exit_reason) {
	case KVM_EXIT_IO:
		exit->kind = HV_EXIT_PORT;
		exit->io.addr = run->io.port;
		exit->io.data = (uint8_t *)run + run->io.data_offset;
		exit->io.len = run->io.size;
		exit->io.count = run->io.count;
		exit->io.write = run->io.direction == KVM_EXIT_IO_OUT;
		break;
	case KVM_EXIT_MMIO:
		exit->kind = HV_EXIT_MMIO;
		exit->io.addr = run->mmio.phys_addr;
		exit->io.data = run->mmio.data;
		exit->io.len = run->mmio.len;
		exit->io.count = 1;
		exit->io.write = run->mmio.is_write;
		break;
	case KVM_EXIT_HYPERCALL:
		exit_hypercall(vcpu, exit);
		break;
	case HV_EXIT_REASON_SNP_REQ_CERTS:
		exit_certs(vcpu, exit);
		break;
	case KVM_EXIT_X86_RDMSR:
		exit_msr(run, false, exit);
		break;
	case KVM_EXIT_X86_WRMSR:
		exit_msr(run, true, exit);
		break;
	case KVM_EXIT_SHUTDOWN:
		exit->kind = HV_EXIT_RESET;
		break;
	case KVM_EXIT_SYSTEM_EVENT:
		exit_system_event(run, exit);
		break;
	case HV_EXIT_REASON_TDX:
		kvm_tdx_exit(vcpu, exit);
		break;
	case KVM_EXIT_INTR:
	case KVM_EXIT_IRQ_WINDOW_OPEN:
		exit->kind = HV_EXIT_AGAIN;
		break;
	case KVM_EXIT_INTERNAL_ERROR:
		exit_failed(exit, "KVM can't emulate the guest, internal error",
			run->internal.suberror);
		break;
	case KVM_EXIT_FAIL_ENTRY:
		exit_failed(exit, "the CPU refused to enter the guest, hardware reason",
			run->fail_entry.hardware_entry_failure_reason);
		break;
	default:
		exit_failed(exit, "unexpected KVM exit", run->exit_reason);
	}
}

void hv_vcpu_run(struct hv_vcpu *vcpu, struct hv_exit *exit)
{
	if (ioctl(vcpu->fd, KVM_RUN, 0) < 0)
		exit_error(vcpu, errno, exit);
	else
		exit_decode(vcpu, exit);
}

void hv_vcpu_answer(struct hv_vcpu *vcpu, int rc)
{
	/* Plain VMs: the value goes to the guest's RAX as it is; KVM has no ENOSPC of its own. */
	if (rc == -ENOSPC)
		rc = -E2BIG;
	/* Page state changes: KVM takes these three values alone, positive ones. */
	if (vcpu->hv->desc.type->dual)
		rc = !rc ? 0 : rc == -EAGAIN || rc == -ENOMEM ? EAGAIN : EINVAL;
	vcpu->run->hypercall.ret = (__u64)(long long)rc;
}

uint64_t hv_vcpu_prefault(struct hv_vcpu *vcpu, gpa_t gpa, uint64_t len)
{
	struct hv_pre_fault f = {.gpa = gpa.v, .size = len};
	uint64_t before;

	if (!vcpu->hv->desc.host->pre_fault)
		return 0;
	do
		before = f.size;
	while (f.size && !ioctl(vcpu->fd, HV_PRE_FAULT_MEMORY, &f) && f.size < before);
	return len - f.size;
}

void hv_vcpu_kick(struct hv_vcpu *vcpu)
{
	__atomic_store_n(&vcpu->run->immediate_exit, 1, __ATOMIC_RELEASE);
}

void hv_vcpu_unkick(struct hv_vcpu *vcpu)
{
	__atomic_store_n(&vcpu->run->immediate_exit, 0, __ATOMIC_RELEASE);
}
