/* SPDX-License-Identifier: Apache-2.0 */
/* Bringing a VM up and down; see vmm/vm.h. */
#include "vmm/vm.h"

#include "base/clock.h"
#include "base/log.h"
#include "memory/ledger.h"
#include "seccomp/program.h"
#include "vmm/launch.h"
#include "vmm/mem_resize.h"
#include "vmm/policy.h"
#include "vmm/quotes.h"
#include "vmm/sandbox.h"
#include "vmm/snp_plan.h"
#include "vmm/tdx_plan.h"
#include "vmm/vcpu_plug.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* --- capabilities: the host, and the level that it and the config allow --- */

int vm_choose_type(const struct vm_type **type, const struct vm_config *config,
	const struct hv_host *host, struct err *e)
{
	int level = config->confidential.level;
	char lack[256];

	*type = level == CONFIG_LEVEL_AUTO ? vm_type_strongest(host)
					   : vm_type_of((enum level)(level - 1));
	if (!*type)
		*type = vm_type_of(LEVEL_OFF);
	if (vm_type_missing(*type, host, lack, sizeof(lack)))
		return err_set(e, ENODEV, "--confidential: level %s is not offered here: %s",
			(*type)->name, lack);
	/* Clients ask for an empty one at any level: where it is forbidden there is none then. */
	if (config->balloon.size && config->balloon.size != BALLOON_NONE &&
		policy_check((*type)->level, POLICY_BALLOON, e))
		return err_context(e, "--balloon");
	if (config_has_virtio_mem(config) && policy_check((*type)->level, POLICY_VIRTIO_MEM, e))
		return err_context(e, "--memory");
	if ((int)(*type)->level < config->require)
		return err_set(e, ENODEV,
			"--require: level %s is not offered here; the strongest that is: %s",
			vm_type_of((enum level)config->require)->name, (*type)->name);
	return 0;
}

static int vm_up_capabilities(struct vm *vm, struct err *e)
{
	hv_host_probe(&vm->host);
	return vm_choose_type(&vm->type, vm->config, &vm->host, e);
}

static void vm_down_capabilities(struct vm *vm)
{
	hv_host_close(&vm->host);
}

/* --- measure: predict what a hardware level will be launched with; nothing exists yet --- */

static int vm_up_measure(struct vm *vm, struct err *e)
{
	int rc = 0;

	if (vm->type->level == LEVEL_SNP)
		rc = snp_plan_create(&vm->snp, vm->config, vm->host.signature, e);
	if (vm->type->level == LEVEL_TDX)
		rc = tdx_plan_create(&vm->tdx, vm->config, e);
	if (!rc)
		vm->plan = vm->snp ? &vm->snp->common : vm->tdx ? &vm->tdx->common : NULL;
	return rc;
}

static void vm_down_measure(struct vm *vm)
{
	snp_plan_destroy(vm->snp);
	tdx_plan_destroy(vm->tdx);
}

/* --- memory: the VM itself, its RAM, the ledger --- */

/* The private alias is private for ever, so no level with aliases has an attribute to change. */
static const struct convert_ops alias_ops = {.discard = ram_discard};

static int vm_set_private(void *ctx, gpa_t gpa, uint64_t len, bool private)
{
	const struct vm *vm = ctx;

	return hv_set_private(vm->hv, gpa, len, private);
}

static int vm_discard(void *ctx, gpa_t gpa, uint64_t len, bool private_side)
{
	struct vm *vm = ctx;

	return ram_discard(&vm->ram, gpa, len, private_side);
}

static const struct convert_ops dual_ops = {.set_private = vm_set_private, .discard = vm_discard};

/* vm_is_split() - has the VM private memory? */
static bool vm_is_split(const struct vm *vm)
{
	return vm->type->alias || vm->type->dual;
}

/* vm_check_memory() - a size that can't work here is refused before anything is made */
static int vm_check_memory(struct vm *vm, struct layout *layout, struct err *e)
{
	int rc = layout_init(layout, mem_resize_boot(vm->config), e);

	if (!rc)
		rc = layout_reserve(layout, mem_resize_room(vm->config, vm->type->level), e);
	if (rc)
		return err_context(e, "--memory");
	if (vm->type->alias) {
		vm->cbit = vm_type_cbit(&vm->host, layout->end.v);
		if (!vm->cbit)
			return err_set(e, EINVAL,
				"--memory: level %s needs RAM below half of the host's %u-bit guest "
				"address space",
				vm->type->name, vm->host.phys_bits);
	}
	if (vm->plan)
		rc = launch_plan_check(vm->plan, layout, e);
	if (!rc && vm->tdx)
		rc = tdx_plan_describe(vm->tdx, layout, e);
	if (rc)
		return rc;
	if (layout->end.v > UINT64_C(1) << vm->host.phys_bits)
		return err_set(e, EINVAL, "--memory: beyond the host's %u-bit guest address space",
			vm->host.phys_bits);
	if (vm->n_vcpus > vm->host.max_vcpus)
		return err_set(
			e, EINVAL, "--cpus: this host offers at most %u", vm->host.max_vcpus);
	return vm->config->memory.overcommit ? 0 : launch_check_host_memory(layout->ram, e);
}

static int vm_up_hypervisor(struct vm *vm, struct ram_desc *desc, struct err *e)
{
	struct hv_desc hv = {
		.type = vm->type,
		.host = &vm->host,
		.n_vcpus = vm->n_vcpus,
		.cbit = vm->cbit,
		.signature = vm->snp ? vm->snp->signature : 0,
		.tdx = vm->tdx ? &vm->tdx->identity : NULL,
		.xcr0_preset = vm->config->xcr0_preset,
		.req_certs = vm->snp && vm->snp->certs.table,
	};
	int rc = hv_create(&vm->hv, &hv, e);

	if (rc || !vm_is_split(vm))
		return rc;
	desc->dual = vm->type->dual;
	desc->cbit = vm->type->alias ? UINT64_C(1) << vm->cbit : 0;
	desc->mappable = !vm->type->attributes;
	if (vm->plan)
		desc->rom = (struct layout_range){
			gpa_of(OVMF_TOP - launch_plan_rom(vm->plan)), launch_plan_rom(vm->plan)};
	desc->guest_memfd = hv_guest_memfd(vm->hv, ram_private_len(desc), desc->mappable, e);
	if (desc->guest_memfd == -EOPNOTSUPP && desc->mappable) {
		log_info("memory",
			"no guest_memfd for ordinary VMs here: private memory is a memfd");
		return 0;
	}
	if (desc->guest_memfd == -EOPNOTSUPP)
		return err_set(e, EOPNOTSUPP, "memory: KVM has no guest_memfd for this kind of VM");
	return desc->guest_memfd < 0 ? desc->guest_memfd : 0;
}

static int vm_up_memory(struct vm *vm, struct err *e)
{
	struct ram_desc desc = {.guest_memfd = -1,
		.alone = vm->type->level == LEVEL_OFF && !vm->desc.pluggable &&
			!device_plan_any(vm->config)};
	struct ram_slot slots[RAM_MAX_SLOTS];
	unsigned int n;
	int rc;

	vm->ram = (struct ram){.shared_fd = -1, .private_fd = -1};
	vm->n_vcpus = vcpu_plug_most(vm->config, vm->type->level);
	rc = vm_check_memory(vm, &desc.layout, e);
	if (!rc)
		rc = vm_up_hypervisor(vm, &desc, e);
	if (!rc)
		rc = ram_init(&vm->ram, &desc, e);
	if (rc)
		return rc;
	n = ram_slots(&vm->ram, slots);
	rc = hv_add_slots(vm->hv, slots, n, e);
	if (!rc)
		rc = mem_resize_expose(vm, e);
	if (!rc)
		rc = ledger_create(&vm->ledger, &vm->ram.layout, !vm_is_split(vm),
			launch_shared_budget(vm->config), e);
	vm->converter = (struct converter){
		.layout = &vm->ram.layout,
		.ledger = vm->ledger,
		.ops = vm->type->dual ? &dual_ops : &alias_ops,
		.ctx = vm->type->dual ? (void *)vm : &vm->ram,
		.one_gpa = vm->type->dual,
	};
	return rc;
}

static void vm_down_memory(struct vm *vm)
{
	hv_destroy(vm->hv);
	ledger_destroy(vm->ledger);
	ram_fini(&vm->ram);
}

/* --- machine: the board and its devices --- */

static void vm_power_event(void *ctx, bool reset)
{
	vm_end(ctx, reset ? VM_RESET : VM_POWEROFF, NULL);
}

/* vm_woken() - on the loop's thread: vCPUs that went; tell once that the VM has ended */
static void vm_woken(void *ctx)
{
	struct vm *vm = ctx;

	vcpu_plug_eject(vm);
	if (vm->told || __atomic_load_n(&vm->end, __ATOMIC_ACQUIRE) == VM_RUNNING)
		return;
	vm->told = true;
	vm->desc.ended(vm->desc.ctx);
}

static void vm_device_event(void *ctx, const char *id, const char *event)
{
	struct vm *vm = ctx;

	if (vm->desc.device_event)
		vm->desc.device_event(vm->desc.ctx, id, event);
}

static int vm_up_machine(struct vm *vm, struct err *e)
{
	struct machine_desc desc = {
		.n_vcpus = (unsigned int)vm->config->cpus.boot,
		.cpu_plug = vcpu_plug_can(vm),
		.ioapic = vm->type->split_irqchip,
		.mem_plug = vm->ram.layout.plug.len && vm->config->memory.method == MEMORY_ACPI,
		.config = vm->config,
		.loop = vm->desc.loop,
		.hv = vm->hv,
		.ram = &vm->ram,
		.ledger = vm->ledger,
		.doorbell = vm->type->alias && !vm->host.hardware ? &vm->converter : NULL,
		.timeline = vm->desc.timeline,
		.spawner = vm->desc.spawner,
		.seccomp = vm->desc.seccomp,
		.power_event = vm_power_event,
		.device_event = vm_device_event,
		.woken = vm_woken,
		.ctx = vm,
	};

	return machine_init(&vm->machine, &desc, e);
}

static void vm_down_machine(struct vm *vm)
{
	machine_fini(&vm->machine);
}

/* --- load: kernel and boot data into memory, then no more writing --- */

static int vm_up_load(struct vm *vm, struct err *e)
{
	int rc;

	if (vm->plan)
		return 0; /* pages go to the firmware alone, in the stage "launch" */
	rc = launch_load(vm, e);
	return rc ? rc : ram_seal(&vm->ram, !vm->host.hardware, e);
}

static void vm_down_load(struct vm *vm)
{
	(void)vm; /* what was loaded goes with the memory */
}

/* --- vcpus --- */

static void vm_vcpu_ended(void *ctx, unsigned int index, enum vcpu_end why, const char *text)
{
	char named[160];

	snprintf(named, sizeof(named), "vcpu%u: %s", index, text ? text : "reset");
	vm_end(ctx, why == VCPU_RESET ? VM_RESET : VM_FAILED, named);
}

/*
 * vm_up_vcpu() - at snp all are measured, and get their first state here; at tdx the module gives
 * it to them; else KVM holds back all but the first
 */
static int vm_up_vcpu(struct vm *vm, unsigned int i, struct err *e)
{
	int rc = vcpu_init(&vm->vcpus[i], vm->hv, i, &vm->vcpu_env, e);

	if (vm->snp)
		vm->entry = snp_plan_entry(vm->snp, i);
	if (rc || vm->tdx || (i && !vm->snp))
		return rc;
	return hv_vcpu_enter(vm->vcpus[i].hv, &vm->entry, e);
}

static int vm_send(void *ctx, uint64_t address, uint32_t data)
{
	return hv_msi_send(ctx, address, data);
}

static int vm_up_quotes(struct vm *vm, struct err *e)
{
	const struct quotes_desc desc = {
		.loop = vm->desc.loop,
		.io = {&vm->ram, vm->ledger},
		.service = vm->config->confidential.quotes,
		.send = vm_send,
		.ctx = vm->hv,
	};
	int rc = vm->tdx ? quotes_create(&vm->tdx->quotes, &desc, e) : 0;

	if (vm->tdx)
		vm->vcpu_env.quotes = vm->tdx->quotes;
	return rc;
}

static int vm_up_vcpus(struct vm *vm, struct err *e)
{
	int rc = program_create(&vm->vcpu_filter, FILTER_VCPU, vm->desc.seccomp, e);

	gate_init(&vm->gate);
	if (rc)
		return rc;
	vm->vcpu_env = (struct vcpu_env){
		.bus = vm->machine.bus,
		.gate = &vm->gate,
		.converter = vm_is_split(vm) ? &vm->converter : NULL,
		.ended = vm_vcpu_ended,
		.ctx = vm,
		.filter = vm->vcpu_filter,
		.prefault = vm->type->dual,
	};
	if (vm->snp && vm->snp->certs.table) {
		vm->snp->certs.io = (struct guest_io){&vm->ram, vm->ledger};
		vm->vcpu_env.certs = &vm->snp->certs;
	}
	rc = vm_up_quotes(vm, e);
	if (rc)
		return rc;
	vm->vcpus = calloc(vm->n_vcpus, sizeof(*vm->vcpus));
	if (!vm->vcpus)
		return err_sys(e, ENOMEM, "vcpus");
	for (unsigned int i = 0; i < vm->config->cpus.boot && !rc; i++)
		rc = vm_up_vcpu(vm, i, e);
	return rc;
}

static void vm_down_vcpus(struct vm *vm)
{
	vm_stop(vm);
	for (unsigned int i = 0; vm->vcpus && i < vm->n_vcpus; i++)
		vcpu_fini(&vm->vcpus[i]);
	free(vm->vcpus);
	if (vm->tdx)
		quotes_destroy(vm->tdx->quotes);
	gate_fini(&vm->gate);
	program_destroy(vm->vcpu_filter);
}

/* --- launch: image and vCPUs to the firmware, which measures them --- */

static int vm_launch_snp(struct vm *vm, struct err *e)
{
	struct snp_plan *p = vm->snp;
	int rc;

	p->launch.image = &p->common.image;
	p->launch.first = vm->vcpus[0].hv;
	rc = hv_snp_launch(vm->hv, &p->launch, &p->counts, e);
	if (!rc)
		log_info("snp", "launched: %llu pages in %u runs, %u launch commands",
			(unsigned long long)p->counts.pages, p->counts.runs, p->counts.ioctls);
	return rc;
}

static int vm_launch_tdx(struct vm *vm, struct err *e)
{
	struct tdx_plan *p = vm->tdx;
	struct tdx_launch launch = {
		.image = &p->common.image, .n_vcpus = p->common.n_vcpus, .hob = p->hob.at.v};
	cleanup_free struct hv_vcpu **vcpus = calloc(launch.n_vcpus, sizeof(struct hv_vcpu *));
	int rc;

	if (!vcpus)
		return err_sys(e, ENOMEM, "launch");
	for (unsigned int i = 0; i < launch.n_vcpus; i++)
		vcpus[i] = vm->vcpus[i].hv;
	launch.vcpus = vcpus;
	rc = hv_tdx_launch(vm->hv, &launch, &p->counts, e);
	if (!rc)
		log_info("tdx", "launched: %llu pages in %u runs, %u launch commands",
			(unsigned long long)p->counts.pages, p->counts.runs, p->counts.ioctls);
	return rc;
}

static int vm_up_launch(struct vm *vm, struct err *e)
{
	if (vm->snp)
		return vm_launch_snp(vm, e);
	return vm->tdx ? vm_launch_tdx(vm, e) : 0;
}

static void vm_down_launch(struct vm *vm)
{
	(void)vm; /* what was launched goes with the VM */
}

/* --- the table --- */

/*
 * A stage's down works on what a failed up left half-built too. vCPUs stop before devices go,
 * devices before memory.
 */
static const struct vm_stage {
	const char *name;
	int (*up)(struct vm *vm, struct err *e);
	void (*down)(struct vm *vm);
} stages[] = {
	{"capabilities", vm_up_capabilities, vm_down_capabilities},
	{"measure", vm_up_measure, vm_down_measure},
	{"memory", vm_up_memory, vm_down_memory},
	{"machine", vm_up_machine, vm_down_machine},
	{"load", vm_up_load, vm_down_load},
	{"vcpus", vm_up_vcpus, vm_down_vcpus},
	{"launch", vm_up_launch, vm_down_launch},
};
_Static_assert(ARRAY_SIZE(stages) <= VM_MAX_STAGES, "room for the times of all stages");

const char *vm_stage_name(unsigned int i)
{
	return i < ARRAY_SIZE(stages) ? stages[i].name : NULL;
}

int vm_create(struct vm **out, const struct vm_desc *desc, struct err *e)
{
	struct vm *vm = calloc(1, sizeof(*vm));
	int rc = 0;

	*out = NULL;
	if (!vm)
		return err_sys(e, ENOMEM, "VM");
	vm->desc = *desc;
	vm->config = desc->config;
	vm->host.kvm_fd = -1;
	vm->created_ns = clock_ns();
	while (vm->stages_up < ARRAY_SIZE(stages) && !rc) {
		rc = stages[vm->stages_up].up(vm, e);
		vm->stage_ns[vm->stages_up++] = clock_ns();
	}
	if (rc) {
		vm_destroy(vm);
		return rc;
	}
	*out = vm;
	return 0;
}

void vm_destroy(struct vm *vm)
{
	if (!vm)
		return;
	while (vm->stages_up)
		stages[--vm->stages_up].down(vm);
	free(vm);
}

void vm_end(struct vm *vm, enum vm_end why, const char *text)
{
	enum vm_end running = VM_RUNNING;

	/* The main thread reads the text when it has joined the vCPU threads. */
	if (__atomic_compare_exchange_n(
		    &vm->end, &running, why, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
		snprintf(vm->end_text, sizeof(vm->end_text), "%s", text ? text : "");
	__atomic_store_n(&vm->vcpu_env.over, true, __ATOMIC_RELEASE);
	machine_wake(&vm->machine);
}

int vm_start_vcpu(struct vm *vm, unsigned int i, struct err *e)
{
	int rc = vcpu_start(&vm->vcpus[i], e);

	vm->n_threads += !rc;
	return rc;
}

/* vm_start_dialer() - only it may make connections, and only where some may be needed */
static int vm_start_dialer(struct vm *vm, struct err *e)
{
	struct courier *dialer;
	int rc;

	if (!vm->config->confidential.quotes || !vm->tdx)
		return 0;
	rc = sandbox_thread(&dialer, FILTER_DIALER, vm->desc.seccomp, e);
	if (!rc)
		quotes_dial_by(vm->tdx->quotes, dialer);
	return rc;
}

int vm_start(struct vm *vm, struct err *e)
{
	int rc = machine_start(&vm->machine, e);

	if (!rc)
		rc = vm_start_dialer(vm, e);
	gate_close(&vm->gate);
	for (unsigned int i = 0; i < vm->config->cpus.boot && !rc; i++)
		rc = vm_start_vcpu(vm, i, e);
	if (rc)
		return rc;
	gate_wait(&vm->gate, vm->n_threads);
	if (__atomic_load_n(&vm->end, __ATOMIC_ACQUIRE) == VM_FAILED)
		return err_set(e, EPERM, "%s", vm->end_text);
	return 0;
}

void vm_pause(struct vm *vm)
{
	gate_close(&vm->gate);
	for (unsigned int i = 0; i < vm->n_vcpus; i++)
		vcpu_interrupt(&vm->vcpus[i]);
	gate_wait(&vm->gate, vm->n_threads);
	device_suspend(vm->machine.devices);
}

void vm_resume(struct vm *vm)
{
	if (!vm->run_ns)
		vm->run_ns = clock_ns();
	device_resume(vm->machine.devices);
	for (unsigned int i = 0; i < vm->n_vcpus; i++)
		if (vm->vcpus[i].started)
			hv_vcpu_unkick(vm->vcpus[i].hv);
	gate_open(&vm->gate);
}

int vm_nmi(struct vm *vm, struct err *e)
{
	int rc = 0;

	for (unsigned int i = 0; i < vm->n_vcpus && !rc; i++)
		rc = vm->vcpus[i].started ? hv_nmi(vm->hv, i) : 0;
	return rc ? err_sys(e, -rc, "NMI") : 0;
}

void vm_stop(struct vm *vm)
{
	if (!vm->vcpus)
		return;
	gate_abandon(&vm->gate);
	for (unsigned int i = 0; i < vm->n_vcpus; i++)
		vcpu_stop(&vm->vcpus[i]);
}
