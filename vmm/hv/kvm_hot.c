/* SPDX-License-Identifier: Apache-2.0 */
/* vCPUs of a VM that runs, on KVM; see vmm/hv/hot.h. */
#include "vmm/hv/hot.h"

#include "vmm/hv/kvm.h"

#include <errno.h>
#include <sys/ioctl.h>

/*
 * KVM's map of APIC ids is drawn anew when an APIC changes. Where vCPUs are made before the guest
 * runs, the guest's own first writes see to that; later ones would be in nobody's map.
 */
int hv_vcpu_join(struct hv_vcpu *vcpu)
{
	struct kvm_lapic_state state;

	if (ioctl(vcpu->fd, KVM_GET_LAPIC, &state) < 0 ||
		ioctl(vcpu->fd, KVM_SET_LAPIC, &state) < 0)
		return -errno;
	return 0;
}

int hv_vcpu_reset(struct hv_vcpu *vcpu)
{
	struct kvm_mp_state waiting = {.mp_state = KVM_MP_STATE_UNINITIALIZED};

	return ioctl(vcpu->fd, KVM_SET_MP_STATE, &waiting) < 0 ? -errno : 0;
}
