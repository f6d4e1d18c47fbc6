/* SPDX-License-Identifier: Apache-2.0 */
/*
 * struct layout: where RAM lies in guest physical address space.
 *
 * One range from 0, and a second one from 4 GiB when RAM does not fit below the hole for devices.
 * The offset of a page in its backing object equals its gpa; objects are sparse, so the hole costs
 * nothing.
 *
 * Above RAM there may be room for memory that comes later (vm.resize). Its addresses are part of
 * the layout from the beginning, so that objects and devices need not change when it comes.
 */
#ifndef MEMORY_LAYOUT_H
#define MEMORY_LAYOUT_H

#include "base/err.h"
#include "memory/gpa.h"

#define LAYOUT_HOLE_START GIB(3) /* devices live in [3 GiB, 4 GiB) */
#define LAYOUT_HOLE_END   GIB(4)
#define LAYOUT_LOW_LEN    MIB(1) /* boot data and the AP trampoline; never shared with devices */
#define LAYOUT_MIN_RAM    MIB(16)
#define LAYOUT_PLUG_ALIGN GIB(2)   /* Linux's memory blocks are of 128 MiB to 2 GiB */
#define LAYOUT_PLUG_STEP  MIB(128) /* what memory comes in */

struct layout_range {
	gpa_t gpa;
	uint64_t len; /* bytes, whole pages */
};

struct layout {
	struct layout_range ranges[2];
	unsigned int n_ranges;
	uint64_t ram;             /* bytes of RAM in all */
	struct layout_range plug; /* room for memory that comes later; len 0: none */
	gpa_t end;                /* first address above RAM and plug */
};

/*
 * layout_init() - lay out ram bytes.
 * Return: 0; -EINVAL if ram is not a whole number of MiB, below LAYOUT_MIN_RAM or above 2^45 bytes.
 */
int layout_init(struct layout *layout, uint64_t ram, struct err *e) MUST_CHECK;

/*
 * layout_reserve() - leave room for so many bytes of memory that come later, cut to a multiple of
 * LAYOUT_PLUG_STEP; 0: none. Return: 0; -EINVAL if they are too many.
 */
int layout_reserve(struct layout *layout, uint64_t len, struct err *e) MUST_CHECK;

/* layout_contains() - Return: true if [gpa, gpa+len) is not empty and lies within one range of RAM.
 */
bool layout_contains(const struct layout *layout, gpa_t gpa, uint64_t len);

/* layout_avoids() - Return: true if [gpa, gpa+len) is not empty, does not wrap and has no RAM in
 * it. */
bool layout_avoids(const struct layout *layout, gpa_t gpa, uint64_t len);

#endif
