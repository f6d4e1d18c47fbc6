/* SPDX-License-Identifier: Apache-2.0 */
/* The daemon's VM and its state; see vmm/vmm.h. */
#include "vmm/vmm.h"

#include "base/log.h"
#include "base/loop.h"
#include "devices/front/courier.h"
#include "vmm/config_json.h"
#include "vmm/events.h"
#include "vmm/measured.h"
#include "vmm/mem_resize.h"
#include "vmm/metrics.h"
#include "vmm/outlet.h"
#include "vmm/plug.h"
#include "vmm/removals.h"
#include "vmm/report.h"
#include "vmm/resize.h"
#include "vmm/vm.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

struct vmm {
	struct vmm_desc desc;
	enum vmm_state state;
	struct vm_config config; /* not NOT_CREATED */
	json_t *echo;            /* likewise */
	enum level level;        /* likewise: what it runs at */
	struct vm *vm;           /* RUNNING and PAUSED */
	struct removals *removals;
};

static struct plug_board vmm_board(struct vmm *vmm)
{
	assert(vmm->state != VMM_NOT_CREATED);
	return (struct plug_board){&vmm->config, vmm->echo, vmm->vm, vmm->removals};
}

/* vmm_removal_late() - the guest was asked, and has not done it in time */
static void vmm_removal_late(void *ctx, const char *id)
{
	struct vmm *vmm = ctx;
	struct plug_board board = vmm_board(vmm);
	uint64_t n;

	if (strcmp(id, RESIZE_VCPUS)) {
		events_emit_with(vmm->desc.events, "vm", "device-removal-timeout",
			json_pack("{s:s}", "id", id));
		return;
	}
	n = resize_late(&board);
	vmm->desc.changed(vmm->desc.ctx);
	events_emit_with(vmm->desc.events, "vm", "vcpu-removal-timeout",
		json_pack("{s:I}", "vcpus", (json_int_t)n));
}

int vmm_create(struct vmm **out, const struct vmm_desc *desc, struct err *e)
{
	struct vmm *vmm = calloc(1, sizeof(*vmm));

	*out = vmm;
	if (!vmm)
		return err_sys(e, ENOMEM, "VMM");
	vmm->desc = *desc;
	return removals_create(&vmm->removals,
		&(struct removals_desc){desc->loop, desc->removal_ms, vmm_removal_late, vmm}, e);
}

void vmm_destroy(struct vmm *vmm)
{
	if (!vmm)
		return;
	vmm_forget(vmm);
	removals_destroy(vmm->removals);
	free(vmm);
}

enum vmm_state vmm_state(const struct vmm *vmm)
{
	return vmm->state;
}

/* vmm_impose() - what the daemon's own flags say about levels comes on top of the config */
static int vmm_impose(const struct vmm *vmm, struct vm_config *c, bool asked, struct err *e)
{
	if (vmm->desc.level >= 0 && asked && c->confidential.level != vmm->desc.level)
		return err_set(
			e, EINVAL, "confidential.level: this daemon was started for another level");
	if (vmm->desc.level >= 0)
		c->confidential.level = vmm->desc.level;
	c->xcr0_preset = vmm->desc.xcr0_preset;
	if (c->require < vmm->desc.require)
		c->require = vmm->desc.require;
	return 0;
}

/* vmm_check_host() - a level that can't be had is refused now, not at boot */
static int vmm_check_host(struct vmm *vmm, const struct vm_config *c, struct err *e)
{
	const struct vm_type *type;
	struct hv_host host;
	int rc;

	hv_host_probe(&host);
	rc = vm_choose_type(&type, c, &host, e);
	hv_host_close(&host);
	if (rc)
		return config_json_path(e);
	vmm->level = type->level;
	return 0;
}

/* vmm_asked() - does the body itself say which level it wants? */
static bool vmm_asked(const char *text, size_t len)
{
	json_t *body = json_loadb(text, len, 0, NULL);
	json_t *p = json_object_get(body, "platform");
	bool asked =
		json_is_string(json_object_get(json_object_get(body, "confidential"), "level")) ||
		json_is_true(json_object_get(p, "tdx")) ||
		json_is_true(json_object_get(p, "sev_snp"));

	json_decref(body);
	return asked;
}

int vmm_configure(struct vmm *vmm, const struct plug_body *body, struct err *e)
{
	static const char *const levels[] = {"auto", "off", "soft", "sw-protected", "snp", "tdx"};
	json_t *about;
	int rc;

	assert(vmm->state == VMM_NOT_CREATED);
	rc = config_json_read(&vmm->config, &vmm->echo, body->json, body->len, e);
	if (rc)
		return rc;
	rc = vmm_impose(vmm, &vmm->config, vmm_asked(body->json, body->len), e);
	if (!rc)
		rc = vmm_check_host(vmm, &vmm->config, e);
	if (!rc)
		rc = config_take_fds(&vmm->config, body->fds, body->n_fds, e);
	about = json_object_get(vmm->echo, "confidential");
	json_object_set_new(about, "level", json_string(levels[vmm->config.confidential.level]));
	json_object_set_new(about, "require", json_string(levels[vmm->config.require + 1]));
	vmm->state = VMM_CREATED;
	if (rc)
		vmm_forget(vmm);
	return rc;
}

/* vmm_drop() - take the VM down */
static void vmm_drop(struct vmm *vmm)
{
	removals_clear(vmm->removals);
	vm_destroy(vmm->vm);
	vmm->vm = NULL;
	vmm->state = VMM_SHUTDOWN;
}

static void vmm_again(struct vmm *vmm)
{
	struct err e = ERR_INIT;

	events_emit(vmm->desc.events, "vm", "rebooting");
	vmm_drop(vmm);
	if (!vmm_boot(vmm, &e)) {
		events_emit(vmm->desc.events, "vm", "rebooted");
		return;
	}
	log_error("vm", "the VM can't be booted again: %s", e.text);
	vmm->desc.ended(vmm->desc.ctx, true);
}

/* vmm_follow() - what follows the end of the guest; on the builder's thread */
static void vmm_follow(void *ctx)
{
	struct vmm *vmm = ctx;
	bool failed;

	vm_stop(vmm->vm);
	failed = vmm->vm->end == VM_FAILED;
	if (failed)
		log_error("vm", "the VM failed: %s", vmm->vm->end_text);
	if (vmm->vm->end == VM_RESET) {
		vmm_again(vmm);
		return;
	}
	vmm_stop(vmm);
	vmm->desc.ended(vmm->desc.ctx, failed);
}

static void vmm_vm_ended(void *ctx)
{
	struct vmm *vmm = ctx;

	courier_run(vmm->desc.builder, vmm_follow, vmm);
}

static void vmm_device_event(void *ctx, const char *id, const char *event)
{
	struct vmm *vmm = ctx;
	struct plug_board board = vmm_board(vmm);

	if (!strcmp(event, "memory-changed")) { /* often: no line, no event */
		vmm->desc.changed(vmm->desc.ctx);
		return;
	}
	log_info("vm", "%s: %s", id, event);
	if (!strcmp(event, "device-removed"))
		removals_done(vmm->removals, id);
	if (!strcmp(event, "vcpu-removed"))
		resize_done(&board);
	events_emit_with(vmm->desc.events, "vm", event, json_pack("{s:s}", "id", id));
}

/* vmm_booted() - tell when each stage of the launch was up */
static void vmm_booted(const struct vmm *vmm)
{
	json_t *times = json_pack("{s:s}", "level", vmm->vm->type->name);
	uint64_t before = vmm->vm->created_ns;
	char name[32], value[32];

	for (unsigned int i = 0; vm_stage_name(i); i++) {
		snprintf(name, sizeof(name), "%s_ms", vm_stage_name(i));
		snprintf(value, sizeof(value), "%.3f",
			(double)(vmm->vm->stage_ns[i] - before) / 1e6);
		before = vmm->vm->stage_ns[i];
		json_object_set_new(times, name, json_string(value));
	}
	events_emit_with(vmm->desc.events, "vm", "booted", times);
}

/* vmm_tell_terminal() - vm.info says where the pseudoterminal is, as `file` of its section */
static void vmm_tell_terminal(struct vmm *vmm, const char *section, const struct outlet *outlet)
{
	const char *path = outlet_terminal(outlet);

	if (path)
		json_object_set_new(json_object_get(vmm->echo, section), "file", json_string(path));
}

int vmm_boot(struct vmm *vmm, struct err *e)
{
	struct vm_desc desc = {
		.config = &vmm->config,
		.pluggable = true,
		.spawner = vmm->desc.spawner,
		.loop = vmm->desc.loop,
		.ended = vmm_vm_ended,
		.device_event = vmm_device_event,
		.ctx = vmm,
		.seccomp = vmm->desc.seccomp,
	};
	int rc;

	assert(vmm->state == VMM_CREATED || vmm->state == VMM_SHUTDOWN);
	events_emit(vmm->desc.events, "vm", "booting");
	rc = vm_create(&vmm->vm, &desc, e);
	if (!rc)
		rc = vm_start(vmm->vm, e);
	if (rc) {
		vm_destroy(vmm->vm);
		vmm->vm = NULL;
		return config_json_path(e);
	}
	vm_resume(vmm->vm);
	log_info("vm", "level %s: %s", vmm->vm->type->name, vmm->vm->type->label);
	vmm_tell_terminal(vmm, "serial", vmm->vm->machine.serial_outlet);
	vmm_tell_terminal(vmm, "console", vmm->vm->machine.console_outlet);
	vmm->state = VMM_RUNNING;
	vmm_booted(vmm);
	return 0;
}

void vmm_pause(struct vmm *vmm)
{
	assert(vmm->state == VMM_RUNNING);
	events_emit(vmm->desc.events, "vm", "pausing");
	vm_pause(vmm->vm);
	vmm->state = VMM_PAUSED;
	events_emit(vmm->desc.events, "vm", "paused");
}

void vmm_resume(struct vmm *vmm)
{
	assert(vmm->state == VMM_PAUSED);
	events_emit(vmm->desc.events, "vm", "resuming");
	vm_resume(vmm->vm);
	vmm->state = VMM_RUNNING;
	events_emit(vmm->desc.events, "vm", "resumed");
}

void vmm_push_button(struct vmm *vmm)
{
	assert(vmm->vm);
	machine_push_button(&vmm->vm->machine);
}

int vmm_nmi(struct vmm *vmm, struct err *e)
{
	assert(vmm->vm);
	return vm_nmi(vmm->vm, e);
}

void vmm_stop(struct vmm *vmm)
{
	assert(vmm->vm);
	vmm_drop(vmm);
	events_emit(vmm->desc.events, "vm", "shutdown");
}

void vmm_forget(struct vmm *vmm)
{
	if (vmm->state == VMM_NOT_CREATED)
		return;
	if (vmm->vm)
		vmm_stop(vmm);
	config_fini(&vmm->config);
	json_decref(vmm->echo);
	vmm->echo = NULL;
	vmm->state = VMM_NOT_CREATED;
	events_emit(vmm->desc.events, "vm", "deleted");
}

int vmm_add(struct vmm *vmm, const char *kind, const struct plug_body *body, struct plugged *out,
	struct err *e)
{
	struct plug_board board = vmm_board(vmm);
	int rc = plug_add(&board, kind, body, out, e);

	if (!rc)
		events_emit_with(
			vmm->desc.events, "vm", "device-added", json_pack("{s:s}", "id", out->id));
	return rc;
}

int vmm_remove(struct vmm *vmm, const char *id, struct err *e)
{
	struct plug_board board = vmm_board(vmm);

	return plug_remove(&board, id, e);
}

int vmm_resize(struct vmm *vmm, const struct plug_body *body, struct err *e)
{
	struct plug_board board = vmm_board(vmm);

	return resize_vm(&board, body, vmm->level, e);
}

int vmm_resize_disk(struct vmm *vmm, const char *id, uint64_t size, struct err *e)
{
	return device_resize_disk(vmm->vm->machine.devices, id, size, e);
}

json_t *vmm_config(const struct vmm *vmm)
{
	return json_incref(vmm->echo);
}

enum level vmm_level(const struct vmm *vmm)
{
	return vmm->level;
}

void vmm_size(const struct vmm *vmm, uint64_t *vcpus, uint64_t *ram)
{
	*vcpus = vmm->config.cpus.boot;
	*ram = mem_resize_actual(vmm->vm, &vmm->config);
}

json_t *vmm_measurement(const struct vmm *vmm)
{
	return measured_json(vmm->vm);
}

json_t *vmm_sharing(const struct vmm *vmm)
{
	json_t *o = report_ledger(vmm->vm);

	json_object_set_new(o, "level", json_string(vmm->vm->type->name));
	json_object_set_new(o, "label", json_string(vmm->vm->type->label));
	return o;
}

json_t *vmm_counters(const struct vmm *vmm)
{
	return metrics_json(vmm->vm);
}

const char *vmm_state_name(const struct vmm *vmm)
{
	static const char *const names[VMM_STATES] = {
		[VMM_NOT_CREATED] = "NotCreated",
		[VMM_CREATED] = "Created",
		[VMM_RUNNING] = "Running",
		[VMM_PAUSED] = "Paused",
		[VMM_SHUTDOWN] = "Shutdown",
	};

	return names[vmm->state];
}

char *vmm_metrics(const struct vmm *vmm)
{
	return metrics_text(vmm->vm, vmm_state_name(vmm));
}
