/* SPDX-License-Identifier: Apache-2.0 */
/* The SEV-SNP launch digest; see attestation/snp_digest.h. */
#include "attestation/snp_digest.h"

#include "attestation/vmsa.h"
#include "base/bytes.h"

#include <string.h>

/* SNP firmware ABI, table "Layout of the PAGE_INFO structure" */
struct page_info {
	uint8_t current[SNP_DIGEST_LEN];
	uint8_t contents[SNP_DIGEST_LEN];
	uint16_t length;
	uint8_t page_type;
	uint8_t imi_page;
	uint8_t vmpl_perms[4]; /* VMPL3, VMPL2, VMPL1, reserved: 0 for every VMM that we know */
	uint64_t gpa;
} __attribute__((packed));
_Static_assert(sizeof(struct page_info) == 0x70, "PAGE_INFO");

/* SNP firmware ABI, table "Encodings for the PAGE_TYPE field" */
static const struct {
	uint8_t code;
	const char *name;
} types[] = {
	[IMAGE_NORMAL] = {1, "NORMAL"},
	[IMAGE_VMSA] = {2, "VMSA"},
	[IMAGE_ZERO] = {3, "ZERO"},
	[IMAGE_UNMEASURED] = {4, "UNMEASURED"},
	[IMAGE_SECRETS] = {5, "SECRETS"},
	[IMAGE_CPUID] = {6, "CPUID"},
};

static const uint8_t zeros[PAGE_SIZE];

int snp_digest_init(
	struct snp_digest *d, const uint8_t *seed, const struct trace *trace, struct err *e)
{
	int ret;

	memset(d, 0, sizeof(*d));
	d->trace = trace;
	if (seed)
		memcpy(d->value, seed, SNP_DIGEST_LEN);
	ret = digest_init(&d->hash, DIGEST_SHA384, e);
	if (ret)
		return ret;
	digest_update(&d->hash, zeros, sizeof(zeros));
	ret = digest_final(&d->hash, d->zero_page, e);
	if (ret)
		snp_digest_fini(d);
	return ret;
}

void snp_digest_fini(struct snp_digest *d)
{
	digest_fini(&d->hash);
}

/*
 * snp_digest_page() - add one page.
 * @contents: SHA-384 of its bytes; NULL for types whose bytes the firmware does not measure
 */
static int snp_digest_page(struct snp_digest *d, enum image_page type, gpa_t gpa,
	const uint8_t *contents, struct err *e)
{
	struct page_info info = {
		.length = sizeof(info), .page_type = types[type].code, .gpa = gpa.v};
	int ret;

	memcpy(info.current, d->value, SNP_DIGEST_LEN);
	if (contents)
		memcpy(info.contents, contents, SNP_DIGEST_LEN);
	digest_update(&d->hash, &info, sizeof(info));
	ret = digest_final(&d->hash, d->value, e);
	if (!ret && d->trace)
		d->trace->step(d->trace->to,
			&(struct trace_step){
				.what = types[type].name,
				.gpa = gpa,
				.len = PAGE_SIZE,
				.contents = contents,
				.running = d->value,
				.digest_len = SNP_DIGEST_LEN,
			});
	return ret;
}

/* snp_digest_contents() - hash a page of which `len` bytes are given and the rest is zeros. */
static int snp_digest_contents(
	struct snp_digest *d, const uint8_t *bytes, size_t len, uint8_t *out, struct err *e)
{
	if (!len) {
		memcpy(out, d->zero_page, SNP_DIGEST_LEN);
		return 0;
	}
	digest_update(&d->hash, bytes, len);
	digest_update(&d->hash, zeros, PAGE_SIZE - len);
	return digest_final(&d->hash, out, e);
}

/* snp_digest_loaded() - add a part whose bytes are measured. */
static int snp_digest_loaded(struct snp_digest *d, const struct image_part *part, struct err *e)
{
	const uint8_t *last =
		NULL; /* the page that `contents` belongs to, when it was a whole one */
	uint8_t contents[SNP_DIGEST_LEN];

	for (uint64_t at = 0; at < part->len; at += PAGE_SIZE) {
		uint64_t len = at < part->bytes_len ? min_u64(part->bytes_len - at, PAGE_SIZE) : 0;
		const uint8_t *page = len ? (const uint8_t *)part->bytes + at : NULL;
		int ret = 0;

		/* firmware is full of runs of equal pages */
		if (!last || len != PAGE_SIZE || memcmp(page, last, PAGE_SIZE) != 0)
			ret = snp_digest_contents(d, page, len, contents, e);
		if (!ret)
			ret = snp_digest_page(d, part->type, gpa_plus(part->gpa, at), contents, e);
		if (ret)
			return ret;
		last = len == PAGE_SIZE ? page : NULL;
	}
	return 0;
}

int snp_digest_image(struct snp_digest *d, const struct image *image, struct err *e)
{
	int ret = 0;

	for (size_t i = 0; !ret && i < image->n_parts; i++) {
		const struct image_part *part = &image->parts[i];

		/* SNP firmware ABI 8.17.2: CONTENTS is a hash for NORMAL and VMSA, else zeros */
		if (part->type == IMAGE_NORMAL || part->type == IMAGE_VMSA) {
			ret = snp_digest_loaded(d, part, e);
			continue;
		}
		for (uint64_t at = 0; !ret && at < part->len; at += PAGE_SIZE)
			ret = snp_digest_page(d, part->type, gpa_plus(part->gpa, at), NULL, e);
	}
	return ret;
}

int snp_digest_vmsa(struct snp_digest *d, const void *page, uint32_t count, struct err *e)
{
	uint8_t contents[SNP_DIGEST_LEN];
	int ret = snp_digest_contents(d, page, VMSA_LEN, contents, e);

	while (!ret && count--)
		ret = snp_digest_page(d, IMAGE_VMSA, gpa_of(VMSA_GPA), contents, e);
	return ret;
}
