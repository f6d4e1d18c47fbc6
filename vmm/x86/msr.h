/* SPDX-License-Identifier: Apache-2.0 */
/* MSRs that the monitor answers itself for an emulated SEV guest, and initial MSR values. */
#ifndef VMM_X86_MSR_H
#define VMM_X86_MSR_H

#include <stdbool.h>
#include <stdint.h>

#define MSR_MTRR_DEF_TYPE         0x2ffu
#define MSR_MTRR_ENABLED_WB       0x806u /* MTRRs on, default write-back; Linux 6.1 as SEV guest needs it */
#define MSR_SEV_STATUS            0xc0010131u
#define MSR_SEV_STATUS_ENABLED    1u
#define MSR_KVM_MIGRATION_CONTROL 0x4b564d08u

/* msr_read() - Return: false if the guest gets #GP; else *value is the answer. */
bool msr_read(uint32_t index, uint64_t *value);

/* msr_write() - Return: false if the guest gets #GP. */
bool msr_write(uint32_t index, uint64_t value);

#endif
