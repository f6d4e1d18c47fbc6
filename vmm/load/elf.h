/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ELF64 executables for x86-64: the segments to load and where to enter. Pure: bytes in, struct
 * out.
 */
#ifndef VMM_LOAD_ELF_H
#define VMM_LOAD_ELF_H

#include "base/bytes.h"
#include "base/err.h"

#define ELF_MAX_SEGMENTS 32

struct elf_segment {
	uint64_t addr;      /* physical */
	uint64_t len;       /* in memory, not 0; addr + len does not wrap */
	struct bytes bytes; /* contents, at most len; the rest is zeros */
};

struct elf {
	uint64_t entry;          /* physical, inside the contents of a segment */
	unsigned int n_segments; /* at least 1 */
	struct elf_segment segments[ELF_MAX_SEGMENTS];
	bool pvh;           /* has a PVH note: a 32-bit entry without paging */
	uint64_t pvh_entry; /* the same rule as for entry */
};

/* elf_is() - Return: true if the file starts like any ELF file. */
bool elf_is(struct bytes file);

/*
 * elf_parse() - read the headers; the segments point into the file.
 * Return: 0; -EINVAL (not an x86-64 ELF64 executable, truncated, contradictory).
 */
int elf_parse(struct elf *elf, struct bytes file, struct err *e) MUST_CHECK;

#endif
