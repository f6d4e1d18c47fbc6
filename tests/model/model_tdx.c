/* SPDX-License-Identifier: Apache-2.0 */
/* The model's TDX: KVM's commands and the module's building of a TD. */
#include "tests/model/model_int.h"

#include "vmm/hv/tdx_abi.h"

#include <stdlib.h>

#define ATTRS_SUPPORTED (UINT64_C(1) << 28)
#define XFAM_SUPPORTED  UINT64_C(0x602e7)
#define SHARED_BIT      (UINT64_C(1) << 47)
#define CPUID_LEAVES    6u

/* What the module lets a VMM configure. */
static const struct kvm_cpuid_entry2 configurable[CPUID_LEAVES] = {
	{.function = 1, .eax = 0x0fff3fff, .ebx = 0x00ff0000, .ecx = 0x31044d88, .edx = 0xb8400000},
	{.function = 7,
		.flags = KVM_CPUID_FLAG_SIGNIFCANT_INDEX,
		.ebx = 0xd02b9b18,
		.ecx = 0x02417f64,
		.edx = 0x03816118},
	{.function = 0x14, .flags = KVM_CPUID_FLAG_SIGNIFCANT_INDEX},
	{.function = 0x1f, .flags = KVM_CPUID_FLAG_SIGNIFCANT_INDEX, .eax = 0x1f},
	{.function = 0x80000001, .edx = 0x08000000},
	{.function = 0x80000008, .eax = 0x00ff0000, .ebx = 0x200},
};

static long tdx_capabilities(const struct hv_tdx_cmd *c)
{
	struct hv_tdx_capabilities out = {.nent = 0};
	struct hv_tdx_capabilities *user = (void *)(uintptr_t)c->data;
	uint32_t room;

	REFUSE(40, c->flags, EINVAL);
	if (!model_copy_in(c->data + offsetof(struct hv_tdx_capabilities, nent), &room, 4))
		return -EFAULT;
	REFUSE(40, room < CPUID_LEAVES, E2BIG);
	out.supported_attrs = ATTRS_SUPPORTED;
	out.supported_xfam = XFAM_SUPPORTED;
	out.nent = CPUID_LEAVES;
	memcpy(user, &out, offsetof(struct hv_tdx_capabilities, entries));
	memcpy(user->entries, configurable, sizeof(configurable));
	return 0;
}

/* td_cpuid_ok() - does one entry fit what can be configured? */
static bool td_cpuid_ok(const struct kvm_cpuid_entry2 *e)
{
	for (unsigned int i = 0; i < CPUID_LEAVES; i++) {
		const struct kvm_cpuid_entry2 *c = &configurable[i];

		if (c->function != e->function || c->index != e->index)
			continue;
		if (e->function == 7 && (e->ebx & (1u << 4 | 1u << 11) || e->ecx & 1u << 5))
			return false;
		return !(e->eax & ~c->eax || e->ebx & ~c->ebx || e->ecx & ~c->ecx ||
			e->edx & ~c->edx);
	}
	return false;
}

static long td_check(const struct hv_tdx_init_vm *v)
{
	uint32_t width = 0;

	for (size_t i = 0; i < sizeof(v->reserved) / sizeof(v->reserved[0]); i++)
		REFUSE(42, v->reserved[i], EINVAL);
	REFUSE(42, v->padding, EINVAL);
	REFUSE(42, v->attributes & ~ATTRS_SUPPORTED, EINVAL);
	REFUSE(42, v->xfam & ~XFAM_SUPPORTED || (v->xfam & 3) != 3, EINVAL);
	for (uint32_t i = 0; i < v->nent; i++) {
		REFUSE(42, !td_cpuid_ok(&v->entries[i]), EINVAL);
		if (v->entries[i].function == 0x80000008)
			width = v->entries[i].eax >> 16 & 0xff;
	}
	REFUSE(42, width != 48 && width != 52, EINVAL);
	return 0;
}

static long td_init_vm(struct model_vm *vm, const struct hv_tdx_cmd *c)
{
	const struct hv_tdx_init_vm *v = (const void *)(uintptr_t)c->data;
	unsigned int used = 0;
	long rc;

	REFUSE(41, vm->inited, EINVAL);
	REFUSE(42, c->flags, EINVAL);
	REFUSE(41, vm->n_vcpus, EBUSY);
	REFUSE(42, v->nent > HV_TDX_CPUID_MAX, E2BIG);
	rc = td_check(v);
	if (rc)
		return rc;
	if (vm->busy_left) {
		vm->busy_left--;
		return -EAGAIN;
	}
	for (unsigned int i = 0; i < the_model.n_vms; i++)
		used += the_model.vms[i]->inited &&
			(the_model.vms[i]->open || the_model.vms[i]->n_gmems_open);
	if (used >= the_model.config.keys)
		return -ENOSPC;
	vm->td.attributes = v->attributes;
	vm->td.xfam = v->xfam;
	memcpy(vm->td.mrconfigid, v->mrconfigid, 48);
	memcpy(vm->td.mrowner, v->mrowner, 48);
	memcpy(vm->td.mrownerconfig, v->mrownerconfig, 48);
	vm->mrtd = EVP_MD_CTX_new();
	EVP_DigestInit_ex(vm->mrtd, EVP_sha384(), NULL);
	vm->inited = true;
	return 0;
}

static long td_finalize(struct model_vm *vm, const struct hv_tdx_cmd *c)
{
	REFUSE(46, !vm->inited || vm->finished || c->flags, EINVAL);
	for (unsigned int i = 0; i < vm->n_vcpus; i++)
		REFUSE(43, !vm->vcpus[i]->td_inited, EINVAL);
	if (vm->mrtd)
		EVP_DigestFinal_ex(vm->mrtd, vm->digest, NULL);
	vm->finished = true;
	the_model.last = vm;
	return 0;
}

long model_tdx_vm_op(struct model_vm *vm, void *arg)
{
	const struct hv_tdx_cmd *c = arg;

	REFUSE(40, c->hw_error, EINVAL);
	switch (c->id) {
	case HV_TDX_CAPABILITIES:
		return tdx_capabilities(c);
	case HV_TDX_INIT_VM:
		return td_init_vm(vm, c);
	case HV_TDX_FINALIZE_VM:
		return td_finalize(vm, c);
	default:
		return -EINVAL;
	}
}

static bool td_has_x2apic(const struct model_vcpu *v)
{
	for (uint32_t i = 0; v->cpuid_set && i < v->cpuid.head.nent; i++)
		if (v->cpuid.entries[i].function == 1)
			return v->cpuid.entries[i].ecx >> 21 & 1;
	return false;
}

static long td_init_vcpu(struct model_fd *f, const struct hv_tdx_cmd *c)
{
	REFUSE(46, f->vm->finished, EINVAL);
	REFUSE(43, c->flags || f->vcpu->td_inited, EINVAL);
	REFUSE(43, !td_has_x2apic(f->vcpu), EINVAL);
	f->vcpu->td_inited = true;
	f->vm->td.hob = c->data;
	return 0;
}

/* td_record() - the module's 128 bytes for the digest, and what is measured with them */
static void td_record(struct model_vm *vm, const char *what, uint64_t gpa, const uint8_t *data)
{
	uint8_t record[128] = {0};

	memcpy(record, what, strlen(what));
	memcpy(record + 16, &gpa, 8);
	EVP_DigestUpdate(vm->mrtd, record, sizeof(record));
	if (data)
		EVP_DigestUpdate(vm->mrtd, data, 256);
}

static long td_page(struct model_vm *vm, const struct hv_tdx_init_mem_region *r, bool measure)
{
	const struct model_slot *slot = model_slot_of(vm, r->gpa);
	struct model_page *p = model_launch_page(vm, r->gpa / MODEL_PAGE);
	uint8_t page[MODEL_PAGE];

	if (!p || !slot->gmem->open)
		return -EINVAL;
	REFUSE(44, !model_is_private(vm, r->gpa / MODEL_PAGE), EINVAL);
	REFUSE(44, p->state != PAGE_EMPTY, EIO);
	if (!r->source_addr)
		return -EOPNOTSUPP;
	if (!model_copy_in(r->source_addr, page, sizeof(page)))
		return -EFAULT;
	p->state = PAGE_LAUNCHED;
	model_page_write(p, 0, page, sizeof(page));
	if (measure || !the_model.config.off[45])
		td_record(vm, "MEM.PAGE.ADD", r->gpa, NULL);
	for (unsigned int i = 0; measure && i < MODEL_PAGE; i += 256)
		td_record(vm, "MR.EXTEND", r->gpa + i, page + i);
	return 0;
}

static long td_region_check(const struct model_fd *f, const struct hv_tdx_cmd *c,
	const struct hv_tdx_init_mem_region *r)
{
	REFUSE(46, f->vm->finished, EINVAL);
	REFUSE(44, !f->vcpu->td_inited, EINVAL);
	REFUSE(44, c->flags & ~HV_TDX_MEASURE_MEMORY_REGION, EINVAL);
	REFUSE(44, (r->source_addr | r->gpa) % MODEL_PAGE || !r->nr_pages, EINVAL);
	REFUSE(44, r->gpa & SHARED_BIT || r->gpa + r->nr_pages * MODEL_PAGE < r->gpa, EINVAL);
	return 0;
}

static long td_init_mem(struct model_fd *f, const struct hv_tdx_cmd *c)
{
	struct hv_tdx_init_mem_region r;
	uint64_t done = 0;
	long rc;

	if (!model_copy_in(c->data, &r, sizeof(r)))
		return -EFAULT;
	rc = td_region_check(f, c, &r);
	if (rc)
		return rc;
	while (r.nr_pages && !rc) {
		if (the_model.config.run_pages && done++ == the_model.config.run_pages) {
			rc = done % 2 ? -EINTR : -EBUSY;
			break;
		}
		rc = td_page(f->vm, &r, c->flags & HV_TDX_MEASURE_MEMORY_REGION);
		if (rc)
			break;
		r.gpa += MODEL_PAGE;
		r.source_addr += MODEL_PAGE;
		r.nr_pages--;
	}
	if (!the_model.config.off[63])
		model_copy_out(c->data, &r, sizeof(r));
	return rc;
}

long model_tdx_vcpu_op(struct model_fd *f, void *arg)
{
	const struct hv_tdx_cmd *c = arg;

	REFUSE(40, c->hw_error, EINVAL);
	switch (c->id) {
	case HV_TDX_INIT_VCPU:
		return td_init_vcpu(f, c);
	case HV_TDX_INIT_MEM_REGION:
		return td_init_mem(f, c);
	default:
		return -EINVAL;
	}
}
