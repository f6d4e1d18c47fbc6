/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the guest's CPUID says: KVM's supported table, plus what the board and the level decide.
 * Pure: tables in, table out.
 */
#ifndef VMM_X86_CPUID_H
#define VMM_X86_CPUID_H

#include "base/err.h"

#include <linux/kvm.h>
#include <stdbool.h>
#include <stdint.h>

#define CPUID_MAX_ENTRIES 128

struct cpuid_table {
	struct kvm_cpuid2 head; /* must stay first: entries follow it as KVM wants */
	struct kvm_cpuid_entry2 entries[CPUID_MAX_ENTRIES];
};

struct cpuid_desc {
	unsigned int index, n_vcpus; /* of this vCPU; APIC id = index */
	uint32_t signature; /* leaf 1 EAX; 0: as KVM has it */
	unsigned int cbit; /* bit number, 0: not an SEV guest */
	bool tsc_deadline; /* KVM has the timer */
	bool need_rdrand; /* an SEV guest that is Linux spins without */
};

/* cpuid_find() - Return: the entry of a leaf and subleaf (0 where a leaf has none), or NULL. */
struct kvm_cpuid_entry2 *cpuid_find(struct cpuid_table *t, uint32_t leaf, uint32_t subleaf);

/*
 * cpuid_build() - turn KVM's supported table into that of one vCPU, in place.
 * An SEV guest (soft-confidential recipe: CPUID 0x8000001F EAX bit 1, EBX C-bit and one reduced
 * bit; AMD APM volume 3, section E.4.17) needs RDRAND; physical bits are raised above the C-bit.
 * Return: 0; -E2BIG when the table is full; -ENODEV without RDRAND where that is needed.
 */
int cpuid_build(struct cpuid_table *t, const struct cpuid_desc *desc, struct err *e) MUST_CHECK;

/* cpuid_xcr0() - Return: the XCR0 bits that leaf 0xD allows, 1 (x87) without the leaf. */
uint64_t cpuid_xcr0(struct cpuid_table *t);

#endif
