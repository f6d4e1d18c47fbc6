/* SPDX-License-Identifier: Apache-2.0 */
/* MSRs of an emulated SEV guest; see vmm/x86/msr.h. */
#include "vmm/x86/msr.h"

bool msr_read(uint32_t index, uint64_t *value)
{
	switch (index) {
	case MSR_SEV_STATUS: /* AMD APM volume 2, section 15.34.10: bit 0 alone, SEV without ES */
		*value = MSR_SEV_STATUS_ENABLED;
		return true;
	case MSR_KVM_MIGRATION_CONTROL:
		*value = 0;
		return true;
	default:
		return false;
	}
}

bool msr_write(uint32_t index, uint64_t value)
{
	(void)value;
	/* "Migration allowed" is noted by nobody: a VM with private memory does not migrate. */
	return index == MSR_KVM_MIGRATION_CONTROL;
}
