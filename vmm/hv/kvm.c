/* SPDX-License-Identifier: Apache-2.0 */
/* A VM on KVM: creation, memory; see vmm/hv/hv.h. */
#include "vmm/hv/kvm.h"

#include "base/fd.h"
#include "memory/ram.h"
#include "vmm/x86/map.h"
#include "vmm/x86/msr.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>

#define IDENTITY_MAP (MAP_KVM_TSS - PAGE_SIZE)

static int kvm_enable(struct hv *hv, uint32_t cap, uint64_t arg, struct err *e)
{
	struct kvm_enable_cap c = {.cap = cap, .args = {arg}};

	if (ioctl(hv->vm_fd, KVM_ENABLE_CAP, &c) < 0)
		return err_sys(e, errno, "KVM_ENABLE_CAP(%u)", cap);
	return 0;
}

/* kvm_filter_msrs() - SEV_STATUS comes to us; so does every MSR that KVM doesn't know */
static int kvm_filter_msrs(struct hv *hv, struct err *e)
{
	uint8_t none[1] = {0}; /* a 0 bit denies */
	struct kvm_msr_filter filter = {
		.flags = KVM_MSR_FILTER_DEFAULT_ALLOW,
		.ranges = {{
			.flags = KVM_MSR_FILTER_READ | KVM_MSR_FILTER_WRITE,
			.base = MSR_SEV_STATUS,
			.nmsrs = 1,
			.bitmap = none,
		}},
	};
	int rc = kvm_enable(hv, KVM_CAP_X86_USER_SPACE_MSR,
		KVM_MSR_EXIT_REASON_FILTER | KVM_MSR_EXIT_REASON_UNKNOWN, e);

	if (!rc && ioctl(hv->vm_fd, KVM_X86_SET_MSR_FILTER, &filter) < 0)
		rc = err_sys(e, errno, "KVM_X86_SET_MSR_FILTER");
	return rc;
}

/* kvm_setup() - what a VM needs before its first vCPU */
static int kvm_setup(struct hv *hv, struct err *e)
{
	uint64_t identity = IDENTITY_MAP;
	int rc, len;

	/* Pages of KVM's own on older Intel CPUs; accepted and unused elsewhere. */
	if (ioctl(hv->vm_fd, KVM_SET_IDENTITY_MAP_ADDR, &identity) < 0 ||
		ioctl(hv->vm_fd, KVM_SET_TSS_ADDR, (unsigned long)MAP_KVM_TSS) < 0)
		return err_sys(e, errno, "KVM_SET_TSS_ADDR");
	rc = hv->desc.type->level == LEVEL_SNP ? kvm_snp_init(hv, e) : 0;
	if (!rc && hv->desc.type->level == LEVEL_TDX)
		rc = kvm_tdx_init(hv, e);
	if (!rc)
		rc = kvm_irq_init(hv, e);
	if (!rc && hv->desc.type->alias)
		rc = kvm_filter_msrs(hv, e);
	if (!rc && (hv->desc.type->alias || hv->desc.type->dual))
		rc = kvm_enable(hv, KVM_CAP_EXIT_HYPERCALL, 1u << HV_HC_MAP_GPA_RANGE, e);
	if (rc)
		return rc;
	len = ioctl(hv->desc.host->kvm_fd, KVM_GET_VCPU_MMAP_SIZE, 0);
	if (len < (int)sizeof(struct kvm_run))
		return err_sys(e, len < 0 ? errno : EIO, "KVM_GET_VCPU_MMAP_SIZE");
	hv->run_len = (size_t)len;
	return 0;
}

int hv_create(struct hv **out, const struct hv_desc *desc, struct err *e)
{
	struct hv *hv = calloc(1, sizeof(*hv));
	int rc;

	*out = NULL;
	if (!hv)
		return err_sys(e, ENOMEM, "VM");
	hv->desc = *desc;
	hv->sev_fd = -1;
	pthread_mutex_init(&hv->routes.lock, NULL);
	do
		hv->vm_fd = ioctl(
			desc->host->kvm_fd, KVM_CREATE_VM, (unsigned long)desc->type->kvm_type);
	while (hv->vm_fd < 0 && errno == EINTR);
	rc = hv->vm_fd < 0 ? err_sys(e, errno, "KVM_CREATE_VM(type %u)", desc->type->kvm_type)
			   : kvm_setup(hv, e);
	if (rc) {
		hv_destroy(hv);
		return rc;
	}
	*out = hv;
	return 0;
}

void hv_destroy(struct hv *hv)
{
	if (!hv)
		return;
	fd_drop(&hv->vm_fd);
	fd_drop(&hv->sev_fd);
	pthread_mutex_destroy(&hv->routes.lock);
	free(hv);
}

int hv_guest_memfd(struct hv *hv, uint64_t size, bool mappable, struct err *e)
{
	const uint64_t flags = HV_GUEST_MEMFD_MMAP | HV_GUEST_MEMFD_INIT_SHARED;
	const struct hv_host *host = hv->desc.host;
	struct hv_create_guest_memfd arg = {.size = size, .flags = mappable ? flags : 0};
	int fd;

	if (!host->user_memory2 || (mappable && (host->guest_memfd_flags & flags) != flags) ||
		(!mappable && !host->guest_memfd))
		return -EOPNOTSUPP;
	fd = ioctl(hv->vm_fd, HV_CREATE_GUEST_MEMFD, &arg);
	if (fd < 0)
		return err_sys(e, errno, "KVM_CREATE_GUEST_MEMFD(%llu bytes, flags %llu)",
			(unsigned long long)arg.size, (unsigned long long)arg.flags);
	fcntl(fd, F_SETFD, FD_CLOEXEC); /* KVM does not make it so */
	return fd;
}

static int kvm_add_slot(struct hv *hv, const struct ram_slot *s)
{
	if (s->guest_memfd >= 0) {
		struct hv_memory_region2 r = {
			.slot = hv->n_slots,
			.flags = HV_MEM_GUEST_MEMFD,
			.guest_phys_addr = s->gpa,
			.memory_size = s->len,
			.userspace_addr = (uintptr_t)s->host,
			.guest_memfd_offset = s->offset,
			.guest_memfd = (uint32_t)s->guest_memfd,
		};

		return ioctl(hv->vm_fd, HV_SET_USER_MEMORY_REGION2, &r);
	}
	struct kvm_userspace_memory_region r = {
		.slot = hv->n_slots,
		.guest_phys_addr = s->gpa,
		.memory_size = s->len,
		.userspace_addr = (uintptr_t)s->host,
	};

	return ioctl(hv->vm_fd, KVM_SET_USER_MEMORY_REGION, &r);
}

int hv_add_slots(struct hv *hv, const struct ram_slot *slots, unsigned int n, struct err *e)
{
	for (unsigned int i = 0; i < n; i++) {
		const struct ram_slot *s = &slots[i];
		int rc;

		if (kvm_add_slot(hv, s) < 0)
			return err_sys(e, errno, "memory slot of %llu bytes at %#llx",
				(unsigned long long)s->len, (unsigned long long)s->gpa);
		hv->n_slots++;
		rc = s->private && hv->desc.type->attributes
			? hv_set_private(hv, gpa_of(s->gpa), s->len, true)
			: 0;
		if (rc)
			return err_sys(e, -rc, "KVM_SET_MEMORY_ATTRIBUTES");
	}
	return 0;
}

int hv_set_private(void *ctx, gpa_t gpa, uint64_t len, bool private)
{
	const struct hv *hv = ctx;
	struct hv_memory_attributes a = {
		.address = gpa.v,
		.size = len,
		.attributes = private ? HV_MEMORY_ATTRIBUTE_PRIVATE : 0,
	};
	int rc;

	do
		rc = ioctl(hv->vm_fd, HV_SET_MEMORY_ATTRIBUTES, &a);
	while (rc < 0 && errno == EINTR);
	return rc < 0 ? -errno : 0;
}
