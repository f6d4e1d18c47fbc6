/* SPDX-License-Identifier: Apache-2.0 */
/* Makes small ELF files and bzImages for the tests of the loader. */
#ifndef TESTS_UNIT_LOAD_MAKE_KERNEL_H
#define TESTS_UNIT_LOAD_MAKE_KERNEL_H

#include "base/bytes.h"

#include <linux/elf.h>

struct made {
	uint8_t *at;
	size_t len;
};

struct make_segment {
	uint64_t addr, mem_len;
	const char *text; /* contents, with its final NUL; NULL: none */
};

struct make_elf {
	uint64_t entry;
	struct make_segment segments[8]; /* up to the first with mem_len 0 */
	uint32_t pvh_entry;              /* 0: no note */
};

enum make_codec { MAKE_ZSTD, MAKE_ZSTD_BIG_WINDOW, MAKE_GZIP, MAKE_XZ, MAKE_LZ4, MAKE_CODECS };

struct make_bzimage {
	struct make_elf elf;
	enum make_codec codec;
	const char *version; /* NULL: "6.9.0-test (builder) #1" */
};

/* Offsets in what make_elf() makes. */
#define MADE_EHDR 0
#define MADE_PHDR 64

/* Offset of the code in what make_bzimage() makes, and of the payload in the code. */
#define MADE_CODE    1024
#define MADE_PAYLOAD 1024

/* make_elf() - an ELF file. The results of all three are malloc'ed. */
struct made make_elf(const struct make_elf *desc);

/* make_payload() - data compressed, with its size behind it as in a bzImage. */
struct made make_payload(const void *data, size_t len, enum make_codec codec);

/* make_bzimage() - a bzImage with that ELF file as its payload. */
struct made make_bzimage(const struct make_bzimage *desc);

/* made_bytes() - Return: a reader over it. */
static inline struct bytes made_bytes(struct made made)
{
	return bytes_of(made.at, made.len);
}

#endif
