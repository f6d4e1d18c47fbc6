/* SPDX-License-Identifier: Apache-2.0 */
/* The SEV-SNP launch digest; see attestation/snp_digest.h. */
#include "attestation/snp_digest.h"

#include "attestation/page_hash.h"
#include "attestation/vmsa.h"
#include "base/attr.h"
#include "base/bytes.h"

#include <errno.h>
#include <stdlib.h>
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

#define WINDOW 4096 /* pages whose contents are hashed ahead of the chain: 16 MiB */

static const uint8_t zeros[PAGE_SIZE];

/*
 * Pages in the order of launch. What a page contains does not depend on the pages before it, so the
 * contents of a window are hashed first, at once; only the chain takes one page after the other.
 */
struct window {
	size_t n;
	struct {
		gpa_t gpa;
		enum image_page type;
	} at[WINDOW];
	struct page_hash contents[WINDOW];
	uint8_t padded[PAGE_SIZE]; /* copy of a page that is not whole; at most one is queued */
};

int snp_digest_init(
	struct snp_digest *d, const uint8_t *seed, const struct trace *trace, struct err *e)
{
	memset(d, 0, sizeof(*d));
	d->trace = trace;
	if (seed)
		memcpy(d->value, seed, SNP_DIGEST_LEN);
	return digest_init(&d->hash, DIGEST_SHA384, e);
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

/* snp_digest_flush() - add the pages of a window and empty it. */
static int snp_digest_flush(struct snp_digest *d, struct window *w, struct err *e)
{
	int ret = page_hash_all(w->contents, w->n, e);

	for (size_t i = 0; !ret && i < w->n; i++)
		ret = snp_digest_page(d, w->at[i].type, w->at[i].gpa,
			w->contents[i].bytes ? w->contents[i].out : NULL, e);
	w->n = 0;
	return ret;
}

/* snp_digest_queue() - put a page into a window with room; bytes NULL: they do not count. */
static void snp_digest_queue(
	struct window *w, enum image_page type, gpa_t gpa, const uint8_t *bytes)
{
	w->at[w->n].gpa = gpa;
	w->at[w->n].type = type;
	w->contents[w->n++].bytes = bytes;
}

/* snp_digest_part() - queue the pages of a part. */
static int snp_digest_part(
	struct snp_digest *d, struct window *w, const struct image_part *part, struct err *e)
{
	/* SNP firmware ABI 8.17.2: CONTENTS is a hash for NORMAL and VMSA, else zeros */
	bool counts = part->type == IMAGE_NORMAL || part->type == IMAGE_VMSA;

	for (uint64_t at = 0; at < part->len; at += PAGE_SIZE) {
		uint64_t len = at < part->bytes_len ? part->bytes_len - at : 0;
		const uint8_t *bytes = len ? (const uint8_t *)part->bytes + at : zeros;
		bool cut = len && len < PAGE_SIZE; /* the last page with bytes: w->padded is free */
		int ret = cut || w->n == WINDOW ? snp_digest_flush(d, w, e) : 0;

		if (cut) {
			memset(w->padded, 0, PAGE_SIZE);
			bytes = memcpy(w->padded, bytes, len);
		}
		if (ret)
			return ret;
		snp_digest_queue(w, part->type, gpa_plus(part->gpa, at), counts ? bytes : NULL);
	}
	return 0;
}

int snp_digest_image(struct snp_digest *d, const struct image *image, struct err *e)
{
	cleanup_free struct window *w = malloc(sizeof(*w));
	int ret = 0;

	if (!w)
		return err_sys(e, ENOMEM, "launch digest");
	w->n = 0;
	for (size_t i = 0; !ret && i < image->n_parts; i++)
		ret = snp_digest_part(d, w, &image->parts[i], e);
	return ret ? ret : snp_digest_flush(d, w, e);
}

int snp_digest_vmsa(struct snp_digest *d, const void *page, uint32_t count, struct err *e)
{
	uint8_t contents[SNP_DIGEST_LEN];
	int ret;

	digest_update(&d->hash, page, VMSA_LEN);
	ret = digest_final(&d->hash, contents, e);
	while (!ret && count--)
		ret = snp_digest_page(d, IMAGE_VMSA, gpa_of(VMSA_GPA), contents, e);
	return ret;
}
