/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copying the launch image into private memory that this process can't map (level sw-protected).
 *
 * The monitor loads the image into the shared side; the first vCPU starts with a stub in low memory
 * that copies it to the private side, loads the real page tables, tells the monitor by a port
 * (which then frees the shared side) and jumps to the real entry. It stands in for the launch
 * commands of hardware levels; nothing is measured.
 */
#ifndef VMM_X86_COPYIN_H
#define VMM_X86_COPYIN_H

#include "base/err.h"
#include "vmm/x86/entry.h"

struct image;

#define COPYIN_PRIVATE    UINT64_C(0x8000000000) /* virtual distance from shared to private */
#define COPYIN_MAX_RANGES 64u

/* What the stub reads; in low memory. */
struct copyin_info {
	uint64_t n_ranges;
	uint64_t cr3, rip, rsi; /* of the real entry */
	struct {
		uint64_t gpa;
		uint64_t words; /* of eight bytes */
	} ranges[COPYIN_MAX_RANGES];
};

/*
 * copyin_add() - add stub, page tables and list of ranges to an image, and aim its entry at them.
 * Only pages that have bytes are copied. @cbit: the mask.
 * Return: 0; -EINVAL (entry not 64-bit, a part above 4 GiB), -E2BIG (too many parts), -ENOMEM.
 */
int copyin_add(struct image *image, struct x86_entry *entry, uint64_t cbit,
	struct err *e) MUST_CHECK;

#endif
