/* SPDX-License-Identifier: Apache-2.0 */
/* Probing of KVM; see vmm/hv/host.h. */
#include "vmm/hv/host.h"

#include "base/fd.h"
#include "vmm/hv/kvm_abi.h"

#include <cpuid.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

static int host_cap(const struct hv_host *host, long cap)
{
	int v = ioctl(host->kvm_fd, KVM_CHECK_EXTENSION, cap);

	return v < 0 ? 0 : v;
}

/* host_cpu_virt() - SVM (AMD APM 3, 8000_0001h ECX bit 2) or VMX (SDM, leaf 1 ECX bit 5) */
static bool host_cpu_virt(void)
{
	unsigned int a, b, c, d;

	if (__get_cpuid(1, &a, &b, &c, &d) && (c & (1u << 5)))
		return true;
	return __get_cpuid(0x80000001, &a, &b, &c, &d) && (c & (1u << 2));
}

/* host_cpuid() - what KVM offers to guests, else what the CPU has */
static void host_cpuid(struct hv_host *host)
{
	struct {
		struct kvm_cpuid2 head;
		struct kvm_cpuid_entry2 entries[128];
	} t = {.head.nent = 128};
	unsigned int a, b, c, d;

	host->phys_bits = __get_cpuid(0x80000008, &a, &b, &c, &d) ? a & 0xff : 36;
	if (ioctl(host->kvm_fd, KVM_GET_SUPPORTED_CPUID, &t) < 0)
		return;
	for (uint32_t i = 0; i < t.head.nent; i++) {
		if (t.entries[i].function == 0x80000008)
			host->phys_bits = t.entries[i].eax & 0xff;
		if (t.entries[i].function == 1)
			host->signature = t.entries[i].eax;
	}
}

void hv_host_probe(struct hv_host *host)
{
	*host = (struct hv_host){.kvm_fd = open("/dev/kvm", O_RDWR | O_CLOEXEC)};
	host->hardware = host_cpu_virt();
	host->sev_dev = access("/dev/sev", R_OK | W_OK) == 0;
	if (host->kvm_fd < 0) {
		snprintf(host->why, sizeof(host->why), "/dev/kvm: %s", strerrordesc_np(errno));
		return;
	}
	host->api_version = ioctl(host->kvm_fd, KVM_GET_API_VERSION, 0);
	if (host->api_version != KVM_API_VERSION) {
		snprintf(host->why, sizeof(host->why), "/dev/kvm: API version %d, need %d",
			host->api_version, KVM_API_VERSION);
		fd_drop(&host->kvm_fd);
		return;
	}
	host->irqchip = host_cap(host, KVM_CAP_IRQCHIP);
	host->user_memory2 = host_cap(host, HV_CAP_USER_MEMORY2);
	host->memory_fault = host_cap(host, HV_CAP_MEMORY_FAULT_INFO);
	host->msr_filter = host_cap(host, KVM_CAP_X86_MSR_FILTER) &&
		host_cap(host, KVM_CAP_X86_USER_SPACE_MSR);
	host->map_gpa_exit = host_cap(host, KVM_CAP_EXIT_HYPERCALL) & (1 << HV_HC_MAP_GPA_RANGE);
	host->tsc_deadline = host_cap(host, KVM_CAP_TSC_DEADLINE_TIMER);
	host->guest_memfd = host_cap(host, HV_CAP_GUEST_MEMFD);
	host->pre_fault = host_cap(host, HV_CAP_PRE_FAULT_MEMORY);
	host->guest_memfd_flags = (uint32_t)host_cap(host, HV_CAP_GUEST_MEMFD_FLAGS);
	host->memory_attributes = (uint64_t)host_cap(host, HV_CAP_MEMORY_ATTRIBUTES);
	host->vm_types = (uint32_t)host_cap(host, HV_CAP_VM_TYPES) | 1u << HV_VM_DEFAULT;
	host->max_vcpus = (unsigned int)host_cap(host, KVM_CAP_MAX_VCPUS);
	host_cpuid(host);
}

void hv_host_close(struct hv_host *host)
{
	fd_drop(&host->kvm_fd);
}
