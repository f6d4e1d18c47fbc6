/* SPDX-License-Identifier: Apache-2.0 */
/* ELF64 executables; see vmm/load/elf.h. Layouts: System V gABI, chapters 4 and 5. */
#include "vmm/load/elf.h"

#include "base/num.h"

#include <errno.h>
#include <linux/elf.h>
#include <string.h>

#define ELF_MAX_HEADERS   128
#define NOTE_PHYS32_ENTRY 18 /* Xen's elfnote.h: XEN_ELFNOTE_PHYS32_ENTRY, name "Xen" */

bool elf_is(struct bytes file)
{
	return file.left >= SELFMAG && !memcmp(file.at, ELFMAG, SELFMAG);
}

static int elf_check_header(const Elf64_Ehdr *h, struct err *e)
{
	if (h->e_ident[EI_CLASS] != ELFCLASS64 || h->e_ident[EI_DATA] != ELFDATA2LSB)
		return err_set(e, EINVAL, "not a 64-bit little-endian ELF file");
	if (h->e_machine != EM_X86_64)
		return err_set(e, EINVAL, "ELF machine %u is not x86-64 (62)", h->e_machine);
	if (h->e_type != ET_EXEC && h->e_type != ET_DYN)
		return err_set(e, EINVAL, "ELF type %u is not an executable", h->e_type);
	if (h->e_phentsize != sizeof(Elf64_Phdr) || !h->e_phnum || h->e_phnum > ELF_MAX_HEADERS)
		return err_set(e, EINVAL, "%u ELF program headers of %u bytes are not loadable",
			h->e_phnum, h->e_phentsize);
	return 0;
}

static int elf_add_segment(struct elf *elf, const Elf64_Phdr *p, struct bytes file, struct err *e)
{
	struct elf_segment *s = &elf->segments[elf->n_segments];
	uint64_t end;

	if (!p->p_memsz)
		return 0;
	if (elf->n_segments == ELF_MAX_SEGMENTS)
		return err_set(e, EINVAL, "more than %d ELF segments", ELF_MAX_SEGMENTS);
	if (p->p_filesz > p->p_memsz || __builtin_add_overflow(p->p_paddr, p->p_memsz, &end))
		return err_set(
			e, EINVAL, "ELF segment %u has contradictory sizes", elf->n_segments);
	s->bytes = bytes_slice(&file, p->p_offset, p->p_filesz);
	if (s->bytes.failed)
		return err_set(e, EINVAL, "truncated: ELF segment %u ends beyond the file",
			elf->n_segments);
	s->addr = p->p_paddr;
	s->len = p->p_memsz;
	elf->n_segments++;
	return 0;
}

/* elf_find_pvh() - look for the note with the 32-bit entry among the notes of one segment */
static void elf_find_pvh(struct elf *elf, struct bytes notes, uint64_t align)
{
	while (notes.left && !notes.failed) {
		uint32_t name_len = bytes_u32(&notes), desc_len = bytes_u32(&notes);
		uint32_t type = bytes_u32(&notes);
		const uint8_t *name = bytes_take(&notes, align_up((uint64_t)name_len, align));
		struct bytes desc = bytes_slice(&notes, 0, desc_len);

		if (name && name_len == 4 && !memcmp(name, "Xen", 4) && type == NOTE_PHYS32_ENTRY &&
			desc_len >= 4 && !desc.failed) {
			elf->pvh_entry = bytes_u32(&desc);
			elf->pvh = true;
			return;
		}
		bytes_take(&notes, min_u64(align_up((uint64_t)desc_len, align), notes.left));
	}
}

static bool elf_has(const struct elf *elf, uint64_t addr)
{
	for (unsigned int i = 0; i < elf->n_segments; i++) {
		const struct elf_segment *s = &elf->segments[i];

		if (addr >= s->addr && addr - s->addr < s->bytes.left)
			return true;
	}
	return false;
}

static int elf_check_entry(const struct elf *elf, uint64_t entry, struct err *e)
{
	if (!elf_has(elf, entry))
		return err_set(e, EINVAL, "entry point %#llx lies in no ELF segment",
			(unsigned long long)entry);
	return 0;
}

int elf_parse(struct elf *elf, struct bytes file, struct err *e)
{
	struct bytes head = file, table;
	Elf64_Ehdr h;
	Elf64_Phdr p;

	memset(elf, 0, sizeof(*elf));
	bytes_copy(&head, &h, sizeof(h));
	if (head.failed || !elf_is(file))
		return err_set(e, EINVAL, "truncated or not an ELF file");
	if (elf_check_header(&h, e))
		return -e->code;
	table = bytes_slice(&file, h.e_phoff, (uint64_t)h.e_phnum * sizeof(p));
	if (table.failed)
		return err_set(e, EINVAL, "truncated: ELF program headers end beyond the file");
	for (unsigned int i = 0; i < h.e_phnum; i++) {
		bytes_copy(&table, &p, sizeof(p));
		if (p.p_type == PT_LOAD && elf_add_segment(elf, &p, file, e))
			return -e->code;
		if (p.p_type == PT_NOTE && !elf->pvh)
			elf_find_pvh(elf, bytes_slice(&file, p.p_offset, p.p_filesz),
				p.p_align == 8 ? 8 : 4);
	}
	if (!elf->n_segments)
		return err_set(e, EINVAL, "ELF file has nothing to load");
	elf->entry = h.e_entry;
	if (elf->pvh && elf_check_entry(elf, elf->pvh_entry, e))
		return err_context(e, "PVH note");
	return elf_check_entry(elf, elf->entry, e);
}
