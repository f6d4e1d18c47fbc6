/* SPDX-License-Identifier: Apache-2.0 */
/* More memory for a VM; see vmm/mem_resize.h. */
#include "vmm/mem_resize.h"

#include "devices/front/mem_plug.h"
#include "devices/wire/virtio_mem.h"
#include "vmm/launch.h"
#include "vmm/mem_device.h"
#include "vmm/policy.h"
#include "vmm/vm.h"

#include <errno.h>

uint64_t mem_resize_boot(const struct vm_config *c)
{
	return c->memory.size + (c->memory.method == MEMORY_ACPI ? c->memory.hotplugged_size : 0);
}

/* mem_resize_left() - what can still come by ACPI */
static uint64_t mem_resize_left(const struct vm_config *c)
{
	uint64_t there = c->memory.plugged + c->memory.hotplugged_size;

	return c->memory.hotplug_size - min_u64(there, c->memory.hotplug_size);
}

uint64_t mem_resize_room(const struct vm_config *c, enum level level)
{
	struct err e = ERR_INIT;

	if (policy_check(level, POLICY_MEMORY_RESIZE, &e))
		return 0;
	return c->memory.method == MEMORY_ACPI ? mem_resize_left(c) : c->memory.hotplug_size;
}

uint64_t mem_resize_now(const struct vm_config *c)
{
	return c->memory.size + c->memory.hotplugged_size;
}

/* mem_resize_check_acpi() - it only comes, in whole steps */
static int mem_resize_check_acpi(
	const struct vm *vm, const struct vm_config *c, uint64_t want, struct err *e)
{
	uint64_t now = mem_resize_now(c), room = vm->ram.layout.plug.len - vm->plugged;

	if (want < now)
		return err_set(e, EINVAL,
			"memory that came by ACPI does not go; there are %llu bytes",
			(unsigned long long)now);
	if (want - now > room)
		return err_set(e, EINVAL,
			"at most %llu bytes more can come, as memory.hotplug_size says",
			(unsigned long long)room);
	if (!is_aligned(want - now, LAYOUT_PLUG_STEP))
		return err_set(e, EINVAL, "memory comes in multiples of 128 MiB");
	if (!mem_plug_room(vm->machine.mem_plug))
		return err_set(e, EINVAL, "memory came %d times already; it can't until a reboot",
			MEM_PLUG_MAX);
	return 0;
}

/* mem_resize_check_virtio() - it comes and goes, in whole blocks */
static int mem_resize_check_virtio(
	const struct vm *vm, const struct vm_config *c, uint64_t want, struct err *e)
{
	uint64_t room = vm->ram.layout.plug.len;

	if (want < c->memory.size || want - c->memory.size > room)
		return err_set(e, EINVAL,
			"memory.size is %llu bytes, and at most %llu more can come, as "
			"memory.hotplug_size says",
			(unsigned long long)c->memory.size, (unsigned long long)room);
	if (!is_aligned(want - c->memory.size, VIRTIO_MEM_BLOCK))
		return err_set(e, EINVAL, "memory comes and goes in multiples of 2 MiB");
	return 0;
}

/* mem_resize_check_running() - what a VM that is up can be made to have */
static int mem_resize_check_running(
	const struct vm *vm, const struct vm_config *c, uint64_t want, struct err *e)
{
	return config_has_virtio_mem(c) ? mem_resize_check_virtio(vm, c, want, e)
					: mem_resize_check_acpi(vm, c, want, e);
}

int mem_resize_check(const struct vm *vm, const struct vm_config *c, uint64_t want, struct err *e)
{
	uint64_t size = want - min_u64(want, c->memory.hotplugged_size);
	struct layout layout;
	int rc = vm ? mem_resize_check_running(vm, c, want, e) : layout_init(&layout, size, e);

	return rc || c->memory.overcommit ? rc : launch_check_host_memory(want, e);
}

/* mem_resize_plug() - the next piece behind those that came */
static int mem_resize_plug(struct vm *vm, uint64_t len, struct err *e)
{
	struct ram_slot slot = ram_plug_slot(&vm->ram, vm->plugged, len);
	int rc = hv_add_slots(vm->hv, &slot, 1, e);

	if (rc)
		return rc;
	vm->plugged += len;
	mem_plug_add(vm->machine.mem_plug, gpa_of(slot.gpa), len);
	return 0;
}

int mem_resize_expose(struct vm *vm, struct err *e)
{
	const struct layout_range *plug = &vm->ram.layout.plug;
	struct ram_slot slot;

	if (!plug->len || !config_has_virtio_mem(vm->config))
		return 0;
	slot = ram_plug_slot(&vm->ram, 0, plug->len);
	return hv_add_slots(vm->hv, &slot, 1, e);
}

uint64_t mem_resize_actual(const struct vm *vm, const struct vm_config *c)
{
	uint64_t has = mem_resize_now(c);

	if (!vm)
		return has;
	if (config_has_virtio_mem(c))
		has = c->memory.size + mem_device_plugged(vm->machine.mem_device);
	return has - min_u64(has, balloon_size(vm->machine.balloon));
}

/* mem_resize_ask() - by virtio-mem: the guest plugs or unplugs */
static int mem_resize_ask(struct vm *vm, struct vm_config *c, uint64_t want, struct err *e)
{
	int rc = mem_device_ask(vm->machine.mem_device, want - c->memory.size, e);

	if (!rc)
		c->memory.hotplugged_size = want - c->memory.size;
	return rc;
}

int mem_resize_apply(struct vm *vm, struct vm_config *c, uint64_t want, struct err *e)
{
	uint64_t now = mem_resize_now(c);
	int rc;

	if (vm && config_has_virtio_mem(c))
		return mem_resize_ask(vm, c, want, e);
	rc = vm ? mem_resize_plug(vm, want - now, e) : 0;
	if (rc)
		return rc;
	c->memory.size = want - c->memory.hotplugged_size;
	if (vm)
		c->memory.plugged += want - now;
	else if (want < now)
		c->memory.plugged -= min_u64(c->memory.plugged, now - want);
	return 0;
}
