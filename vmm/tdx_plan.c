/* SPDX-License-Identifier: Apache-2.0 */
/* What a TD is launched with; see vmm/tdx_plan.h. */
#include "vmm/tdx_plan.h"

#include "attestation/mrtd.h"
#include "base/hex.h"
#include "base/log.h"
#include "vmm/load/tdvf.h"
#include "vmm/tdx_identity.h"

#include <errno.h>
#include <string.h>

_Static_assert(MRTD_LEN == LAUNCH_DIGEST_LEN, "launch digest");

/* plan_hob() - find the one section for hand-off blocks, and give the image its bytes */
static int plan_hob(struct tdx_plan *p, const struct tdvf *fw, struct err *e)
{
	const struct tdvf_section *hob = NULL;
	struct image *image = &p->common.image;

	for (size_t i = 0; i < fw->n_sections; i++)
		if (fw->sections[i].type == TDVF_TD_HOB) {
			if (hob)
				return err_set(e, EINVAL, "TDX metadata: two sections TD_HOB");
			hob = &fw->sections[i];
		}
	if (!hob || !hob->size || hob->attributes & (TDVF_MR_EXTEND | TDVF_PAGE_AUG))
		return err_set(e, EINVAL, "TDX metadata: no section TD_HOB that is only added");
	p->hob = (struct td_hob){calloc(1, hob->size), hob->size, hob->gpa};
	if (!p->hob.bytes)
		return err_sys(e, ENOMEM, "TD HOB");
	for (size_t i = 0; i < image->n_parts; i++)
		if (image->parts[i].gpa.v == hob->gpa.v) {
			image->parts[i].bytes = p->hob.bytes;
			image->parts[i].bytes_len = hob->size;
		}
	return image_own(image, p->hob.bytes, e);
}

static int plan_image(struct tdx_plan *p, struct err *e)
{
	cleanup_free struct tdvf *fw = malloc(sizeof(*fw));
	int rc;

	if (!fw)
		return err_sys(e, ENOMEM, "firmware");
	rc = tdvf_parse(fw, file_map_bytes(&p->common.firmware), e);
	if (!rc)
		rc = tdvf_image_add(&p->common.image, fw, e);
	if (!rc)
		rc = plan_hob(p, fw, e);
	return rc ? err_context(e, "--firmware") : 0;
}

static int plan_digest(void *ctx, const struct trace *trace, struct err *e)
{
	struct tdx_plan *p = ctx;

	return mrtd_of_image(&p->common.image, MRTD_PAGE_BY_PAGE, trace, p->common.digest, e);
}

static int plan_make(struct tdx_plan *p, const struct vm_config *c, struct err *e)
{
	char text[HEX_TEXT_LEN(MRTD_LEN)];
	int rc = launch_plan_init(&p->common, c, e);

	if (!rc)
		rc = tdx_identity_read(&p->identity, c, e);
	if (!rc)
		rc = plan_image(p, e);
	if (!rc)
		rc = plan_digest(p, NULL, e);
	if (rc)
		return rc;
	hex_encode(text, p->common.digest, MRTD_LEN);
	log_info("measure", "launch digest (MRTD) %s", text);
	return launch_plan_expect(&p->common, plan_digest, p, e);
}

int tdx_plan_create(struct tdx_plan **out, const struct vm_config *config, struct err *e)
{
	struct tdx_plan *p = calloc(1, sizeof(*p));
	int rc;

	*out = NULL;
	if (!p)
		return err_sys(e, ENOMEM, "launch plan");
	rc = plan_make(p, config, e);
	if (rc)
		tdx_plan_destroy(p);
	else
		*out = p;
	return rc;
}

void tdx_plan_destroy(struct tdx_plan *plan)
{
	if (!plan)
		return;
	launch_plan_fini(&plan->common);
	free(plan);
}

int tdx_plan_describe(struct tdx_plan *plan, const struct layout *layout, struct err *e)
{
	return td_hob_fill(&plan->hob, layout, &plan->common.image, e);
}
