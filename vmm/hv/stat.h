/* SPDX-License-Identifier: Apache-2.0 */
/* Who is told what KVM counts; see hv_vcpu_stats(). */
#ifndef VMM_HV_STAT_H
#define VMM_HV_STAT_H

#include <stdint.h>

/* tell is called once per counter; none where KVM is too old to have any. */
struct hv_stat_sink {
	void (*tell)(void *ctx, const char *name, uint64_t value);
	void *ctx;
};

#endif
