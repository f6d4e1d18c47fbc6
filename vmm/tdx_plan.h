/* SPDX-License-Identifier: Apache-2.0 */
/*
 * struct tdx_plan: all that a TD will be launched with, known before anything is created: beside
 * the launch image who the TD is, and where its firmware learns of RAM.
 */
#ifndef VMM_TDX_PLAN_H
#define VMM_TDX_PLAN_H

#include "vmm/hv/tdx.h"
#include "vmm/launch_plan.h"
#include "vmm/x86/td_hob.h"

struct layout;
struct quotes;
struct vm_config;

struct tdx_plan {
	struct launch_plan common; /* its digest is MRTD */
	struct tdx_identity identity;
	struct td_hob hob;        /* in the firmware's section; the bytes are the image's */
	struct tdx_counts counts; /* after the launch */
	struct quotes *quotes;    /* of the running guest; the VM's */
};

/*
 * tdx_plan_create() - read the firmware and predict.
 * Return: 0; -errno with the flag named; -EPERM if the digest is not the one that is expected: each
 * page of it is logged then.
 */
int tdx_plan_create(
	struct tdx_plan **out, const struct vm_config *config, struct err *e) MUST_CHECK;

/* tdx_plan_destroy() - free; NULL is allowed. */
void tdx_plan_destroy(struct tdx_plan *plan);

/* tdx_plan_describe() - write the hand-off blocks for this RAM. Return: 0 or -errno. */
int tdx_plan_describe(struct tdx_plan *plan, const struct layout *layout, struct err *e) MUST_CHECK;

#endif
