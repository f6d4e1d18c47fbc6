/* SPDX-License-Identifier: Apache-2.0 */
/*
 * struct vm: one VM and all that hangs from it. vm.c is the table of stages that bring it up and,
 * in reverse, take it down; each stage's work is in a file of its own.
 *
 * Threads: the main thread brings up, runs the event loop and takes down; vCPU threads run the
 * guest and reach devices through the bus.
 */
#ifndef VMM_VM_H
#define VMM_VM_H

#include "memory/ram.h"
#include "vmm/config.h"
#include "vmm/hv/hv.h"
#include "vmm/machine.h"
#include "vmm/vcpu.h"

#define VM_MAX_STAGES    8
#define VM_VERSION_MAX 128

struct ledger;

/* Why a VM ended. */
enum vm_end {
	VM_RUNNING,
	VM_POWEROFF, /* the guest switched itself off */
	VM_RESET, /* the guest asked for a reset, or a triple fault */
	VM_FAILED, /* a vCPU could not go on; vm.end_text says why */
	VM_STOPPED, /* asked from outside */
};

struct vm {
	const struct vm_config *config;
	struct hv_host host;
	const struct vm_type *type;
	unsigned int cbit; /* bit number, 0 without */
	struct hv *hv;
	struct ram ram;
	struct ledger *ledger;
	struct converter converter;
	struct machine machine;
	struct x86_entry entry; /* of the first vCPU */
	char kernel_version[VM_VERSION_MAX]; /* printable; "" if unknown */
	struct vcpu_env vcpu_env;
	struct vcpu *vcpus; /* config->cpus.boot of them */
	unsigned int stages_up;
	uint64_t stage_ns[VM_MAX_STAGES]; /* CLOCK_MONOTONIC when each stage was up */
	uint64_t created_ns;
	int spawner; /* socket to the spawner; the caller's */
	enum vm_end end; /* atomic */
	char end_text[160];
};

/*
 * vm_create() - bring a VM up to the point where its vCPUs can run.
 * @config: must outlive the VM; checked already
 * @spawner: socket to the spawner, started before any guest memory exists
 * On failure everything is taken down again. Return: 0 or -errno.
 */
int vm_create(struct vm **out, const struct vm_config *config, int spawner,
	struct err *e) MUST_CHECK;

/* vm_run() - start the vCPUs and serve until the VM ends. Return: 0, or -errno if it didn't start. */
int vm_run(struct vm *vm, struct err *e) MUST_CHECK;

/* vm_end() - end vm_run() for a reason; the first one counts. Any thread; text may be NULL. */
void vm_end(struct vm *vm, enum vm_end why, const char *text);

/* vm_destroy() - stop and take down; NULL is allowed. */
void vm_destroy(struct vm *vm);

/* vm_stage_name() - Return: the name of stage i, NULL past the last. */
const char *vm_stage_name(unsigned int i);

#endif
