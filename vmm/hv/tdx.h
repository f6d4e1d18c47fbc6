/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TDX guests (TDs): what one is made with, and its launch. A TD's identity is fixed when the VM is
 * made, before its vCPUs; its memory is added and measured by hv_tdx_launch().
 * Calls: Linux, Documentation/virt/kvm/x86/intel-tdx.rst.
 */
#ifndef VMM_HV_TDX_H
#define VMM_HV_TDX_H

#include "base/err.h"

#include <stdint.h>

struct hv;
struct hv_vcpu;
struct image;

#define TDX_ID_LEN 48

#define TDX_ATTR_SEPT_VE_DISABLE (UINT64_C(1) << 28) /* no #VE for memory that is not accepted */

/* Who a TD is, beside its memory: all of it is in its quotes. */
struct tdx_identity {
	uint64_t attributes;
	uint8_t config_id[TDX_ID_LEN];    /* MRCONFIGID */
	uint8_t owner[TDX_ID_LEN];        /* MROWNER */
	uint8_t owner_config[TDX_ID_LEN]; /* MROWNERCONFIG */
};

/* What a launch took; for the report. */
struct tdx_counts {
	unsigned int ioctls; /* launch commands given to KVM */
	unsigned int runs;   /* runs of pages of one type */
	uint64_t pages;
};

struct tdx_launch {
	const struct image *image;    /* NORMAL: added and measured; UNMEASURED: added */
	struct hv_vcpu *const *vcpus; /* all of them, none has run */
	unsigned int n_vcpus;
	uint64_t hob; /* address that the firmware finds in RCX */
};

/*
 * hv_tdx_launch() - initialise the vCPUs, add the image's parts in their order, end the building.
 * Return: 0, or -errno: the VM can only be destroyed then.
 */
int hv_tdx_launch(struct hv *hv, const struct tdx_launch *desc, struct tdx_counts *counts,
	struct err *e) MUST_CHECK;

/* hv_tdx_answer() - status of HV_EXIT_QUOTE or HV_EXIT_NOTIFY for the guest; without: not there. */
void hv_tdx_answer(struct hv_vcpu *vcpu, uint64_t status);

#endif
