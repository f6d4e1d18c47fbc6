/* SPDX-License-Identifier: Apache-2.0 */
/* What this host offers; see vmm/host_report.h. */
#include "vmm/host_report.h"

#include "base/fd.h"
#include "vmm/hv/kvm_abi.h"
#include "vmm/hv/vm_type.h"

#include <assert.h>
#include <errno.h>
#include <linux/io_uring.h>
#include <linux/landlock.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>

static void row(struct host_report *r, const char *name, bool offered, const char *fmt, ...)
	PRINTF_LIKE(4, 5);

static void row(struct host_report *r, const char *name, bool offered, const char *fmt, ...)
{
	struct host_row *to = &r->rows[r->n_rows++];
	va_list ap;

	assert(r->n_rows <= HOST_REPORT_MAX);
	to->name = name;
	to->offered = offered;
	va_start(ap, fmt);
	vsnprintf(to->detail, sizeof(to->detail), fmt, ap);
	va_end(ap);
}

static void report_kvm(struct host_report *r, const struct hv_host *h)
{
	const uint32_t soft = HV_GUEST_MEMFD_MMAP | HV_GUEST_MEMFD_INIT_SHARED;

	row(r, "kvm", h->kvm_fd >= 0, "%s", h->kvm_fd < 0 ? h->why : "API version 12");
	if (h->kvm_fd < 0)
		return;
	row(r, "hardware-virtualization", h->hardware, "%s",
		h->hardware
			? "SVM or VMX"
			: "the CPU shows neither SVM nor VMX: KVM emulates privileged guest code; "
			  "tiny guests only");
	row(r, "guest-memfd", (h->guest_memfd_flags & soft) == soft,
		h->guest_memfd_flags
			? "flags %#x for ordinary VMs"
			: "none for ordinary VMs (Linux 6.18 or later has it); level soft "
			  "uses a memfd",
		h->guest_memfd_flags);
	row(r, "guest-memfd-private", h->guest_memfd && h->memory_attributes, "%s",
		h->guest_memfd && h->memory_attributes
			? "inaccessible memory for VMs with private memory"
			: "needs a VM type with private memory");
	row(r, "memory-attributes", h->memory_attributes != 0,
		h->memory_attributes ? "mask %#llx" : "KVM_CAP_MEMORY_ATTRIBUTES is 0 (%llu)",
		(unsigned long long)h->memory_attributes);
	row(r, "vm-types", true, "mask %#x (0 default, 1 sw-protected, 4 snp, 5 tdx)", h->vm_types);
	row(r, "pre-fault", h->pre_fault, "KVM_CAP_PRE_FAULT_MEMORY");
	row(r, "msr-filter", h->msr_filter, "KVM_CAP_X86_MSR_FILTER");
	row(r, "conversion-exits", h->map_gpa_exit, "KVM_CAP_EXIT_HYPERCALL with MAP_GPA_RANGE");
	row(r, "tsc-deadline", h->tsc_deadline, "KVM_CAP_TSC_DEADLINE_TIMER");
	row(r, "max-vcpus", h->max_vcpus > 0, "%u", h->max_vcpus);
	row(r, "guest-physical-bits", h->phys_bits > 0, "%u", h->phys_bits);
}

static void report_kernel(struct host_report *r)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	struct io_uring_params params = {0};
	char huge[64] = "";
	cleanup_fd int ring = (int)syscall(SYS_io_uring_setup, 1, &params);
	int ring_errno = errno;
	FILE *f = fopen("/sys/kernel/mm/transparent_hugepage/shmem_enabled", "re");

	row(r, "landlock", abi > 0,
		abi > 0 ? "ABI %ld" : "not in this kernel, or not enabled (%ld)", abi);
	row(r, "io-uring", ring >= 0, "%s", ring >= 0 ? "available" : strerrordesc_np(ring_errno));
	if (f) {
		if (!fgets(huge, sizeof(huge), f))
			huge[0] = '\0';
		fclose(f);
	}
	huge[strcspn(huge, "\n")] = '\0';
	row(r, "huge-pages", huge[0] && !strstr(huge, "[never]") && !strstr(huge, "[deny]"),
		"for shared memory: %s", huge[0] ? huge : "not in this kernel");
}

void host_report_make(struct host_report *r, const struct hv_host *host)
{
	const struct vm_type *best = vm_type_strongest(host);

	memset(r, 0, sizeof(*r));
	report_kvm(r, host);
	report_kernel(r);
	row(r, "sev-device", host->sev_dev, "%s", host->sev_dev ? "/dev/sev" : "no /dev/sev");
	for (enum level l = LEVEL_OFF; l <= LEVEL_TDX; l++) {
		const struct vm_type *type = vm_type_of(l);
		char lack[256];
		bool missing = vm_type_missing(type, host, lack, sizeof(lack));

		row(r, type->name, !missing, "%s", missing ? lack : type->label);
	}
	r->level = best ? best->name : NULL;
}

json_t *host_report_json(const struct host_report *r)
{
	json_t *root = json_object(), *features = json_object();

	json_object_set_new(root, "level", r->level ? json_string(r->level) : json_null());
	json_object_set_new(root, "features", features);
	for (unsigned int i = 0; i < r->n_rows; i++)
		json_object_set_new(features, r->rows[i].name,
			json_pack("{s:b,s:s}", "offered", r->rows[i].offered, "detail",
				r->rows[i].detail));
	return root;
}
