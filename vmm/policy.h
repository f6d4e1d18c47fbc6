/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a confidentiality level forbids, in one table: features that would take private memory out
 * of the VM, or that the level can't keep its promise with. What is only not built yet is not here.
 */
#ifndef VMM_POLICY_H
#define VMM_POLICY_H

#include "base/err.h"
#include "vmm/hv/vm_type.h"

enum policy_feature {
	POLICY_NOTHING, /* a feature that no level forbids */
	POLICY_BALLOON,
	POLICY_COREDUMP,
	POLICY_MEASUREMENT,
	POLICY_MEMORY_RESIZE,
	POLICY_MIGRATION,
	POLICY_PMEM,
	POLICY_SNAPSHOT,
	POLICY_VCPU_RESIZE,
	POLICY_VIRTIO_MEM,
	POLICY_FEATURES,
};

/*
 * policy_check() - may a VM at that level have the feature?
 * Return: 0, or -EACCES: the message names level and feature and says why.
 */
int policy_check(enum level level, enum policy_feature feature, struct err *e) MUST_CHECK;

#endif
