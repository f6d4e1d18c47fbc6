/* SPDX-License-Identifier: Apache-2.0 */
/*
 * struct vcpu: a vCPU with its thread, named vcpuN. The thread decodes no exit itself: hv/ says
 * what happened, the bus or convert() does it.
 */
#ifndef VMM_VCPU_H
#define VMM_VCPU_H

#include "base/err.h"
#include "vmm/gate.h"
#include "vmm/hv/hv.h"

#include <pthread.h>

struct bus;
struct certs;
struct converter;
struct program;
struct quotes;

/* Why a vCPU thread came to its end without having been asked. */
enum vcpu_end { VCPU_RESET, VCPU_FAILED };

/* What vCPUs share. Everything outlives them. */
struct vcpu_env {
	struct bus *bus;
	struct gate *gate;                 /* passed before each entry to the guest */
	const struct converter *converter; /* NULL at level off */
	const struct certs *certs;         /* NULL: guests are not asked for any */
	struct quotes *quotes;             /* NULL: guests get none */
	bool prefault; /* map what was hidden in large pieces, the guest will touch it at once */
	/* Called once per vCPU that ends by itself, on its thread; text only for VCPU_FAILED. */
	void (*ended)(void *ctx, unsigned int index, enum vcpu_end why, const char *text);
	void *ctx;
	const struct program *filter; /* entered by each thread at its start; NULL: none */
	bool over;                    /* atomic: the VM has ended, no vCPU enters the guest again */
};

struct vcpu {
	struct hv_vcpu *hv;
	const struct vcpu_env *env;
	unsigned int index;
	pthread_t thread;
	bool started;       /* the thread has not been joined */
	bool dismissed;     /* atomic: it is to end, as its vCPU was unplugged */
	bool leaving;       /* the guest was asked to let go of it */
	uint64_t fault_gpa; /* of the last implicit conversion */
	bool fault_shared;
	unsigned int faults;           /* how many times in a row it was the same */
	uint64_t entry_ns, exit_ns;    /* the first ones; read when the thread has ended */
	uint64_t exits[HV_EXIT_KINDS]; /* that came to user space; atomic, written by the thread */
};

/* vcpu_init() - make vCPU `index`. Return: 0 or -errno; vcpu_fini() is allowed then. */
int vcpu_init(struct vcpu *v, struct hv *hv, unsigned int index, const struct vcpu_env *env,
	struct err *e) MUST_CHECK;

/* vcpu_fini() - free; the thread must have been stopped. */
void vcpu_fini(struct vcpu *v);

/* vcpu_start() - start the thread; it confines itself and goes to the gate. Return: 0 or -errno. */
int vcpu_start(struct vcpu *v, struct err *e) MUST_CHECK;

/* vcpu_exits() - Return: how many exits of a kind came to user space so far. Any thread. */
uint64_t vcpu_exits(const struct vcpu *v, enum hv_exit_kind kind);

/* vcpu_interrupt() - make the thread come to the gate soon. */
void vcpu_interrupt(struct vcpu *v);

/* vcpu_retire() - end the thread alone, now, also while the others are paused. */
void vcpu_retire(struct vcpu *v, struct gate *gate);

/* vcpu_stop() - wait for the thread's end; the gate is abandoned. Not started: does nothing. */
void vcpu_stop(struct vcpu *v);

#endif
