/* SPDX-License-Identifier: Apache-2.0 */
/* The launch digest of SEV and SEV-ES; see attestation/sev_digest.h. */
#include "attestation/sev_digest.h"

int sev_digest_init(struct sev_digest *d, const struct trace *trace, struct err *e)
{
	int ret;

	*d = (struct sev_digest){.trace = trace};
	ret = digest_init(&d->hash, DIGEST_SHA256, e);
	if (!ret && trace)
		ret = digest_init(&d->contents, DIGEST_SHA256, e);
	if (ret)
		sev_digest_fini(d);
	return ret;
}

void sev_digest_fini(struct sev_digest *d)
{
	digest_fini(&d->hash);
	digest_fini(&d->contents);
}

/* sev_digest_trace() - show one step of at most a page. */
static int sev_digest_trace(
	struct sev_digest *d, struct trace_step *step, const uint8_t *bytes, struct err *e)
{
	uint8_t contents[SEV_DIGEST_LEN], running[SEV_DIGEST_LEN];
	int ret;

	digest_update(&d->contents, bytes, step->len);
	ret = digest_final(&d->contents, contents, e);
	if (!ret)
		ret = digest_peek(&d->hash, running, e);
	if (ret)
		return ret;
	step->contents = contents;
	step->running = running;
	step->digest_len = SEV_DIGEST_LEN;
	d->trace->step(d->trace->to, step);
	return 0;
}

int sev_digest_add(
	struct sev_digest *d, const char *what, gpa_t gpa, struct bytes bytes, struct err *e)
{
	int ret = 0;

	if (!d->trace) {
		digest_update(&d->hash, bytes.at, bytes.left);
		return 0;
	}
	while (!ret && bytes.left) {
		struct trace_step step = {
			.what = what, .gpa = gpa, .len = min_u64(bytes.left, PAGE_SIZE)};
		const uint8_t *at = bytes_take(&bytes, step.len);

		digest_update(&d->hash, at, step.len);
		ret = sev_digest_trace(d, &step, at, e);
		if (gpa.v != TRACE_NO_GPA)
			gpa = gpa_plus(gpa, step.len);
	}
	return ret;
}

int sev_digest_value(struct sev_digest *d, uint8_t out[SEV_DIGEST_LEN], struct err *e)
{
	return digest_final(&d->hash, out, e);
}
