/* SPDX-License-Identifier: Apache-2.0 */
/* What levels snp and tdx plan alike; see vmm/launch_plan.h. */
#include "vmm/launch_plan.h"

#include "attestation/trace.h"
#include "base/hex.h"
#include "base/log.h"
#include "memory/layout.h"
#include "vmm/config.h"
#include "vmm/x86/map.h"

#include <errno.h>
#include <string.h>

int launch_plan_init(struct launch_plan *p, const struct vm_config *config, struct err *e)
{
	memset(p, 0, sizeof(*p));
	image_init(&p->image);
	p->n_vcpus = (unsigned int)config->cpus.boot;
	p->expected = config->confidential.expected_digest;
	if (file_map_open(&p->firmware, config->payload.firmware, e))
		return err_context(e, "--firmware");
	if (!is_aligned(p->firmware.len, PAGE_SIZE) || p->firmware.len > MAP_FIRMWARE_MAX)
		return err_set(e, EINVAL, "--firmware: %zu bytes are not whole pages, at most %llu",
			p->firmware.len, (unsigned long long)MAP_FIRMWARE_MAX);
	return 0;
}

void launch_plan_fini(struct launch_plan *p)
{
	image_fini(&p->image);
	file_map_close(&p->firmware);
}

uint64_t launch_plan_rom(const struct launch_plan *p)
{
	return p->firmware.len;
}

int launch_plan_check(const struct launch_plan *p, const struct layout *layout, struct err *e)
{
	uint64_t rom = LAYOUT_HOLE_END - launch_plan_rom(p);

	for (size_t i = 0; i < p->image.n_parts; i++) {
		const struct image_part *part = &p->image.parts[i];
		bool in_rom = part->gpa.v >= rom && part->gpa.v + part->len <= LAYOUT_HOLE_END;

		if (!in_rom && !layout_contains(layout, part->gpa, part->len))
			return err_set(e, EINVAL,
				"--memory: the firmware needs %llu bytes at %#llx, where no RAM is",
				(unsigned long long)part->len, (unsigned long long)part->gpa.v);
	}
	return 0;
}

/* plan_step() - one line of the log for each page that entered the digest */
static void plan_step(void *to, const struct trace_step *step)
{
	char running[HEX_TEXT_LEN(DIGEST_MAX_LEN)];

	(void)to;
	hex_encode(running, step->running, step->digest_len);
	log_info("measure", "%s %#llx %s", step->what, (unsigned long long)step->gpa.v, running);
}

int launch_plan_expect(const struct launch_plan *p,
	int (*measure)(void *ctx, const struct trace *trace, struct err *e), void *ctx,
	struct err *e)
{
	const struct trace trace = {.step = plan_step};
	uint8_t want[LAUNCH_DIGEST_LEN];
	char have[HEX_TEXT_LEN(LAUNCH_DIGEST_LEN)];

	if (!p->expected)
		return 0;
	if (hex_decode(p->expected, want, sizeof(want)))
		return err_set(e, EINVAL, "--confidential: expected_digest is not 96 hex digits");
	if (!memcmp(want, p->digest, sizeof(want)))
		return 0;
	hex_encode(have, p->digest, sizeof(p->digest));
	if (measure(ctx, &trace, e))
		return -e->code;
	return err_set(e, EPERM,
		"--confidential: not launched: the digest would be %s, not the expected_digest; see "
		"each page with -v, or with cloister measure --explain",
		have);
}
