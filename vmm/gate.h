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
	unsigned int parked, gone;
};

/* gate_init() - an open gate. */
void gate_init(struct gate *g);

/* gate_fini() - no thread may be at it; allowed on a zeroed struct. */
void gate_fini(struct gate *g);

/* gate_pass() - wait while the gate is closed. Return: false if it is abandoned: end the thread. */
bool gate_pass(struct gate *g);

/* gate_leave() - the calling thread won't come again. */
void gate_leave(struct gate *g);

/* gate_close() - let nobody pass; whoever is beyond has to be interrupted by the caller. */
void gate_close(struct gate *g);

/* gate_wait() - return when all n threads are parked at the closed gate or gone. */
void gate_wait(struct gate *g, unsigned int n);

/* gate_open() - let everybody pass. */
void gate_open(struct gate *g);

/* gate_abandon() - for ever: whoever comes to the gate or waits at it is told to end. */
void gate_abandon(struct gate *g);

#endif
