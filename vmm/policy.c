/* SPDX-License-Identifier: Apache-2.0 */
/* What levels forbid; see vmm/policy.h. */
#include "vmm/policy.h"

#include <assert.h>
#include <errno.h>

#define ONLY(level)   (1u << (level))
#define ABOVE_OFF     (ONLY(LEVEL_SOFT) | ONLY(LEVEL_SW_PROTECTED) | ENCRYPTED)
#define ENCRYPTED     (ONLY(LEVEL_SNP) | ONLY(LEVEL_TDX))
#define NOT_ATTESTED  (ONLY(LEVEL_OFF) | ONLY(LEVEL_SOFT) | ONLY(LEVEL_SW_PROTECTED))
#define LEAVES_THE_VM "private memory would leave the VM"
#define RAM_IS_FIXED  "RAM is what the launch laid out as private"

static const struct {
	const char *name;
	unsigned int levels; /* that forbid it */
	const char *why;
} rows[POLICY_FEATURES] = {
	[POLICY_NOTHING] = {"nothing", 0, ""},
	[POLICY_BALLOON] = {"a balloon", ABOVE_OFF,
		"devices don't reach private memory, which it would give back"},
	[POLICY_COREDUMP] = {"a core dump", ABOVE_OFF, LEAVES_THE_VM},
	[POLICY_MEASUREMENT] = {"a launch measurement", NOT_ATTESTED,
		"nobody attests it, so it would prove nothing"},
	[POLICY_MEMORY_RESIZE] = {"memory hotplug", ABOVE_OFF, RAM_IS_FIXED},
	[POLICY_MIGRATION] = {"migration", ABOVE_OFF, LEAVES_THE_VM},
	[POLICY_PMEM] = {"pmem", ABOVE_OFF, "a host file as guest memory is shared with the host"},
	[POLICY_SNAPSHOT] = {"a snapshot", ABOVE_OFF, LEAVES_THE_VM},
	[POLICY_VIRTIO_MEM] = {"virtio-mem", ABOVE_OFF, RAM_IS_FIXED},
	[POLICY_VCPU_RESIZE] = {"vCPU hotplug", ENCRYPTED, "the launch measures the vCPUs"},
};

int policy_check(enum level level, enum policy_feature feature, struct err *e)
{
	assert(feature < POLICY_FEATURES);
	if (!(rows[feature].levels & ONLY(level)))
		return 0;
	return err_set(e, EACCES, "level %s forbids %s: %s", vm_type_of(level)->name,
		rows[feature].name, rows[feature].why);
}
