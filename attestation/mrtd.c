/* SPDX-License-Identifier: Apache-2.0 */
/* MRTD; see attestation/mrtd.h. */
#include "attestation/mrtd.h"

#include "base/bytes.h"

#include <errno.h>
#include <string.h>

#define RECORD_LEN 128 /* what each call feeds before any data */
#define CHUNK_LEN  256 /* bytes that one TDH.MR.EXTEND measures */
#define CHUNKS     (PAGE_SIZE / CHUNK_LEN)

struct mrtd {
	struct digest hash;
	struct digest contents; /* for the trace */
	const struct trace *trace;
	uint8_t add[RECORD_LEN];
	uint8_t extend[CHUNKS][RECORD_LEN + CHUNK_LEN]; /* one page's worth of TDH.MR.EXTEND */
};

static void mrtd_fini(struct mrtd *m)
{
	digest_fini(&m->hash);
	digest_fini(&m->contents);
}

static int mrtd_init(struct mrtd *m, const struct trace *trace, struct err *e)
{
	int ret;

	memset(m, 0, sizeof(*m));
	m->trace = trace;
	/* TDX module, TDH.MEM.PAGE.ADD: "MEM.PAGE.ADD", padded to 16, GPA, zeros up to 128 */
	memcpy(m->add, "MEM.PAGE.ADD", 12);
	/* TDX module, TDH.MR.EXTEND: "MR.EXTEND", padded to 16, GPA, zeros up to 128; data */
	for (size_t i = 0; i < CHUNKS; i++)
		memcpy(m->extend[i], "MR.EXTEND", 9);
	ret = digest_init(&m->hash, DIGEST_SHA384, e);
	if (!ret && trace)
		ret = digest_init(&m->contents, DIGEST_SHA384, e);
	return ret;
}

/* mrtd_show() - tell the trace about a call; bytes are the page, or NULL for an add. */
static int mrtd_show(struct mrtd *m, const char *what, gpa_t gpa, struct err *e)
{
	uint8_t contents[MRTD_LEN], running[MRTD_LEN];
	bool extend = !strcmp(what, "MR.EXTEND");
	int ret = 0;

	if (!m->trace)
		return 0;
	if (extend) {
		for (size_t i = 0; i < CHUNKS; i++)
			digest_update(&m->contents, m->extend[i] + RECORD_LEN, CHUNK_LEN);
		ret = digest_final(&m->contents, contents, e);
	}
	if (!ret)
		ret = digest_peek(&m->hash, running, e);
	if (!ret)
		m->trace->step(m->trace->to,
			&(struct trace_step){
				.what = what,
				.gpa = gpa,
				.len = PAGE_SIZE,
				.contents = extend ? contents : NULL,
				.running = running,
				.digest_len = MRTD_LEN,
			});
	return ret;
}

static int mrtd_add_page(struct mrtd *m, gpa_t gpa, struct err *e)
{
	store_le64(m->add + 16, gpa.v);
	digest_update(&m->hash, m->add, RECORD_LEN);
	return mrtd_show(m, "MEM.PAGE.ADD", gpa, e);
}

/* mrtd_extend_page() - measure a page, of which `len` bytes are given and the rest is zeros. */
static int mrtd_extend_page(
	struct mrtd *m, gpa_t gpa, const uint8_t *bytes, size_t len, struct err *e)
{
	for (size_t i = 0; i < CHUNKS; i++) {
		size_t at = i * CHUNK_LEN;
		size_t n = at < len ? min_u64(len - at, CHUNK_LEN) : 0;

		store_le64(m->extend[i] + 16, gpa.v + at);
		if (n)
			memcpy(m->extend[i] + RECORD_LEN, bytes + at, n);
		memset(m->extend[i] + RECORD_LEN + n, 0, CHUNK_LEN - n);
	}
	digest_update(&m->hash, m->extend, sizeof(m->extend));
	return mrtd_show(m, "MR.EXTEND", gpa, e);
}

/* mrtd_part() - one walk over a part's pages, which adds them, extends them, or both. */
static int mrtd_part(
	struct mrtd *m, const struct image_part *part, bool add, bool extend, struct err *e)
{
	int ret = 0;

	for (uint64_t at = 0; !ret && at < part->len; at += PAGE_SIZE) {
		size_t len = at < part->bytes_len ? min_u64(part->bytes_len - at, PAGE_SIZE) : 0;
		gpa_t gpa = gpa_plus(part->gpa, at);

		if (add)
			ret = mrtd_add_page(m, gpa, e);
		if (!ret && extend)
			ret = mrtd_extend_page(
				m, gpa, len ? (const uint8_t *)part->bytes + at : NULL, len, e);
	}
	return ret;
}

int mrtd_of_image(const struct image *image, enum mrtd_order order, const struct trace *trace,
	uint8_t out[MRTD_LEN], struct err *e)
{
	struct mrtd m;
	int ret = mrtd_init(&m, trace, e);

	for (size_t i = 0; !ret && i < image->n_parts; i++) {
		const struct image_part *part = &image->parts[i];
		bool extend = part->type == IMAGE_NORMAL;
		bool apart = extend && order == MRTD_TWO_PASS;

		if (!extend && part->type != IMAGE_UNMEASURED)
			ret = err_set(e, EINVAL, "page at %#llx has a type that TDX does not know",
				(unsigned long long)part->gpa.v);
		if (!ret)
			ret = mrtd_part(&m, part, true, extend && !apart, e);
		if (!ret && apart)
			ret = mrtd_part(&m, part, false, true, e);
	}
	if (!ret)
		ret = digest_final(&m.hash, out, e);
	mrtd_fini(&m);
	return ret;
}
