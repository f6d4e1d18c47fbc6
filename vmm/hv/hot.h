/* SPDX-License-Identifier: Apache-2.0 */
/* What vCPUs that come and go while a VM runs need beside vmm/hv/hv.h. */
#ifndef VMM_HV_HOT_H
#define VMM_HV_HOT_H

struct hv_vcpu;

/*
 * hv_vcpu_join() - after hv_vcpu_create() while others run: let their interrupts reach it.
 * Return: 0 or -errno.
 */
int hv_vcpu_join(struct hv_vcpu *vcpu);

/* hv_vcpu_reset() - as after hv_vcpu_create(), when its thread has ended. Return: 0 or -errno. */
int hv_vcpu_reset(struct hv_vcpu *vcpu);

#endif
