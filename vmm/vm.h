/* SPDX-License-Identifier: Apache-2.0 */
/*
 * struct vm: one VM and all that hangs from it. vm.c is the table of stages that bring it up and,
 * in reverse, take it down; each stage's work is in a file of its own.
 *
 * Threads: the main one does all this, and runs the event loop, which outlives the VM; vCPU threads
 * run the guest and reach devices through the bus.
 */
#ifndef VMM_VM_H
#define VMM_VM_H

#include "memory/ram.h"
#include "seccomp/filter.h"
#include "vmm/config.h"
#include "vmm/hv/hv.h"
#include "vmm/machine.h"
#include "vmm/vcpu.h"

#define VM_MAX_STAGES  8
#define VM_VERSION_MAX 128

struct launch_plan;
struct ledger;
struct loop;
struct snp_plan;
struct tdx_plan;
struct timeline;

/* Why a VM ended. */
enum vm_end {
	VM_RUNNING,
	VM_POWEROFF, /* the guest switched itself off */
	VM_RESET,    /* the guest asked for a reset, or a triple fault */
	VM_FAILED,   /* a vCPU could not go on; vm.end_text says why */
	VM_STOPPED,  /* asked from outside */
};

/* What a VM is made of. Everything outlives it. */
struct vm_desc {
	const struct vm_config *config; /* checked already */
	bool pluggable;                 /* devices may be added while it runs */
	int spawner; /* socket to the spawner, started before any guest memory exists */
	struct loop *loop;
	/* Once, in the loop, when a started VM has ended; vm->end says why. */
	void (*ended)(void *ctx);
	/* As in struct machine_desc, and "vcpu-removed"; NULL: nobody asks. */
	void (*device_event)(void *ctx, const char *id, const char *event);
	void *ctx;
	enum filter_mode seccomp;  /* of the vCPU threads' filter */
	struct timeline *timeline; /* as in struct machine_desc */
};

struct vm {
	struct vm_desc desc;
	const struct vm_config *config;
	struct hv_host host;
	const struct vm_type *type;
	unsigned int cbit;    /* bit number, 0 without */
	struct snp_plan *snp; /* level snp, else NULL; the next: level tdx */
	struct tdx_plan *tdx;
	struct launch_plan *plan; /* what the one of them has in common with the other, or NULL */
	struct hv *hv;
	struct ram ram;
	struct ledger *ledger;
	struct converter converter;
	struct machine machine;
	struct x86_entry entry;              /* of the first vCPU */
	char kernel_version[VM_VERSION_MAX]; /* printable; "" if unknown */
	struct vcpu_env vcpu_env;
	struct gate gate;
	struct program *vcpu_filter;
	struct vcpu *vcpus;   /* n_vcpus of them; those that are not there have no thread */
	unsigned int n_vcpus; /* that there can be */
	uint64_t plugged;     /* bytes of memory that came since the boot, by ACPI */
	unsigned int n_threads,
		stages_up;                /* threads that ever started: gate_wait() wants to know */
	uint64_t stage_ns[VM_MAX_STAGES]; /* CLOCK_MONOTONIC when each stage was up */
	uint64_t created_ns, run_ns; /* vm_create() began; the guest was let run the first time */
	enum vm_end end;             /* atomic */
	bool told;                   /* desc.ended was called */
	char end_text[160];
};

/* vm_create() - bring a VM up until its vCPUs can run, or nothing of it. Return: 0 or -errno. */
int vm_create(struct vm **out, const struct vm_desc *desc, struct err *e) MUST_CHECK;

/* vm_choose_type() - the level that host and config allow. Return: 0, or -ENODEV: what misses. */
int vm_choose_type(const struct vm_type **type, const struct vm_config *config,
	const struct hv_host *host, struct err *e) MUST_CHECK;

/* vm_start() - start the vCPU threads, confined, as if paused: vm_resume() lets the guest run.
 * Return: 0 or -errno. */
int vm_start(struct vm *vm, struct err *e) MUST_CHECK;

/* vm_start_vcpu() - the thread of one that has none; it goes to the gate. Return: 0 or -errno. */
int vm_start_vcpu(struct vm *vm, unsigned int i, struct err *e) MUST_CHECK;

/*
 * vm_pause() - return when no vCPU runs guest code and no device has anything in flight; threads
 * and processes stay. vm_resume() goes on.
 */
void vm_pause(struct vm *vm);
void vm_resume(struct vm *vm);

/* vm_nmi() - raise an NMI on every vCPU, as a server's button does. Return: 0 or -errno. */
int vm_nmi(struct vm *vm, struct err *e) MUST_CHECK;

/* vm_end() - end a started VM for a reason; the first one counts. Any thread; text may be NULL. */
void vm_end(struct vm *vm, enum vm_end why, const char *text);

/* vm_stop() - end the vCPU threads and wait for them; paused or not. */
void vm_stop(struct vm *vm);

/* vm_destroy() - stop and take down; NULL is allowed. */
void vm_destroy(struct vm *vm);

/* vm_stage_name() - Return: the name of stage i, NULL past the last. */
const char *vm_stage_name(unsigned int i);

#endif
