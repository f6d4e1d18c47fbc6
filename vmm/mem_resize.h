/* SPDX-License-Identifier: Apache-2.0 */
/*
 * More memory for a VM while it runs, at level off. memory.hotplug_size says how much can come on
 * top of memory.size, memory.hotplugged_size how much of it is there at the start,
 * memory.hotplug_method how it comes:
 *
 *   acpi: as memory devices of the DSDT, in multiples of 128 MiB, at most MEM_PLUG_MAX times; it
 *   never goes. What has come counts in memory.size from then on, so it is ordinary RAM after a
 *   reboot.
 *
 *   virtio-mem: as a virtio device, in multiples of 2 MiB. The guest is asked to plug what is
 *   there at the start and what vm.resize wants, and to unplug what is more than that; what it
 *   has done shows in vm.info. All of it counts in memory.hotplugged_size, memory.size stays, and
 *   after a reboot the guest is asked anew.
 *
 * The VM's memory object is as large as all that can come; it is sparse. By acpi KVM knows only
 * what has come; by virtio-mem all of it, as blocks of 2 MiB would be too many slots. A guest that
 * touches memory which is not plugged gets zeroed pages, up to hotplug_size, as from any RAM.
 */
#ifndef VMM_MEM_RESIZE_H
#define VMM_MEM_RESIZE_H

#include "base/err.h"
#include "vmm/hv/vm_type.h"

struct vm;
struct vm_config;

/* mem_resize_boot() - Return: bytes of RAM that the VM boots with. */
uint64_t mem_resize_boot(const struct vm_config *c);

/* mem_resize_room() - Return: bytes to be left for what can come. */
uint64_t mem_resize_room(const struct vm_config *c, enum level level);

/* mem_resize_expose() - virtio-mem: have KVM know the region; before vCPUs run. Return: 0 or
 * -errno. */
int mem_resize_expose(struct vm *vm, struct err *e) MUST_CHECK;

/* mem_resize_actual() - Return: bytes that it has, as far as devices say. @vm: NULL: not up. */
uint64_t mem_resize_actual(const struct vm *vm, const struct vm_config *c);

/* mem_resize_now() - Return: bytes that the VM is to have, as vm.resize set it last. */
uint64_t mem_resize_now(const struct vm_config *c);

/*
 * mem_resize_check() - may it have that many bytes?
 * @vm: NULL: it is not up, and may have any number
 * Return: 0, or -EINVAL.
 */
int mem_resize_check(
	const struct vm *vm, const struct vm_config *c, uint64_t want, struct err *e) MUST_CHECK;

/* mem_resize_apply() - do it, after the check; the config follows. Return: 0 or -errno. */
int mem_resize_apply(struct vm *vm, struct vm_config *c, uint64_t want, struct err *e) MUST_CHECK;

#endif
