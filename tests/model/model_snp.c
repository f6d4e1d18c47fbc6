/* SPDX-License-Identifier: Apache-2.0 */
/* The model's SNP: KVM's launch commands and the firmware behind them. */
#include "tests/model/model_int.h"

#include "vmm/hv/sev_abi.h"

#include <stdlib.h>

#define FW_INVALID_GUEST_STATE 0x2u
#define FW_POLICY_FAILURE      0x7u
#define FW_BAD_MEASUREMENT     0xbu
#define FW_INVALID_PARAM       0x16u
#define FW_INVALID_PAGE_STATE  0x1au

#define POLICY_MASK    UINT64_C(0x3fbffff) /* no bit that this KVM doesn't know */
#define POLICY_MBO     (UINT64_C(1) << 17)
#define POLICY_MIGRATE (UINT64_C(1) << 18)
#define POLICY_SMT     (UINT64_C(1) << 16)
#define POLICY_SINGLE  (UINT64_C(1) << 20)
#define POLICY_ABI     UINT64_C(0xffff)
#define FW_ABI         UINT64_C(0x0137) /* 1.55 */
#define VMSA_PAGE_GPA  UINT64_C(0xfffffffff000)
#define PAGE_TYPE_VMSA 2

static bool sha384(const void *data, size_t len, uint8_t out[MODEL_DIGEST])
{
	return EVP_Digest(data, len, out, NULL, EVP_sha384(), NULL) == 1;
}

/*
 * snp_extend() - the firmware's PAGE_INFO: digest so far, digest of the contents or zeros, length
 * of the structure, type, permissions (none), address.
 */
static void snp_extend(struct model_vm *vm, uint8_t type, const uint8_t *page, uint64_t gpa)
{
	uint8_t info[0x70] = {0};

	memcpy(info, vm->digest, MODEL_DIGEST);
	if (page)
		sha384(page, MODEL_PAGE, info + 48);
	info[96] = 0x70;
	info[98] = type;
	if (!the_model.config.off[32])
		memcpy(info + 104, &gpa, 8);
	sha384(info, sizeof(info), vm->digest);
}

static long snp_init2(struct model_vm *vm, const struct hv_sev_cmd *c)
{
	struct hv_sev_init init;
	struct model_counts now = {.keys_used = 0};

	REFUSE(20, vm->inited, EPERM);
	REFUSE(20, vm->n_vcpus, EINVAL);
	if (!model_copy_in(c->data, &init, sizeof(init)))
		return -EFAULT;
	REFUSE(21, init.flags, EINVAL);
	REFUSE(21, init.vmsa_features & ~UINT64_C(0x20), EINVAL);
	REFUSE(21, init.ghcb_version > 2 || init.ghcb_version == 1, EINVAL);
	for (unsigned int i = 0; i < the_model.n_vms; i++)
		now.keys_used += the_model.vms[i]->inited &&
			(the_model.vms[i]->open || the_model.vms[i]->n_gmems_open);
	if (now.keys_used >= the_model.config.keys)
		return -EBUSY;
	vm->features = init.vmsa_features | 1;
	vm->inited = true;
	return 0;
}

static long snp_start(struct model_vm *vm, struct hv_sev_cmd *c)
{
	struct hv_snp_launch_start s;
	const struct model_fd *sev = model_find((int)c->sev_fd);

	if (!model_copy_in(c->data, &s, sizeof(s)))
		return -EFAULT;
	REFUSE(23, vm->started, EINVAL);
	REFUSE(23, s.flags, EINVAL);
	REFUSE(23, s.policy & ~POLICY_MASK || s.policy & POLICY_MIGRATE, EINVAL);
	REFUSE(23, !(s.policy & POLICY_MBO), EINVAL);
	REFUSE(23,
		the_model.config.strict_policy &&
			(!(s.policy & POLICY_SMT) || s.policy & POLICY_SINGLE),
		EINVAL);
	REFUSE(23, !sev || sev->kind != MODEL_SEV, ENOTTY);
	if ((s.policy & POLICY_ABI) > FW_ABI && model_broke(23)) {
		c->error = FW_POLICY_FAILURE;
		return -EIO;
	}
	vm->policy = s.policy;
	vm->started = true;
	return 0;
}

/* snp_cpuid_ok() - the firmware's look at a CPUID page; what it corrects is written back */
static bool snp_cpuid_ok(uint8_t *page, uint64_t uaddr)
{
	uint32_t count, leaf, ecx, fixed;
	bool ok = true;

	memcpy(&count, page, 4);
	if ((count > 64 || load_le32(page + 4) || load_le64(page + 8)) && model_broke(27))
		return false;
	for (uint32_t i = 0; i < count && i < 64; i++) {
		uint8_t *entry = page + 16 + 48 * (size_t)i;

		memcpy(&leaf, entry, 4);
		memcpy(&ecx, entry + 32, 4);
		fixed = leaf == 1 ? ecx & ~the_model.config.cpuid_clear_ecx1 : ecx;
		ok = ok && fixed == ecx;
		memcpy(entry + 32, &fixed, 4);
	}
	if (!ok)
		model_copy_out(uaddr, page, MODEL_PAGE);
	return ok || the_model.config.off[27];
}

/* snp_page() - one page to the firmware. Return: 0, or -EIO with the firmware's code in *fw */
static int snp_page(
	struct model_vm *vm, const struct hv_snp_launch_update *u, uint64_t gfn, uint32_t *fw)
{
	const struct model_slot *slot = model_slot_of(vm, gfn * MODEL_PAGE);
	struct model_page *p = model_launch_page(vm, gfn);
	uint8_t page[MODEL_PAGE] = {0};

	if (!p || !slot->gmem->open)
		return -EIO;
	REFUSE(24, !model_is_private(vm, gfn), EIO);
	REFUSE(24, p->state != PAGE_EMPTY, EIO);
	if (u->type != HV_SNP_PAGE_ZERO && !model_copy_in(u->uaddr, page, sizeof(page)) &&
		model_broke(26))
		return -EIO;
	if (u->type == HV_SNP_PAGE_SECRETS && !the_model.config.off[28])
		memset(page, 0x5e, sizeof(page)); /* the firmware's keys */
	if (u->type == HV_SNP_PAGE_ZERO)
		memset(page, 0, sizeof(page));
	if (u->type == HV_SNP_PAGE_CPUID && !snp_cpuid_ok(page, u->uaddr)) {
		*fw = FW_INVALID_PARAM;
		return -EIO;
	}
	p->state = PAGE_LAUNCHED;
	model_page_write(p, 0, page, sizeof(page));
	snp_extend(vm, u->type, u->type == HV_SNP_PAGE_NORMAL ? page : NULL, gfn * MODEL_PAGE);
	return 0;
}

static long snp_update_check(struct model_vm *vm, const struct hv_snp_launch_update *u)
{
	const struct model_slot *slot = model_slot_of(vm, u->gfn_start * MODEL_PAGE);

	REFUSE(24, !vm->started, EINVAL);
	REFUSE(24, !u->len || u->len % MODEL_PAGE || u->flags, EINVAL);
	REFUSE(24,
		u->type != HV_SNP_PAGE_NORMAL &&
			(u->type < HV_SNP_PAGE_ZERO || u->type > HV_SNP_PAGE_CPUID),
		EINVAL);
	REFUSE(24, u->type != HV_SNP_PAGE_ZERO && u->uaddr % MODEL_PAGE, EINVAL);
	REFUSE(24, !slot || !slot->gmem, EINVAL);
	return slot && slot->gmem ? 0 : -EINVAL;
}

static long snp_update(struct model_vm *vm, struct hv_sev_cmd *c)
{
	struct hv_snp_launch_update u;
	uint64_t end, done = 0;
	const struct model_slot *slot;
	int rc;

	if (!model_copy_in(c->data, &u, sizeof(u)))
		return -EFAULT;
	if (vm->busy_left) {
		vm->busy_left--;
		return -EAGAIN;
	}
	if (vm->finished && model_broke(30)) {
		c->error = FW_INVALID_GUEST_STATE;
		return -EIO;
	}
	rc = (int)snp_update_check(vm, &u);
	if (rc)
		return rc;
	slot = model_slot_of(vm, u.gfn_start * MODEL_PAGE);
	end = slot->r.guest_phys_addr + slot->r.memory_size;
	while (u.len && u.gfn_start * MODEL_PAGE < end) {
		if (the_model.config.run_pages && done == the_model.config.run_pages)
			break;
		rc = snp_page(vm, &u, u.gfn_start, &c->error);
		if (rc)
			break;
		done++;
		u.gfn_start++;
		u.len -= MODEL_PAGE;
		u.uaddr += u.type == HV_SNP_PAGE_ZERO ? 0 : MODEL_PAGE;
	}
	if (rc && done)
		c->error = 0;
	model_copy_out(c->data, &u, sizeof(u));
	return rc && !done ? rc : 0;
}

static uint16_t vmsa_attr(const struct kvm_segment *s)
{
	return (uint16_t)(s->type | s->s << 4 | s->dpl << 5 | s->present << 7 | s->avl << 8 |
		s->l << 9 | s->db << 10 | s->g << 11);
}

static void vmsa_segment(uint8_t *at, const struct kvm_segment *s)
{
	store_le16(at, s->selector);
	store_le16(at + 2, vmsa_attr(s));
	store_le32(at + 4, s->limit);
	store_le64(at + 8, s->base);
}

/* snp_vmsa() - the save area that KVM makes of a vCPU (AMD APM volume 2, table B-4) */
static void snp_vmsa(const struct model_vm *vm, const struct model_vcpu *v, uint8_t *page)
{
	const struct kvm_sregs *s = &v->sregs;
	const struct {
		size_t at;
		const struct kvm_segment *segment;
	} segments[] = {{0, &s->es}, {0x10, &s->cs}, {0x20, &s->ss}, {0x30, &s->ds}, {0x40, &s->fs},
		{0x50, &s->gs}, {0x70, &s->ldt}, {0x90, &s->tr}};

	memset(page, 0, MODEL_PAGE);
	for (size_t i = 0; i < sizeof(segments) / sizeof(segments[0]); i++)
		vmsa_segment(page + segments[i].at, segments[i].segment);
	store_le32(page + 0x64, s->gdt.limit);
	store_le64(page + 0x68, s->gdt.base);
	store_le32(page + 0x84, s->idt.limit);
	store_le64(page + 0x88, s->idt.base);
	store_le64(page + 0xd0, s->efer | 1u << 12); /* SVME */
	store_le64(page + 0x148, s->cr4 | 1u << 6);  /* MCE */
	store_le64(page + 0x150, s->cr3);
	store_le64(page + 0x158, s->cr0);
	store_le64(page + 0x160, 0x400);      /* DR7 */
	store_le64(page + 0x168, 0xffff0ff0); /* DR6 */
	store_le64(page + 0x170, v->regs.rflags);
	store_le64(page + 0x178, v->regs.rip);
	store_le64(page + 0x1d8, v->regs.rsp);
	store_le64(page + 0x1f8, v->regs.rax);
	store_le64(page + 0x268, UINT64_C(0x0007040600070406)); /* PAT */
	store_le64(page + 0x308, v->regs.rcx);
	store_le64(page + 0x310, v->regs.rdx);
	store_le64(page + 0x318, v->regs.rbx);
	store_le64(page + 0x3b0, vm->features);
	store_le64(page + 0x3e8, 1); /* XCR0 */
	store_le32(page + 0x408, 0x1f80);
	store_le16(page + 0x410, 0x37f);
}

/* snp_id_block() - the firmware's checks of it, but for the signatures */
static long snp_id_block(
	const struct model_vm *vm, const struct hv_snp_launch_finish *f, struct hv_sev_cmd *c)
{
	uint8_t block[96];

	if (!f->id_block_en)
		return 0;
	if (!model_copy_in(f->id_block_uaddr, block, sizeof(block)))
		return -EFAULT;
	if (memcmp(block, vm->digest, MODEL_DIGEST) != 0 && model_broke(29)) {
		c->error = FW_BAD_MEASUREMENT;
		return -EIO;
	}
	if (load_le64(block + 88) != vm->policy && model_broke(29)) {
		c->error = FW_POLICY_FAILURE;
		return -EIO;
	}
	return 0;
}

static long snp_finish(struct model_vm *vm, struct hv_sev_cmd *c)
{
	struct hv_snp_launch_finish f;
	uint8_t page[MODEL_PAGE];
	long rc;

	REFUSE(20, !vm->started, EINVAL);
	if (!model_copy_in(c->data, &f, sizeof(f)))
		return -EFAULT;
	REFUSE(30, vm->finished || vm->dead, EINVAL);
	REFUSE(29, f.flags, EINVAL);
	for (unsigned int i = 0; i < vm->n_vcpus; i++)
		REFUSE(29, vm->vcpus[i]->dr7, EINVAL);
	for (unsigned int i = 0; i < vm->n_vcpus; i++) {
		snp_vmsa(vm, vm->vcpus[i], page);
		snp_extend(vm, PAGE_TYPE_VMSA, page, VMSA_PAGE_GPA);
	}
	vm->dead = true; /* vCPUs' state is the firmware's now: no second try */
	rc = snp_id_block(vm, &f, c);
	if (rc)
		return rc;
	vm->dead = false;
	vm->finished = true;
	the_model.last = vm;
	return 0;
}

static long snp_req_certs(struct model_vm *vm)
{
	REFUSE(33, vm->n_vcpus, EINVAL);
	vm->req_certs = true;
	return 0;
}

long model_sev_op(struct model_vm *vm, void *arg)
{
	struct hv_sev_cmd *c = arg;

	if (!c)
		return 0;
	REFUSE(22, vm->inited && c->id < HV_SEV_SNP_LAUNCH_START && c->id != HV_SEV_INIT2, EPERM);
	switch (c->id) {
	case HV_SEV_INIT2:
		return snp_init2(vm, c);
	case HV_SEV_SNP_LAUNCH_START:
		REFUSE(22, !vm->inited, ENOTTY);
		return snp_start(vm, c);
	case HV_SEV_SNP_LAUNCH_UPDATE:
		return snp_update(vm, c);
	case HV_SEV_SNP_LAUNCH_FINISH:
		return snp_finish(vm, c);
	case HV_SEV_SNP_ENABLE_REQ_CERTS:
		return snp_req_certs(vm);
	default:
		REFUSE(22, true, EINVAL);
		return 0;
	}
}
