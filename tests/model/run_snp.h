/* SPDX-License-Identifier: Apache-2.0 */
/* Bringing an SNP guest up on the model as vmm/vm.c does, by the functions of vmm/hv. */
#ifndef TESTS_MODEL_RUN_SNP_H
#define TESTS_MODEL_RUN_SNP_H

#include "memory/ram.h"
#include "vmm/hv/hv.h"
#include "vmm/snp_plan.h"

#define RUN_VCPUS 8

struct vm_config;

struct run_snp {
	struct hv_host host;
	struct snp_plan *plan;
	struct hv *hv;
	struct ram ram;
	struct hv_vcpu *vcpus[RUN_VCPUS];
	unsigned int n_vcpus;
};

/* run_snp_up() - all stages up to the launch. Return: 0 or -errno; run_snp_down() either way. */
int run_snp_up(struct run_snp *r, const struct vm_config *config, struct err *e) MUST_CHECK;
void run_snp_down(struct run_snp *r);

#endif
