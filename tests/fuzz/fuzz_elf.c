/* SPDX-License-Identifier: Apache-2.0 */
/* elf_parse(): what it accepts must lie in the file and must not wrap. */
#include "vmm/load/elf.h"

#include "tests/fuzz/fuzz.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct elf elf;
	struct err e = ERR_INIT;

	if (elf_parse(&elf, bytes_of(data, len), &e)) {
		assert(e.code && e.text[0]);
		return 0;
	}
	assert(elf.n_segments && elf.n_segments <= ELF_MAX_SEGMENTS);
	for (unsigned int i = 0; i < elf.n_segments; i++) {
		const struct elf_segment *s = &elf.segments[i];

		assert(s->len && s->addr + (s->len - 1) >= s->addr);
		assert(s->bytes.left <= s->len && !s->bytes.failed);
		assert(s->bytes.at >= data && s->bytes.at + s->bytes.left <= data + len);
	}
	return 0;
}
