/* SPDX-License-Identifier: Apache-2.0 */
/*
 * struct vmm: what the daemon manages: at most one VM, its config and its state. All calls and
 * notifications are on the thread of its loop, or on another one while that waits.
 *
 * States: NOT_CREATED -> CREATED -> RUNNING <-> PAUSED -> SHUTDOWN -> RUNNING ...; which call is
 * allowed in which state is asserted here, and the caller's business (vmm/api/api.c).
 */
#ifndef VMM_VMM_H
#define VMM_VMM_H

#include "base/err.h"
#include "seccomp/filter.h"
#include "vmm/hv/vm_type.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct courier;
struct events;
struct loop;
struct plug_body;
struct plugged;
struct vmm;

enum vmm_state {
	VMM_NOT_CREATED,
	VMM_CREATED,
	VMM_RUNNING,
	VMM_PAUSED,
	VMM_SHUTDOWN, /* was running; the config is kept */
	VMM_STATES,
};

struct vmm_desc {
	struct loop *loop;
	int spawner;
	struct courier *builder;  /* boots a VM that resets itself; NULL: the loop's thread does */
	int level;                /* as in struct vm_config: imposed on every VM; -1: none */
	int require;              /* enum level: refuse VMs at less */
	bool xcr0_preset;         /* lab only */
	enum filter_mode seccomp; /* of vCPU threads */
	struct events *events;    /* NULL: none */
	uint64_t removal_ms;      /* how long a guest may take to let go of something */
	/* The guest has ended by itself: switched off, or failed. The VM is SHUTDOWN. */
	void (*ended)(void *ctx, bool failed);
	void (*changed)(void *ctx); /* the config, without a call */
	void *ctx;
};

/* vmm_create() - a VMM without a VM. Return: 0 or -ENOMEM. */
int vmm_create(struct vmm **out, const struct vmm_desc *desc, struct err *e) MUST_CHECK;

/* vmm_destroy() - end the VM, too; NULL is allowed. */
void vmm_destroy(struct vmm *vmm);

/* vmm_state() - Return: the state now. */
enum vmm_state vmm_state(const struct vmm *vmm);

/*
 * vmm_configure() - NOT_CREATED to CREATED, from the JSON of a VmConfig.
 * Return: 0; -EINVAL, -EEXIST, -EBADF for descriptors that don't fit, or -ENODEV for a level that
 * this host has not; a field is named.
 */
int vmm_configure(struct vmm *vmm, const struct plug_body *body, struct err *e) MUST_CHECK;

/* plug_add(), plug_remove() of vmm/plug.h and resize_vm() of vmm/resize.h; not NOT_CREATED. */
int vmm_add(struct vmm *vmm, const char *kind, const struct plug_body *body, struct plugged *out,
	struct err *e) MUST_CHECK;
int vmm_remove(struct vmm *vmm, const char *id, struct err *e) MUST_CHECK;
int vmm_resize(struct vmm *vmm, const struct plug_body *body, struct err *e) MUST_CHECK;

/* vmm_resize_disk() - device_resize_disk() of a VM that is up. Return: as there. */
int vmm_resize_disk(struct vmm *vmm, const char *id, uint64_t size, struct err *e) MUST_CHECK;

/* vmm_boot() - CREATED or SHUTDOWN to RUNNING. Return: 0, or -errno and the state is as before. */
int vmm_boot(struct vmm *vmm, struct err *e) MUST_CHECK;

/* vmm_pause() - RUNNING to PAUSED; vmm_resume() back. */
void vmm_pause(struct vmm *vmm);
void vmm_resume(struct vmm *vmm);

/* vmm_push_button() - the ACPI power button; the guest does with it what it likes. RUNNING, PAUSED.
 */
void vmm_push_button(struct vmm *vmm);

/* vmm_nmi() - an NMI on every vCPU; RUNNING or PAUSED. Return: 0 or -errno. */
int vmm_nmi(struct vmm *vmm, struct err *e) MUST_CHECK;

/* vmm_stop() - RUNNING or PAUSED to SHUTDOWN; the VM is gone when it returns. */
void vmm_stop(struct vmm *vmm);

/* vmm_forget() - any state to NOT_CREATED. */
void vmm_forget(struct vmm *vmm);

/* vmm_config() - Return: the config with its defaults, the caller's reference; not NOT_CREATED. */
json_t *vmm_config(const struct vmm *vmm);

/* vmm_level() - Return: the level that the VM runs at, or will; not NOT_CREATED. */
enum level vmm_level(const struct vmm *vmm);

/* vmm_size() - vCPUs and bytes of RAM of the VM; not NOT_CREATED. */
void vmm_size(const struct vmm *vmm, uint64_t *vcpus, uint64_t *ram);

/* vmm_sharing() - Return: the ledger's figures as JSON; RUNNING or PAUSED only. */
json_t *vmm_sharing(const struct vmm *vmm);
/* vmm_measurement() - the same of what it was launched with; an attested level. */
json_t *vmm_measurement(const struct vmm *vmm);

/* vmm_counters() - Return: an object of objects of counters; RUNNING or PAUSED only. */
json_t *vmm_counters(const struct vmm *vmm);

/* vmm_state_name() - Return: the state as vm.info says it. */
const char *vmm_state_name(const struct vmm *vmm);

/* vmm_metrics() - the same and more as text (vmm/metrics.h). Return: allocated, or NULL. */
char *vmm_metrics(const struct vmm *vmm);

#endif
