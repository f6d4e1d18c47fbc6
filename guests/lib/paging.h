/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The two sides of guest memory, and conversions.
 *
 * The VMM's page tables map the first 4 GiB to themselves, with the C-bit at level soft. Guests
 * have less than 1 GiB of RAM, so paging_init() uses the second GiB of addresses as a window on
 * the first GiB *without* the C-bit (the shared side), and drops the C-bit from the fourth GiB,
 * where devices are.
 */
#ifndef GUESTS_LIB_PAGING_H
#define GUESTS_LIB_PAGING_H

#include <stdint.h>

#define PAGE          0x1000ull
#define SHARED_WINDOW 0x40000000ull

/* paging_init() - set both up; the C-bit is found in the VMM's tables. */
void paging_init(void);

/* paging_aim() - make the third GiB of addresses a window on the GiB from gpa on. */
#define AIMED_WINDOW 0x80000000ull
void paging_aim(uint64_t gpa);

/* paging_cbit() - Return: the mask of the C-bit, 0 if there is none. */
uint64_t paging_cbit(void);

/* shared_side() - Return: a pointer to the shared side of a guest physical address. */
static inline void *shared_side(uint64_t gpa)
{
	return (void *)(gpa + SHARED_WINDOW);
}

/* private_side() - Return: a pointer to the private side; the only one if there is no C-bit. */
static inline void *private_side(uint64_t gpa)
{
	return (void *)gpa;
}

/* convert() - ask the VMM by hypercall, or the doorbell if there is one. Return: 0 or an errno. */
uint32_t convert(uint64_t gpa, uint64_t n_pages, int to_private);

#endif
