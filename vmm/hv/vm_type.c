/* SPDX-License-Identifier: Apache-2.0 */
/* The table of levels; see vmm/hv/vm_type.h. */
#include "vmm/hv/vm_type.h"

#include "vmm/hv/kvm_abi.h"

#include <stdio.h>
#include <string.h>

#define CBIT_MAX 45u
#define CBIT_MIN 33u /* above the devices below 4 GiB */

static const struct vm_type types[] = {
	[LEVEL_OFF] =
		{
			.level = LEVEL_OFF,
			.name = "off",
			.label = "an ordinary VM: devices and host see all guest memory",
			.kvm_type = HV_VM_DEFAULT,
			.automatic = true,
		},
	[LEVEL_SOFT] =
		{
			.level = LEVEL_SOFT,
			.name = "soft",
			.label = "software isolation, not attested: devices see shared pages only; "
				 "host kernel and monitor can read everything; no encryption",
			.kvm_type = HV_VM_DEFAULT,
			.alias = true,
			.automatic = true,
		},
	[LEVEL_SW_PROTECTED] =
		{
			.level = LEVEL_SW_PROTECTED,
			.name = "sw-protected",
			.label =
				"software isolation, not attested: no process can map private pages; "
				"the host kernel can read them; a development vehicle",
			.kvm_type = HV_VM_SW_PROTECTED,
			.alias = true,
			.attributes = true,
		},
	[LEVEL_SNP] =
		{
			.level = LEVEL_SNP,
			.name = "snp",
			.label = "AMD SEV-SNP: hardware isolation, attested",
			.kvm_type = HV_VM_SNP,
			.dual = true,
			.attributes = true,
		},
	[LEVEL_TDX] =
		{
			.level = LEVEL_TDX,
			.name = "tdx",
			.label = "Intel TDX: hardware isolation, attested",
			.kvm_type = HV_VM_TDX,
			.dual = true,
			.attributes = true,
			.split_irqchip = true,
		},
};

const struct vm_type *vm_type_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (!strcmp(types[i].name, name))
			return &types[i];
	return NULL;
}

const struct vm_type *vm_type_of(enum level level)
{
	return &types[level];
}

/* vm_type_lack() - Return: what is missing, NULL for nothing */
static const char *vm_type_lack(const struct vm_type *type, const struct hv_host *host)
{
	if (host->kvm_fd < 0)
		return host->why;
	if (!host->irqchip)
		return "KVM has no in-kernel interrupt controller";
	if (!(host->vm_types & 1u << type->kvm_type)) {
		switch (type->level) {
		case LEVEL_SNP:
			return "KVM offers no SEV-SNP VMs (VM type 4): needs an AMD EPYC 7003 or later "
			       "with SNP enabled in the BIOS, kvm_amd.sev_snp=1 and Linux 6.11 or later";
		case LEVEL_TDX:
			return "KVM offers no TDX VMs (VM type 5): needs an Intel CPU with TDX enabled "
			       "in the BIOS, kvm_intel.tdx=1 and Linux 6.16 or later";
		default:
			return "KVM offers no software-protected VMs (VM type 1): needs a kernel with "
			       "CONFIG_KVM_SW_PROTECTED_VM";
		}
	}
	if (type->level == LEVEL_SNP && !host->sev_dev)
		return "/dev/sev can't be opened: needs the kernel module ccp, and permission";
	if (type->attributes && !(host->memory_attributes & HV_MEMORY_ATTRIBUTE_PRIVATE))
		return "KVM has no private memory attribute (KVM_CAP_MEMORY_ATTRIBUTES)";
	if (type->attributes && !host->guest_memfd)
		return "KVM has no guest_memfd (KVM_CAP_GUEST_MEMFD)";
	if (type->alias && !host->msr_filter)
		return "KVM can't filter MSRs (KVM_CAP_X86_MSR_FILTER, Linux 5.10 or later)";
	if ((type->alias || type->dual) && !host->map_gpa_exit)
		return "KVM doesn't pass on conversions (KVM_CAP_EXIT_HYPERCALL, Linux 5.14 or later)";
	return NULL;
}

bool vm_type_missing(const struct vm_type *type, const struct hv_host *host, char *out, size_t len)
{
	const char *lack = vm_type_lack(type, host);

	snprintf(out, len, "%s", lack ? lack : "");
	return lack != NULL;
}

const struct vm_type *vm_type_strongest(const struct hv_host *host)
{
	for (size_t i = ARRAY_SIZE(types); i-- > 0;)
		if (types[i].automatic && !vm_type_lack(&types[i], host))
			return &types[i];
	return NULL;
}

unsigned int vm_type_cbit(const struct hv_host *host, uint64_t ram_end)
{
	unsigned int bit = host->phys_bits - 1;

	if (bit > CBIT_MAX)
		bit = CBIT_MAX;
	return host->phys_bits && bit >= CBIT_MIN && ram_end <= UINT64_C(1) << bit ? bit : 0;
}
