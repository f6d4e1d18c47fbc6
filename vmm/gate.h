/* SPDX-License-Identifier: Apache-2.0 */
/*
 * struct gate: where vCPU threads wait while the VM is paused. They pass it before each entry to
 * the guest, so a closed gate with every thread parked or gone means that no guest code runs.
 *
 * Threads: vCPU threads pass and leave; one other thread closes, waits, opens and abandons.
 */
#ifndef VMM_GATE_H
#define VMM_GATE_H

#include <pthread.h>
#include <stdbool.h>

struct gate {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool closed;    /* atomic for readers without the lock */
	bool abandoned; /* likewise */
	unsigned int entered, parked, gone;
};

/* gate_init() - an open gate. */
void gate_init(struct gate *g);

/* gate_fini() - no thread may be at it; allowed on a zeroed struct. */
void gate_fini(struct gate *g);

/* gate_enter() - the calling thread is ready to come to the gate; once. */
void gate_enter(struct gate *g);

/* gate_wait_entered() - return when n threads have entered. */
void gate_wait_entered(struct gate *g, unsigned int n);

/*
 * gate_pass() - wait while the gate is closed.
 * @dismissed: the calling thread's own flag, for gate_dismiss()
 * Return: false if the gate is abandoned or the thread dismissed: end it.
 */
bool gate_pass(struct gate *g, const bool *dismissed);

/* gate_dismiss() - tell the thread that the flag belongs to, to end; waiting or not. */
void gate_dismiss(struct gate *g, bool *dismissed);

/* gate_leave() - the calling thread won't come again; it counts as gone from then on. */
void gate_leave(struct gate *g);

/* gate_close() - let nobody pass; whoever is beyond has to be interrupted by the caller. */
void gate_close(struct gate *g);

/* gate_wait() - return when n threads, of all that ever started, are parked at the gate or gone. */
void gate_wait(struct gate *g, unsigned int n);

/* gate_open() - let everybody pass. */
void gate_open(struct gate *g);

/* gate_abandon() - for ever: whoever comes to the gate or waits at it is told to end. */
void gate_abandon(struct gate *g);

#endif
