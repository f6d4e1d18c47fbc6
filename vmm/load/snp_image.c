/* SPDX-License-Identifier: Apache-2.0 */
/* Launch image of an SNP guest; see vmm/load/snp_image.h. */
#include "vmm/load/snp_image.h"

#include "vmm/load/ovmf.h"
#include "vmm/load/sev_hashes.h"

#include <errno.h>
#include <string.h>

/* snp_image_firmware() - append a whole firmware file that ends at `end`. */
static int snp_image_firmware(struct image *image, struct bytes file, uint64_t end, struct err *e)
{
	if (!file.left || !is_aligned(file.left, PAGE_SIZE) || file.left > end)
		return err_set(e, EINVAL, "firmware: %zu bytes are not whole pages below %#llx",
			file.left, (unsigned long long)end);
	return image_add(image,
		&(struct image_part){
			.gpa = gpa_of(end - file.left),
			.len = file.left,
			.type = IMAGE_NORMAL,
			.bytes = file.at,
			.bytes_len = file.left,
		},
		e);
}

/* snp_image_hashes() - edk2 OvmfPkg, section SNP_KERNEL_HASHES: append the page with the hash table
 * at its place in the section. */
static int snp_image_hashes(struct image *image, const struct snp_image_spec *spec,
	const struct ovmf_section *s, struct err *e)
{
	const struct ovmf *fw = spec->fw;
	uint64_t offset = fw->hashes_gpa - s->gpa.v;
	uint8_t *page;
	int ret;

	if (s->size != PAGE_SIZE || fw->hashes_gpa < s->gpa.v ||
		!range_in(offset, SEV_HASHES_TABLE, PAGE_SIZE))
		return err_set(e, EINVAL, "firmware: its hash table is not inside section %#llx",
			(unsigned long long)s->gpa.v);
	page = calloc(1, PAGE_SIZE);
	if (!page)
		return err_sys(e, ENOMEM, "launch image");
	sev_hashes_write(page + offset, spec->hashes);
	ret = image_own(image, page, e);
	if (ret)
		return ret;
	return image_add(image,
		&(struct image_part){
			.gpa = s->gpa,
			.len = PAGE_SIZE,
			.type = IMAGE_NORMAL,
			.bytes = page,
			.bytes_len = PAGE_SIZE,
		},
		e);
}

/* edk2 OvmfPkg/ResetVector/X64/OvmfSevMetadata.asm has the sections, SNP firmware ABI 8.17 the
 * pages */
static enum image_page snp_image_page(const struct snp_image_rules *rules, enum ovmf_section_type t)
{
	switch (t) {
	case OVMF_SEC_MEM:
		return rules->sec_mem_unmeasured ? IMAGE_UNMEASURED : IMAGE_ZERO;
	case OVMF_SECRETS:
		return IMAGE_SECRETS;
	case OVMF_CPUID:
		return IMAGE_CPUID;
	case OVMF_SVSM_CAA:
	case OVMF_KERNEL_HASHES: /* no kernel: an empty page */
		return IMAGE_ZERO;
	}
	return IMAGE_ZERO;
}

static int snp_image_section(struct image *image, const struct snp_image_spec *spec,
	const struct ovmf_section *s, struct err *e)
{
	struct image_part part = {.gpa = s->gpa, .len = s->size};

	if (s->type == OVMF_KERNEL_HASHES && spec->hashes)
		return snp_image_hashes(image, spec, s, e);
	part.type = snp_image_page(&spec->rules, s->type);
	return image_add(image, &part, e);
}

/* snp_image_check_hashes() - a kernel needs exactly one place for its hashes. */
static int snp_image_check_hashes(const struct ovmf *fw, struct err *e)
{
	unsigned int n = 0;

	for (size_t i = 0; i < fw->n_sections; i++)
		n += fw->sections[i].type == OVMF_KERNEL_HASHES;
	if (n != 1 || !fw->hashes_gpa || fw->hashes_size < SEV_HASHES_TABLE)
		return err_set(e, EINVAL, "firmware has no place for the hashes of a kernel");
	return 0;
}

int snp_image_add(struct image *image, const struct snp_image_spec *spec, struct err *e)
{
	const struct ovmf *fw = spec->fw;
	int ret = spec->hashes ? snp_image_check_hashes(fw, e) : 0;

	if (!ret && spec->firmware)
		ret = snp_image_firmware(image, fw->file, OVMF_TOP, e);
	/* pass 0: in table order, but CPUID where the VMM puts it last; pass 1: those */
	for (unsigned int pass = 0; pass < 2; pass++)
		for (size_t i = 0; !ret && spec->sections && i < fw->n_sections; i++) {
			const struct ovmf_section *s = &fw->sections[i];
			bool last = spec->rules.cpuid_last && s->type == OVMF_CPUID;

			if (last == pass)
				ret = snp_image_section(image, spec, s, e);
		}
	return ret;
}

int snp_image_add_svsm(
	struct image *image, const struct snp_image_svsm_spec *spec, gpa_t *entry, struct err *e)
{
	const struct snp_image_spec sections = {.fw = spec->svsm, .sections = true};
	uint64_t end = OVMF_TOP - spec->fw->file.left; /* of the SVSM */
	struct bytes svsm = spec->svsm->file;
	int ret;

	if (!spec->svsm->has_svsm || spec->svsm->svsm_launch >= svsm.left)
		return err_set(e, EINVAL, "SVSM: no entry point, or one outside of the file");
	if (!is_aligned(spec->vars_size, PAGE_SIZE) || spec->vars_size > end)
		return err_set(e, EINVAL, "SVSM: bad size of the variables: %#llx",
			(unsigned long long)spec->vars_size);
	end -= spec->vars_size;
	ret = snp_image_firmware(image, spec->fw->file, OVMF_TOP, e);
	if (!ret)
		ret = snp_image_firmware(image, svsm, end, e);
	if (ret)
		return ret;
	*entry = gpa_of(end - svsm.left + spec->svsm->svsm_launch);
	return snp_image_add(image, &sections, e);
}
