/* SPDX-License-Identifier: Apache-2.0 */
/* ovmf_parse(), ovmf_read_sections(), snp_image_add(): sections lie below the firmware. */
#include "vmm/load/ovmf.h"

#include "tests/fuzz/fuzz.h"
#include "vmm/load/sev_hashes.h"
#include "vmm/load/snp_image.h"

#include <assert.h>

static void fuzz_sections(const struct ovmf *fw)
{
	assert(fw->n_sections <= OVMF_SECTIONS_MAX);
	for (size_t i = 0; i < fw->n_sections; i++) {
		const struct ovmf_section *s = &fw->sections[i];

		assert(s->size && is_aligned(s->gpa.v, PAGE_SIZE) &&
			is_aligned(s->size, PAGE_SIZE));
		assert(s->gpa.v + s->size <= OVMF_TOP - fw->file.left);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const struct sev_hashes hashes;
	struct ovmf fw;
	struct image image;
	struct err e = ERR_INIT;

	if (ovmf_parse(&fw, bytes_of(data, len), &e) || ovmf_read_sections(&fw, &e)) {
		assert(e.code && e.text[0]);
		return 0;
	}
	fuzz_sections(&fw);
	for (unsigned int i = 0; i < 8; i++) {
		image_init(&image);
		if (!snp_image_add(&image,
			    &(struct snp_image_spec){
				    .fw = &fw,
				    .sections = true,
				    .hashes = i & 1 ? &hashes : NULL,
				    .rules = {.cpuid_last = i & 2, .sec_mem_unmeasured = i & 4},
			    },
			    &e))
			assert(image.n_parts == fw.n_sections);
		image_fini(&image);
	}
	return 0;
}
