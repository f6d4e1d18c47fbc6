/* SPDX-License-Identifier: Apache-2.0 */
/*
 * struct launch_plan: what levels snp and tdx know of a launch before anything is created: the
 * firmware, the launch image that it asks for, and the digest which that will have.
 */
#ifndef VMM_LAUNCH_PLAN_H
#define VMM_LAUNCH_PLAN_H

#include "base/file_map.h"
#include "memory/image.h"

#define LAUNCH_DIGEST_LEN 48

struct layout;
struct trace;
struct vm_config;

struct launch_plan {
	struct file_map firmware;
	struct image image;
	unsigned int n_vcpus;
	const char *expected; /* the digest that the user pins, the config's; NULL: none */
	uint8_t digest[LAUNCH_DIGEST_LEN];
};

/*
 * launch_plan_init() - map --firmware; the image is empty. The config outlives the plan.
 * Return: 0 or -errno with the flag named; launch_plan_fini() either way.
 */
int launch_plan_init(
	struct launch_plan *p, const struct vm_config *config, struct err *e) MUST_CHECK;
void launch_plan_fini(struct launch_plan *p);

/* launch_plan_rom() - Return: bytes below 4 GiB that the firmware takes. */
uint64_t launch_plan_rom(const struct launch_plan *p);

/* launch_plan_check() - does the image fit into this RAM? Return: 0 or -EINVAL. */
int launch_plan_check(
	const struct launch_plan *p, const struct layout *layout, struct err *e) MUST_CHECK;

/*
 * launch_plan_expect() - the digest that the user pins is the one of this launch, or there is none.
 * @measure: makes the digest again for a trace that logs each page; @ctx: its argument
 * Return: 0; -EPERM: it is not, and each page of it was logged; -EINVAL: it is no digest.
 */
int launch_plan_expect(const struct launch_plan *p,
	int (*measure)(void *ctx, const struct trace *trace, struct err *e), void *ctx,
	struct err *e) MUST_CHECK;

#endif
