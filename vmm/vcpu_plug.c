/* SPDX-License-Identifier: Apache-2.0 */
/* vCPUs that come and go; see vmm/vcpu_plug.h. */
#include "vmm/vcpu_plug.h"

#include "devices/front/cpu_plug.h"
#include "vmm/hv/hot.h"
#include "vmm/policy.h"
#include "vmm/vm.h"

#include <assert.h>
#include <stdio.h>

_Static_assert(CONFIG_MAX_VCPUS <= CPU_PLUG_MAX, "a bit for each vCPU");

unsigned int vcpu_plug_most(const struct vm_config *c, enum level level)
{
	struct err e = ERR_INIT;
	bool more = c->cpus.max > c->cpus.boot && !policy_check(level, POLICY_VCPU_RESIZE, &e);

	return (unsigned int)(more ? c->cpus.max : c->cpus.boot);
}

bool vcpu_plug_can(const struct vm *vm)
{
	struct err e = ERR_INIT;

	return vm->config->cpus.max > 1 && !policy_check(vm->type->level, POLICY_VCPU_RESIZE, &e);
}

unsigned int vcpu_plug_count(const struct vm *vm)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < vm->n_vcpus; i++)
		n += vm->vcpus[i].started && !vm->vcpus[i].leaving;
	return n;
}

bool vcpu_plug_leaving(const struct vm *vm)
{
	for (unsigned int i = 0; i < vm->n_vcpus; i++)
		if (vm->vcpus[i].leaving)
			return true;
	return false;
}

/* vcpu_plug_make() - at a place where no vCPU was before, or one has gone */
static int vcpu_plug_make(struct vm *vm, unsigned int i, struct err *e)
{
	struct vcpu *v = &vm->vcpus[i];
	bool new = !v->hv;
	int rc = new ? vcpu_init(v, vm->hv, i, &vm->vcpu_env, e) : 0;

	if (rc)
		return rc;
	rc = new ? hv_vcpu_join(v->hv) : hv_vcpu_reset(v->hv);
	return rc ? err_sys(e, -rc, "vcpu%u", i) : 0;
}

/* vcpu_plug_in() - one more, at the lowest free place */
static int vcpu_plug_in(struct vm *vm, struct err *e)
{
	unsigned int i = 0;
	int rc;

	while (i < vm->n_vcpus && vm->vcpus[i].started)
		i++;
	assert(i < vm->n_vcpus);
	rc = vcpu_plug_make(vm, i, e);
	if (!rc)
		rc = vm_start_vcpu(vm, i, e);
	if (rc)
		return rc;
	gate_wait_entered(&vm->gate, vm->n_threads); /* it has its name and its filter */
	cpu_plug_add(vm->machine.cpus, i);
	return 0;
}

/* vcpu_plug_out() - ask for the highest one */
static void vcpu_plug_out(struct vm *vm)
{
	unsigned int i = vm->n_vcpus - 1;

	while (!vm->vcpus[i].started || vm->vcpus[i].leaving)
		i--;
	assert(i);
	vm->vcpus[i].leaving = true;
	cpu_plug_ask(vm->machine.cpus, i);
}

int vcpu_plug_resize(struct vm *vm, unsigned int n, struct err *e)
{
	int rc = 0;

	assert(vm->machine.cpus && n && n <= vm->n_vcpus && !vcpu_plug_leaving(vm));
	while (vcpu_plug_count(vm) < n && !rc)
		rc = vcpu_plug_in(vm, e);
	while (vcpu_plug_count(vm) > n && !rc)
		vcpu_plug_out(vm);
	return rc;
}

void vcpu_plug_keep(struct vm *vm)
{
	for (unsigned int i = 0; i < vm->n_vcpus; i++)
		if (vm->vcpus[i].leaving && cpu_plug_keep(vm->machine.cpus, i))
			vm->vcpus[i].leaving = false;
}

void vcpu_plug_eject(struct vm *vm)
{
	uint64_t ejected = vm->machine.cpus ? cpu_plug_take_ejected(vm->machine.cpus) : 0;
	char id[16];

	for (unsigned int i = 0; i < vm->n_vcpus; i++) {
		if (!(ejected >> i & 1))
			continue;
		vcpu_retire(&vm->vcpus[i], &vm->gate);
		snprintf(id, sizeof(id), "vcpu%u", i);
		vm->machine.desc.device_event(vm, id, "vcpu-removed");
	}
}
