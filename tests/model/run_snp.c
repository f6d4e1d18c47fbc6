/* SPDX-License-Identifier: Apache-2.0 */
/* See tests/model/run_snp.h. */
#include "tests/model/run_snp.h"

#include "vmm/config.h"

#include <errno.h>
#include <string.h>

static int run_memory(struct run_snp *r, const struct vm_config *config, struct err *e)
{
	struct ram_desc desc = {.dual = true};
	struct ram_slot slots[RAM_MAX_SLOTS];
	uint64_t rom = launch_plan_rom(&r->plan->common);
	int rc = layout_init(&desc.layout, config->memory.size, e);

	if (!rc)
		rc = launch_plan_check(&r->plan->common, &desc.layout, e);
	if (rc)
		return rc;
	desc.rom = (struct layout_range){gpa_of(OVMF_TOP - rom), rom};
	desc.guest_memfd = hv_guest_memfd(r->hv, ram_private_len(&desc), false, e);
	if (desc.guest_memfd == -EOPNOTSUPP)
		return err_set(e, EOPNOTSUPP, "no guest_memfd");
	if (desc.guest_memfd < 0)
		return desc.guest_memfd;
	rc = ram_init(&r->ram, &desc, e);
	return rc ? rc : hv_add_slots(r->hv, slots, ram_slots(&r->ram, slots), e);
}

static int run_vcpus(struct run_snp *r, struct err *e)
{
	int rc = 0;

	for (unsigned int i = 0; i < r->plan->common.n_vcpus && !rc; i++) {
		struct x86_entry entry = snp_plan_entry(r->plan, i);

		rc = hv_vcpu_create(&r->vcpus[i], r->hv, i, e);
		r->n_vcpus += !rc;
		if (!rc)
			rc = hv_vcpu_enter(r->vcpus[i], &entry, e);
	}
	return rc;
}

int run_snp_up(struct run_snp *r, const struct vm_config *config, struct err *e)
{
	struct hv_desc desc = {.type = vm_type_of(LEVEL_SNP), .host = &r->host};
	char lack[160];
	int rc;

	*r = (struct run_snp){.ram = {.shared_fd = -1, .private_fd = -1}};
	hv_host_probe(&r->host);
	if (vm_type_missing(desc.type, &r->host, lack, sizeof(lack)))
		return err_set(e, ENODEV, "%s", lack);
	rc = snp_plan_create(&r->plan, config, r->host.signature, e);
	if (rc)
		return rc;
	desc.n_vcpus = r->plan->common.n_vcpus;
	desc.signature = r->plan->signature;
	rc = hv_create(&r->hv, &desc, e);
	if (!rc)
		rc = run_memory(r, config, e);
	if (!rc)
		rc = run_vcpus(r, e);
	if (rc)
		return rc;
	r->plan->launch.image = &r->plan->common.image;
	r->plan->launch.first = r->vcpus[0];
	return hv_snp_launch(r->hv, &r->plan->launch, &r->plan->counts, e);
}

void run_snp_down(struct run_snp *r)
{
	for (unsigned int i = 0; i < r->n_vcpus; i++)
		hv_vcpu_destroy(r->vcpus[i]);
	hv_destroy(r->hv);
	ram_fini(&r->ram);
	snp_plan_destroy(r->plan);
	hv_host_close(&r->host);
}
