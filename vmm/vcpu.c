/* SPDX-License-Identifier: Apache-2.0 */
/* vCPU threads; see vmm/vcpu.h. */
#include "vmm/vcpu.h"

#include "base/clock.h"
#include "devices/front/bus.h"
#include "memory/convert.h"
#include "seccomp/program.h"
#include "vmm/vcpu_ask.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#define VCPU_FAULTS_MAX   64       /* on one page in a row, with nothing else between */
#define VCPU_PREFAULT     MIB(2)   /* conversions of this size on are prefaulted */
#define VCPU_PREFAULT_MAX MIB(64)  /* of one conversion: the rest comes when it is touched */
#define VCPU_SIGNAL       SIGRTMIN /* interrupts KVM_RUN; its handler does nothing */

static void vcpu_signal(int number)
{
	(void)number;
}

int vcpu_init(struct vcpu *v, struct hv *hv, unsigned int index, const struct vcpu_env *env,
	struct err *e)
{
	*v = (struct vcpu){.env = env, .index = index};
	return hv_vcpu_create(&v->hv, hv, index, e);
}

void vcpu_fini(struct vcpu *v)
{
	hv_vcpu_destroy(v->hv);
	v->hv = NULL;
}

/* vcpu_io() - string instructions bring several items of one size for one port */
static void vcpu_io(struct vcpu *v, enum bus_space space, const struct hv_exit *exit)
{
	uint8_t *data = exit->io.data;

	for (unsigned int i = 0; i < exit->io.count; i++, data += exit->io.len) {
		if (exit->io.write)
			bus_write(v->env->bus, space, exit->io.addr, data, exit->io.len);
		else
			bus_read(v->env->bus, space, exit->io.addr, data, exit->io.len);
	}
}

/* vcpu_fault() - the guest touched memory that can't be as it wants it. Return: false */
static bool vcpu_fault(struct vcpu *v, const struct hv_exit *exit, const char *why)
{
	char text[160];

	snprintf(text, sizeof(text), "memory at guest address %#llx can't become %s: %s",
		(unsigned long long)exit->convert.gpa.v,
		exit->convert.to_shared ? "shared" : "private", why);
	v->env->ended(v->env->ctx, v->index, VCPU_FAILED, text);
	return false;
}

/*
 * vcpu_advances() - Return: false, and the VM ends, if the guest faults on one page again and again
 * although the page is as it wants it: the host would be kept busy for ever.
 */
static bool vcpu_advances(struct vcpu *v, const struct hv_exit *exit)
{
	bool same =
		v->fault_gpa == exit->convert.gpa.v && v->fault_shared == exit->convert.to_shared;

	v->fault_gpa = exit->convert.gpa.v;
	v->fault_shared = exit->convert.to_shared;
	v->faults = same ? v->faults + 1 : 0;
	return v->faults < VCPU_FAULTS_MAX || vcpu_fault(v, exit, "it faults without end");
}

static bool vcpu_convert(struct vcpu *v, const struct hv_exit *exit)
{
	const struct converter *c = v->env->converter;
	int rc = c ? convert(c, exit->convert.gpa, exit->convert.len, exit->convert.to_shared)
		   : -EINVAL;

	if (!exit->convert.implicit) {
		hv_vcpu_answer(v->hv, rc);
		if (!rc && v->env->prefault && !exit->convert.to_shared &&
			exit->convert.len >= VCPU_PREFAULT)
			hv_vcpu_prefault(v->hv, exit->convert.gpa,
				min_u64(exit->convert.len, VCPU_PREFAULT_MAX));
		return true;
	}
	return !rc ? vcpu_advances(v, exit) : vcpu_fault(v, exit, strerrordesc_np(-rc));
}

/* vcpu_handle() - Return: false when the thread is to end */
static bool vcpu_handle(struct vcpu *v, const struct hv_exit *exit)
{
	if (exit->kind != HV_EXIT_CONVERT && exit->kind != HV_EXIT_AGAIN)
		v->faults = 0;
	switch (exit->kind) {
	case HV_EXIT_AGAIN:
	case HV_EXIT_STOPPED:
		return true; /* the gate decides */
	case HV_EXIT_PORT:
		vcpu_io(v, BUS_PORT, exit);
		return true;
	case HV_EXIT_MMIO:
		vcpu_io(v, BUS_MMIO, exit);
		return true;
	case HV_EXIT_CONVERT:
		return vcpu_convert(v, exit);
	case HV_EXIT_CERTS:
	case HV_EXIT_QUOTE:
	case HV_EXIT_NOTIFY:
		vcpu_ask(v, exit);
		return true;
	case HV_EXIT_RESET:
		v->env->ended(v->env->ctx, v->index, VCPU_RESET, NULL);
		return false;
	case HV_EXIT_FAILED:
		v->env->ended(v->env->ctx, v->index, VCPU_FAILED, exit->text);
		return false;
	}
	return false;
}

/* vcpu_count() - one more; the thread is the only writer, so no atomic addition */
static void vcpu_count(struct vcpu *v, enum hv_exit_kind kind)
{
	__atomic_store_n(&v->exits[kind], v->exits[kind] + 1, __ATOMIC_RELAXED);
}

uint64_t vcpu_exits(const struct vcpu *v, enum hv_exit_kind kind)
{
	return __atomic_load_n(&v->exits[kind], __ATOMIC_RELAXED);
}

static void *vcpu_main(void *arg)
{
	struct vcpu *v = arg;
	struct hv_exit exit;
	char name[16];
	int rc;

	snprintf(name, sizeof(name), "vcpu%u", v->index);
	pthread_setname_np(pthread_self(), name);
	rc = program_enter(v->env->filter);
	gate_enter(v->env->gate);
	if (rc)
		v->env->ended(v->env->ctx, v->index, VCPU_FAILED, "the system call filter");
	while (!rc && gate_pass(v->env->gate, &v->dismissed)) {
		if (!v->entry_ns)
			v->entry_ns = clock_ns();
		hv_vcpu_run(v->hv, &exit);
		if (!v->exit_ns)
			v->exit_ns = clock_ns();
		vcpu_count(v, exit.kind);
		if (!vcpu_handle(v, &exit) || __atomic_load_n(&v->env->over, __ATOMIC_ACQUIRE))
			break;
	}
	gate_leave(v->env->gate);
	return NULL;
}

int vcpu_start(struct vcpu *v, struct err *e)
{
	struct sigaction sa = {.sa_handler = vcpu_signal};
	sigset_t all, before;
	int rc;

	if (sigaction(VCPU_SIGNAL, &sa, NULL) < 0)
		return err_sys(e, errno, "sigaction");
	/* The thread takes no signal but its own and that of a filter in mode "trap", so that
	 * SIGINT and friends reach the main thread. */
	sigfillset(&all);
	sigdelset(&all, SIGSYS);
	sigdelset(&all, VCPU_SIGNAL);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(&v->thread, NULL, vcpu_main, v);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (rc)
		return err_sys(e, rc, "thread of vcpu%u", v->index);
	v->started = true;
	return 0;
}

void vcpu_interrupt(struct vcpu *v)
{
	if (!v->started)
		return;
	hv_vcpu_kick(v->hv);
	pthread_kill(v->thread, VCPU_SIGNAL);
}

void vcpu_stop(struct vcpu *v)
{
	if (!v->started)
		return;
	vcpu_interrupt(v);
	pthread_join(v->thread, NULL);
	v->started = false;
}

void vcpu_retire(struct vcpu *v, struct gate *gate)
{
	assert(v->started);
	gate_dismiss(gate, &v->dismissed);
	vcpu_stop(v);
	v->dismissed = v->leaving = false;
	hv_vcpu_unkick(v->hv);
}
