/* SPDX-License-Identifier: Apache-2.0 */
/* The CPUID page; see vmm/x86/cpuid_page.h. */
#include "vmm/x86/cpuid_page.h"

#include "base/attr.h"

#include <errno.h>
#include <string.h>

#define XSAVE_LEAF 0xdu
#define XSAVE_SIZE 0x240u /* bytes with XCR0 = 1: legacy area and header */

struct page_entry {
	uint32_t eax_in, ecx_in;
	uint64_t xcr0_in, xss_in;
	uint32_t regs[CPUID_PAGE_REGS];
	uint64_t reserved;
};
_Static_assert(sizeof(struct page_entry) == 48, "CPUID function structure");

struct page {
	uint32_t count, reserved1;
	uint64_t reserved2;
	struct page_entry entries[CPUID_PAGE_MAX];
};
_Static_assert(sizeof(struct page) <= CPUID_PAGE_LEN, "CPUID page");

enum { EAX, EBX, ECX, EDX };

/* What firmware refuses in a guest's page although KVM offers it: it cannot be had by such a guest.
 */
static const struct {
	uint32_t leaf, subleaf;
	unsigned int reg;
	uint32_t bits;
} refused[] = {
	{1, 0, ECX, 1u << 24},          /* TSC deadline timer */
	{7, 0, EBX, 1u << 1},           /* TSC_ADJUST */
	{7, 0, EDX, 0xfc000000u},       /* SPEC_CTRL, STIBP, L1D flush, capabilities, SSBD */
	{0x80000008, 0, EBX, 1u << 25}, /* virtual SSBD */
};

static void entry_filter(struct page_entry *to)
{
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++)
		if (refused[i].leaf == to->eax_in && refused[i].subleaf == to->ecx_in)
			to->regs[refused[i].reg] &= ~refused[i].bits;
	if (to->eax_in == XSAVE_LEAF && to->ecx_in < 2) {
		to->xcr0_in = 1;
		to->regs[EBX] = XSAVE_SIZE;
	}
}

static bool entry_empty(const struct kvm_cpuid_entry2 *en)
{
	return !(en->eax | en->ebx | en->ecx | en->edx);
}

int cpuid_page_fill(uint8_t page[CPUID_PAGE_LEN], const struct cpuid_table *t, struct err *e)
{
	struct page p = {.count = 0};

	for (uint32_t i = 0; i < t->head.nent; i++) {
		const struct kvm_cpuid_entry2 *en = &t->entries[i];
		struct page_entry *to = &p.entries[p.count];

		if (entry_empty(en))
			continue;
		if (p.count == CPUID_PAGE_MAX)
			return err_set(e, E2BIG,
				"this host has more CPUID leaves than the %d of a CPUID page",
				CPUID_PAGE_MAX);
		*to = (struct page_entry){
			.eax_in = en->function,
			.ecx_in = en->flags & KVM_CPUID_FLAG_SIGNIFCANT_INDEX ? en->index : 0,
			.regs = {en->eax, en->ebx, en->ecx, en->edx},
		};
		entry_filter(to);
		p.count++;
	}
	memset(page, 0, CPUID_PAGE_LEN);
	memcpy(page, &p, sizeof(p));
	return 0;
}

bool cpuid_page_differ(const uint8_t a[CPUID_PAGE_LEN], const uint8_t b[CPUID_PAGE_LEN],
	unsigned int *at, struct cpuid_page_entry out[2])
{
	struct page p[2];

	memcpy(&p[0], a, sizeof(p[0]));
	memcpy(&p[1], b, sizeof(p[1]));
	for (; *at < CPUID_PAGE_MAX; ++*at) {
		if (!memcmp(&p[0].entries[*at], &p[1].entries[*at], sizeof(struct page_entry)))
			continue;
		for (unsigned int i = 0; i < 2; i++) {
			const struct page_entry *en = &p[i].entries[*at];

			out[i] = (struct cpuid_page_entry){
				.leaf = en->eax_in, .subleaf = en->ecx_in};
			memcpy(out[i].regs, en->regs, sizeof(en->regs));
		}
		++*at;
		return true;
	}
	return false;
}
