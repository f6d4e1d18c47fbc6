/* SPDX-License-Identifier: Apache-2.0 */
/*
 * struct vm_type: one row per confidentiality level (DESIGN.md, section 2). What differs between
 * levels is data here, not branches elsewhere.
 */
#ifndef VMM_HV_VM_TYPE_H
#define VMM_HV_VM_TYPE_H

#include "vmm/hv/host.h"

#include <stddef.h>

/* From the weakest to the strongest. */
enum level { LEVEL_OFF, LEVEL_SOFT, LEVEL_SW_PROTECTED, LEVEL_SNP, LEVEL_TDX };

struct vm_type {
	enum level level;
	const char *name;  /* as --confidential takes it */
	const char *label; /* what it protects, in one line for people */
	unsigned int kvm_type;
	bool alias;      /* private pages at gpa | C-bit: an emulated SEV guest */
	bool dual;       /* one slot has both sides: guest_memfd private, userspace memory shared */
	bool attributes; /* private slots carry KVM's PRIVATE attribute; nobody can map them */
	bool split_irqchip; /* KVM has the local APICs alone */
	bool automatic;     /* `auto` may choose it */
};

/* vm_type_find() - Return: the row of a level's name, or NULL. */
const struct vm_type *vm_type_find(const char *name);

/* vm_type_of() - Return: the row of a level. */
const struct vm_type *vm_type_of(enum level level);

/* vm_type_missing() - what the host lacks for a level, as text in out. Return: false if nothing. */
bool vm_type_missing(const struct vm_type *type, const struct hv_host *host, char *out, size_t len);

/* vm_type_strongest() - Return: the strongest automatic level that the host has, or NULL. */
const struct vm_type *vm_type_strongest(const struct hv_host *host);

/*
 * vm_type_cbit() - the C-bit for a guest whose RAM ends at ram_end: the highest bit that memory
 * slots reach and that lies above all RAM and below 46, where Linux starts to need 5-level paging.
 * Return: the bit number, 0 if there is none.
 */
unsigned int vm_type_cbit(const struct hv_host *host, uint64_t ram_end);

#endif
