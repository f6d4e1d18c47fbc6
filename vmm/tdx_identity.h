/* SPDX-License-Identifier: Apache-2.0 */
/* Who a TD is to be, as its config says. */
#ifndef VMM_TDX_IDENTITY_H
#define VMM_TDX_IDENTITY_H

#include "vmm/hv/tdx.h"

struct vm_config;

/*
 * tdx_identity_read() - fill *id. MRCONFIGID is --mrconfigid, else of init data among the disks.
 * Return: 0 or -errno with the flag named.
 */
int tdx_identity_read(
	struct tdx_identity *id, const struct vm_config *config, struct err *e) MUST_CHECK;

#endif
