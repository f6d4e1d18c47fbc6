/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TDs on KVM; see vmm/hv/tdx.h.
 *
 * KVM writes back what is left of a run of pages whenever a call ends, well or not, so a call that
 * a signal or a busy TDX module ended is given again as it is.
 */
#include "vmm/hv/tdx.h"

#include "memory/image.h"
#include "vmm/hv/kvm.h"
#include "vmm/hv/tdx_abi.h"
#include "vmm/x86/cpuid.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#define TDX_TRIES     10000 /* calls in a row that KVM asks to repeat: entropy, a busy module */
#define TDX_BUS_NS    40    /* the APIC timer of a TD counts at 25 MHz */
#define XFAM_FIXED    UINT64_C(3) /* x87 and SSE are always there */
#define LEAF_ADDRESS  0x80000008u
#define GPAW_SHIFT    16 /* in its EAX: guest physical address width */
#define GPAW_4_LEVELS 48u

/* tdx_command() - one command to VM or vCPU. Return: 0 or -errno, the module's status in *hw */
static int tdx_command(int fd, const struct hv_tdx_cmd *command, uint64_t *hw)
{
	struct hv_tdx_cmd c;
	int rc, tries = 0;

	do {
		c = *command;
		rc = ioctl(fd, KVM_MEMORY_ENCRYPT_OP, &c) < 0 ? -errno : 0;
	} while ((rc == -EAGAIN || rc == -EINTR || rc == -EBUSY) && ++tries < TDX_TRIES);
	*hw = c.hw_error;
	return rc;
}

static int tdx_error(struct err *e, int rc, uint64_t hw, const char *what)
{
	if (!hw)
		return err_sys(e, -rc, "%s", what);
	return err_set(e, -rc, "%s: %s; the TDX module says %#llx", what, strerrordesc_np(-rc),
		(unsigned long long)hw);
}

static int tdx_capabilities(struct hv *hv, struct hv_tdx_capabilities *caps, struct err *e)
{
	const struct hv_tdx_cmd c = {.id = HV_TDX_CAPABILITIES, .data = (uintptr_t)caps};
	uint64_t hw;
	int rc;

	caps->nent = HV_TDX_CPUID_MAX;
	rc = tdx_command(hv->vm_fd, &c, &hw);
	if (rc)
		return tdx_error(e, rc, hw, "KVM_TDX_CAPABILITIES");
	if (caps->nent > HV_TDX_CPUID_MAX)
		return err_set(e, EIO, "KVM_TDX_CAPABILITIES: %u CPUID entries", caps->nent);
	hv->tdx_calls = caps->user_tdvmcallinfo_1_r11;
	return 0;
}

/* tdx_mask() - a configurable entry, with what KVM's table has of its configurable bits */
static void tdx_mask(struct kvm_cpuid_entry2 *entry, struct cpuid_table *t)
{
	const struct kvm_cpuid_entry2 *have = cpuid_find(t, entry->function, entry->index);
	const struct kvm_cpuid_entry2 none = {.function = entry->function};

	if (!have)
		have = &none;
	entry->eax &= have->eax;
	entry->ebx &= have->ebx;
	entry->ecx &= have->ecx;
	entry->edx &= have->edx;
	if (entry->function == 7 && entry->index == 0) {
		entry->ebx &= ~(1u << 4 | 1u << 11); /* HLE, RTM: KVM refuses TSX */
		entry->ecx &= ~(1u << 5);            /* WAITPKG, too */
	}
	if (entry->function == LEAF_ADDRESS)
		entry->eax = (entry->eax & 0xff00ffff) | GPAW_4_LEVELS << GPAW_SHIFT;
}

/* tdx_xfam() - the extended state that the CPU has, as the module allows it */
static uint64_t tdx_xfam(struct cpuid_table *t, uint64_t supported)
{
	const struct kvm_cpuid_entry2 *xss = cpuid_find(t, 0xd, 1);
	uint64_t s = xss ? xss->ecx | (uint64_t)xss->edx << 32 : 0;

	return ((cpuid_xcr0(t) | s) & supported) | (XFAM_FIXED & supported);
}

static int tdx_cpuid(
	struct hv *hv, struct hv_tdx_init_vm *init, struct hv_tdx_capabilities *caps, struct err *e)
{
	struct cpuid_table t = {.head.nent = CPUID_MAX_ENTRIES};
	bool width = false;

	if (ioctl(hv->desc.host->kvm_fd, KVM_GET_SUPPORTED_CPUID, &t.head) < 0)
		return err_sys(e, errno, "KVM_GET_SUPPORTED_CPUID");
	for (uint32_t i = 0; i < caps->nent; i++) {
		init->entries[i] = caps->entries[i];
		tdx_mask(&init->entries[i], &t);
		width = width || caps->entries[i].function == LEAF_ADDRESS;
	}
	init->nent = caps->nent;
	init->xfam = tdx_xfam(&t, caps->supported_xfam);
	return width ? 0 : err_set(e, EIO, "KVM_TDX_CAPABILITIES: no address width (0x80000008)");
}

/* tdx_init_vm() - the TD itself, with its identity */
static int tdx_init_vm(
	struct hv *hv, struct hv_tdx_capabilities *caps, struct hv_tdx_init_vm *init, struct err *e)
{
	const struct tdx_identity *id = hv->desc.tdx;
	const struct hv_tdx_cmd c = {.id = HV_TDX_INIT_VM, .data = (uintptr_t)init};
	uint64_t hw, extra = id->attributes & ~caps->supported_attrs;
	int rc;

	if (extra)
		return err_set(e, EINVAL, "TDX: this host does not allow the TD attributes %#llx",
			(unsigned long long)extra);
	init->attributes = id->attributes;
	memcpy(init->mrconfigid, id->config_id, TDX_ID_LEN);
	memcpy(init->mrowner, id->owner, TDX_ID_LEN);
	memcpy(init->mrownerconfig, id->owner_config, TDX_ID_LEN);
	rc = tdx_cpuid(hv, init, caps, e);
	if (rc)
		return rc;
	rc = tdx_command(hv->vm_fd, &c, &hw);
	if (rc == -ENOSPC)
		return err_set(e, ENOSPC,
			"KVM_TDX_INIT_VM: all of this host's TDX keys (HKIDs) are in use");
	return rc ? tdx_error(e, rc, hw, "KVM_TDX_INIT_VM") : 0;
}

int kvm_tdx_init(struct hv *hv, struct err *e)
{
	struct kvm_enable_cap bus = {.cap = HV_CAP_X86_APIC_BUS_CYCLES_NS, .args = {TDX_BUS_NS}};
	cleanup_free struct hv_tdx_capabilities *caps = calloc(1, sizeof(*caps));
	cleanup_free struct hv_tdx_init_vm *init = calloc(1, sizeof(*init));
	int rc;

	if (!caps || !init)
		return err_sys(e, ENOMEM, "TDX");
	if (ioctl(hv->vm_fd, KVM_ENABLE_CAP, &bus) < 0)
		return err_sys(e, errno, "KVM_CAP_X86_APIC_BUS_CYCLES_NS");
	rc = tdx_capabilities(hv, caps, e);
	return rc ? rc : tdx_init_vm(hv, caps, init, e);
}

static int tdx_init_vcpus(const struct tdx_launch *d, struct tdx_counts *counts, struct err *e)
{
	const struct hv_tdx_cmd c = {.id = HV_TDX_INIT_VCPU, .data = d->hob};

	for (unsigned int i = 0; i < d->n_vcpus; i++) {
		uint64_t hw;
		int rc = tdx_command(d->vcpus[i]->fd, &c, &hw);

		counts->ioctls++;
		if (rc) {
			rc = tdx_error(e, rc, hw, "KVM_TDX_INIT_VCPU");
			return err_context(e, "vcpu%u", i);
		}
	}
	return 0;
}

/* tdx_add() - a run of pages, until the module has all of it. Return: 0 or -errno */
static int tdx_add(const struct tdx_launch *d, struct hv_tdx_init_mem_region *r, bool measure,
	struct tdx_counts *counts)
{
	unsigned int tries = 0;

	while (r->nr_pages) {
		struct hv_tdx_cmd c = {.id = HV_TDX_INIT_MEM_REGION,
			.flags = measure ? HV_TDX_MEASURE_MEMORY_REGION : 0,
			.data = (uintptr_t)r};
		uint64_t before = r->nr_pages;
		int rc = ioctl(d->vcpus[0]->fd, KVM_MEMORY_ENCRYPT_OP, &c) < 0 ? -errno : 0;

		counts->ioctls++;
		if (rc && rc != -EAGAIN && rc != -EINTR && rc != -EBUSY)
			return rc;
		tries = r->nr_pages < before ? 0 : tries + 1;
		if (tries >= TDX_TRIES)
			return rc ? rc : -EBUSY;
	}
	return 0;
}

/* tdx_add_run() - neighbouring parts of one type, from memory of our own. Return: 0 or -errno */
static int tdx_add_run(const struct tdx_launch *d, const struct image_part *first, uint64_t len,
	struct tdx_counts *counts, struct err *e)
{
	struct hv_tdx_init_mem_region r = {.gpa = first->gpa.v, .nr_pages = len >> PAGE_SHIFT};
	uint8_t *copy = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int rc;

	if (copy == MAP_FAILED)
		return err_sys(e, errno, "launch image");
	for (const struct image_part *p = first; p->gpa.v < first->gpa.v + len; p++) {
		if (p->bytes_len)
			memcpy(copy + (p->gpa.v - first->gpa.v), p->bytes, p->bytes_len);
		if (p->gpa.v + p->len >= first->gpa.v + len)
			break;
	}
	r.source_addr = (uintptr_t)copy;
	counts->runs++;
	counts->pages += r.nr_pages;
	rc = tdx_add(d, &r, first->type == IMAGE_NORMAL, counts);
	munmap(copy, len);
	return rc ? err_sys(e, -rc, "KVM_TDX_INIT_MEM_REGION at %#llx", (unsigned long long)r.gpa)
		  : 0;
}

static int tdx_add_image(const struct tdx_launch *d, struct tdx_counts *counts, struct err *e)
{
	const struct image_part *end = d->image->parts + d->image->n_parts;
	int rc = 0;

	for (const struct image_part *p = d->image->parts; p < end && !rc;) {
		const struct image_part *first = p;
		uint64_t len = 0;

		if (first->type != IMAGE_NORMAL && first->type != IMAGE_UNMEASURED)
			return err_set(e, EINVAL, "TDX knows no page of the type at %#llx",
				(unsigned long long)first->gpa.v);
		do
			len += p++->len;
		while (p < end && p->type == first->type && p->gpa.v == first->gpa.v + len);
		rc = tdx_add_run(d, first, len, counts, e);
	}
	return rc;
}

int hv_tdx_launch(
	struct hv *hv, const struct tdx_launch *desc, struct tdx_counts *counts, struct err *e)
{
	const struct hv_tdx_cmd finalize = {.id = HV_TDX_FINALIZE_VM};
	sigset_t all, before;
	uint64_t hw;
	int rc;

	*counts = (struct tdx_counts){.ioctls = 0};
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = tdx_init_vcpus(desc, counts, e);
	if (!rc)
		rc = tdx_add_image(desc, counts, e);
	if (!rc) {
		rc = tdx_command(hv->vm_fd, &finalize, &hw);
		counts->ioctls++;
		if (rc)
			rc = tdx_error(e, rc, hw, "KVM_TDX_FINALIZE_VM");
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return rc;
}
