/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The CPUID page of an SNP guest: the leaves that the firmware vouches for. SEV-SNP firmware ABI
 * (AMD 56860), table "CPUID_PAGE structure". Pure.
 */
#ifndef VMM_X86_CPUID_PAGE_H
#define VMM_X86_CPUID_PAGE_H

#include "base/err.h"
#include "vmm/x86/cpuid.h"

#define CPUID_PAGE_LEN  4096
#define CPUID_PAGE_MAX  64 /* entries */
#define CPUID_PAGE_REGS 4

/* One entry of a page; registers in the order EAX, EBX, ECX, EDX. */
struct cpuid_page_entry {
	uint32_t leaf, subleaf;
	uint32_t regs[CPUID_PAGE_REGS];
};

/*
 * cpuid_page_fill() - write the page of a guest whose vCPUs get the table t. Entries of zeros are
 * left out, since a guest takes what is not there as zeros; bits that firmware refuses are cleared.
 * Return: 0, or -E2BIG for more entries than the page holds.
 */
int cpuid_page_fill(
	uint8_t page[CPUID_PAGE_LEN], const struct cpuid_table *t, struct err *e) MUST_CHECK;

/*
 * cpuid_page_differ() - the next entry, from number *at on, in which two pages with the same leaves
 * differ. *at is moved behind it. Return: false if there is none.
 */
bool cpuid_page_differ(const uint8_t a[CPUID_PAGE_LEN], const uint8_t b[CPUID_PAGE_LEN],
	unsigned int *at, struct cpuid_page_entry out[2]);

#endif
