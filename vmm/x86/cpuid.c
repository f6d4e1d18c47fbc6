/* SPDX-License-Identifier: Apache-2.0 */
/* The guest's CPUID; see vmm/x86/cpuid.h. Leaf layouts: Intel SDM volume 2A, AMD APM volume 3. */
#include "vmm/x86/cpuid.h"

#include <errno.h>
#include <string.h>

#define ECX1_TSC_DEADLINE     (1u << 24)
#define ECX1_RDRAND           (1u << 30)
#define ECX1_HYPERVISOR       (1u << 31)
#define EDX1_MACHINE_CHECKS   ((1u << 7) | (1u << 14)) /* MCE, MCA */
#define EDX1_HTT              (1u << 28)
#define KVM_MIGRATION_CTL     (1u << 17) /* leaf 0x40000001 EAX: the guest reports conversions */
#define KVM_ASYNC_PF_FEATURES ((1u << 4) | (1u << 10) | (1u << 14))
#define SEV_EAX_SEV           (1u << 1)
#define SEV_REDUCED_BITS(n)   ((uint32_t)(n) << 6)

struct kvm_cpuid_entry2 *cpuid_find(struct cpuid_table *t, uint32_t leaf, uint32_t subleaf)
{
	for (uint32_t i = 0; i < t->head.nent; i++) {
		struct kvm_cpuid_entry2 *en = &t->entries[i];
		bool indexed = en->flags & KVM_CPUID_FLAG_SIGNIFCANT_INDEX;

		if (en->function == leaf && (!indexed || en->index == subleaf))
			return en;
	}
	return NULL;
}

/* cpuid_set() - find or append an entry and zero its registers. Return: it, NULL if it is full. */
static struct kvm_cpuid_entry2 *cpuid_set(
	struct cpuid_table *t, uint32_t leaf, uint32_t subleaf, bool indexed)
{
	struct kvm_cpuid_entry2 *en = cpuid_find(t, leaf, subleaf);

	if (!en) {
		if (t->head.nent >= CPUID_MAX_ENTRIES)
			return NULL;
		en = &t->entries[t->head.nent++];
	}
	memset(en, 0, sizeof(*en));
	en->function = leaf;
	en->index = indexed ? subleaf : 0;
	en->flags = indexed ? KVM_CPUID_FLAG_SIGNIFCANT_INDEX : 0;
	return en;
}

static unsigned int cpuid_bits_for(unsigned int n)
{
	unsigned int bits = 0;

	while ((1u << bits) < n)
		bits++;
	return bits;
}

/* cpuid_drop() - remove every entry of a leaf */
static void cpuid_drop(struct cpuid_table *t, uint32_t leaf)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < t->head.nent; i++)
		if (t->entries[i].function != leaf)
			t->entries[kept++] = t->entries[i];
	t->head.nent = kept;
}

/* One thread per core, all cores in one package (leaf 0xB: SDM "Extended Topology Enumeration"). */
static int cpuid_topology(struct cpuid_table *t, const struct cpuid_desc *d)
{
	struct kvm_cpuid_entry2 *en = cpuid_find(t, 1, 0);

	if (en) {
		en->ebx = (en->ebx & 0x0000ffff) | d->index << 24 | d->n_vcpus << 16;
		en->edx = d->n_vcpus > 1 ? en->edx | EDX1_HTT : en->edx & ~EDX1_HTT;
	}
	for (uint32_t i = 0; i < t->head.nent; i++) {
		en = &t->entries[i];
		if (en->function == 4) /* caches are per core, cores per package */
			en->eax =
				(en->eax & 0x3fff) | ((1u << cpuid_bits_for(d->n_vcpus)) - 1) << 26;
	}
	en = cpuid_find(t, 0x80000008, 0);
	if (en)
		en->ecx = cpuid_bits_for(d->n_vcpus) << 12 | (d->n_vcpus - 1);
	cpuid_drop(t, 0x1f);
	cpuid_drop(t, 0xb);
	for (uint32_t level = 0; level < 3; level++) {
		en = cpuid_set(t, 0xb, level, true);
		if (!en)
			return -E2BIG;
		en->ecx = level;
		en->edx = d->index;
		if (level < 2) {
			en->eax = level ? cpuid_bits_for(d->n_vcpus) : 0;
			en->ebx = level ? d->n_vcpus : 1;
			en->ecx |= (level + 1) << 8; /* 1 = SMT, 2 = core */
		}
	}
	return 0;
}

static int cpuid_sev(struct cpuid_table *t, const struct cpuid_desc *d, struct err *e)
{
	struct kvm_cpuid_entry2 *one = cpuid_find(t, 1, 0), *en;

	if (d->need_rdrand && (!one || !(one->ecx & ECX1_RDRAND)))
		return err_set(
			e, ENODEV, "this host's CPU has no RDRAND, which an SEV guest needs");
	en = cpuid_find(t, 0x80000000, 0);
	if (en && en->eax < 0x8000001f)
		en->eax = 0x8000001f;
	en = cpuid_find(t, 0x80000008, 0);
	if (!en)
		return err_set(e, ENODEV, "KVM reports no CPUID leaf 0x80000008");
	if ((en->eax & 0xff) < d->cbit + 1)
		en->eax = (en->eax & ~0xffu) | (d->cbit + 1);
	en = cpuid_set(t, 0x8000001f, 0, false);
	if (!en)
		return err_set(e, E2BIG, "CPUID table is full");
	en->eax = SEV_EAX_SEV;
	en->ebx = d->cbit | SEV_REDUCED_BITS(1);
	en = cpuid_find(t, 0x40000001, 0);
	if (en)
		en->eax = (en->eax & ~KVM_ASYNC_PF_FEATURES) | KVM_MIGRATION_CTL;
	return 0;
}

int cpuid_build(struct cpuid_table *t, const struct cpuid_desc *d, struct err *e)
{
	struct kvm_cpuid_entry2 *en = cpuid_find(t, 1, 0);

	if (en) {
		en->ecx |= ECX1_HYPERVISOR;
		if (d->signature)
			en->eax = d->signature;
		/* Nobody tells the guest of broken memory, and KVM's 32 banks cost it 110 exits. */
		if (!d->signature)
			en->edx &= ~EDX1_MACHINE_CHECKS;
		if (d->tsc_deadline)
			en->ecx |= ECX1_TSC_DEADLINE;
	}
	if (cpuid_topology(t, d))
		return err_set(e, E2BIG, "CPUID table is full");
	return d->cbit ? cpuid_sev(t, d, e) : 0;
}

uint64_t cpuid_xcr0(struct cpuid_table *t)
{
	const struct kvm_cpuid_entry2 *en = cpuid_find(t, 0xd, 0);

	return en ? en->eax | (uint64_t)en->edx << 32 : 1;
}
