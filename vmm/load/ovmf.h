/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tables at the end of an OVMF or SVSM firmware file: the GUIDed footer table, and the SEV
 * metadata that it points to. A pure parser: nothing in here is measured or loaded yet.
 *
 * The file is hostile. Entries and sections that run past the file, repeat, or cannot be launched
 * are errors, all found before anybody looks at a page.
 */
#ifndef VMM_LOAD_OVMF_H
#define VMM_LOAD_OVMF_H

#include "base/bytes.h"
#include "base/err.h"
#include "memory/gpa.h"

#define OVMF_SECTIONS_MAX 256
#define OVMF_FILE_MAX     MIB(256)
#define OVMF_TOP          GIB(4) /* firmware ends here */

/* Types of SEV metadata sections; edk2 OvmfPkg/ResetVector/X64/OvmfSevMetadata.asm */
enum ovmf_section_type {
	OVMF_SEC_MEM = 1,
	OVMF_SECRETS = 2,
	OVMF_CPUID = 3,
	OVMF_SVSM_CAA = 4,
	OVMF_KERNEL_HASHES = 0x10,
};

struct ovmf_section {
	gpa_t gpa;
	uint32_t size; /* bytes, whole pages, not 0 */
	enum ovmf_section_type type;
};

struct ovmf {
	struct bytes file;                               /* all of it */
	bool has_reset, has_metadata, has_tdx, has_svsm; /* which table entries there are */
	uint32_t reset_eip;                              /* where APs start */
	uint32_t hashes_gpa, hashes_size; /* place for the hashes of a kernel; 0 for none */
	uint32_t metadata_offset;         /* of the SEV metadata, from the end of the file */
	uint32_t tdx_offset;              /* of the TDX metadata, from the end of the file */
	uint32_t svsm_launch;             /* SVSM: offset of the entry point in the file */
	struct ovmf_section sections[OVMF_SECTIONS_MAX]; /* in table order, empty ones left out */
	size_t n_sections;
};

/* ovmf_has_footer() - Return: true if the file ends with the GUID of a footer table. */
bool ovmf_has_footer(struct bytes file);

/*
 * ovmf_parse() - read the footer table.
 * @file: stays the caller's and must outlive *fw
 * Return: 0, or -EINVAL; fw->n_sections is 0 until ovmf_read_sections().
 */
int ovmf_parse(struct ovmf *fw, struct bytes file, struct err *e) MUST_CHECK;

/* ovmf_read_sections() - read the SEV metadata into fw->sections. Return: 0, or -EINVAL. */
int ovmf_read_sections(struct ovmf *fw, struct err *e) MUST_CHECK;

/*
 * ovmf_add_section() - append a section after checking it; an empty one is left out.
 * @type: as in the file
 * Return: 0, or -EINVAL: unaligned, above the limit, too many, unknown, more than it may hold.
 */
int ovmf_add_section(
	struct ovmf *fw, uint64_t gpa, uint64_t size, uint64_t type, struct err *e) MUST_CHECK;

#endif
