/* SPDX-License-Identifier: Apache-2.0 */
/* Where vCPU threads wait; see vmm/gate.h. */
#include "vmm/gate.h"

#include <string.h>

void gate_init(struct gate *g)
{
	memset(g, 0, sizeof(*g));
	pthread_mutex_init(&g->lock, NULL);
	pthread_cond_init(&g->changed, NULL);
}

void gate_fini(struct gate *g)
{
	pthread_cond_destroy(&g->changed);
	pthread_mutex_destroy(&g->lock);
}

void gate_enter(struct gate *g)
{
	pthread_mutex_lock(&g->lock);
	g->entered++;
	pthread_cond_broadcast(&g->changed);
	pthread_mutex_unlock(&g->lock);
}

void gate_wait_entered(struct gate *g, unsigned int n)
{
	pthread_mutex_lock(&g->lock);
	while (g->entered < n)
		pthread_cond_wait(&g->changed, &g->lock);
	pthread_mutex_unlock(&g->lock);
}

bool gate_pass(struct gate *g, const bool *dismissed)
{
	bool on;

	if (!__atomic_load_n(&g->closed, __ATOMIC_ACQUIRE))
		return !__atomic_load_n(&g->abandoned, __ATOMIC_ACQUIRE) &&
			!__atomic_load_n(dismissed, __ATOMIC_ACQUIRE);
	pthread_mutex_lock(&g->lock);
	g->parked++;
	pthread_cond_broadcast(&g->changed);
	while (g->closed && !g->abandoned && !*dismissed)
		pthread_cond_wait(&g->changed, &g->lock);
	g->parked--;
	on = !g->abandoned && !*dismissed;
	pthread_mutex_unlock(&g->lock);
	return on;
}

void gate_leave(struct gate *g)
{
	pthread_mutex_lock(&g->lock);
	g->gone++;
	pthread_cond_broadcast(&g->changed);
	pthread_mutex_unlock(&g->lock);
}

void gate_wait(struct gate *g, unsigned int n)
{
	pthread_mutex_lock(&g->lock);
	while (g->parked + g->gone < n)
		pthread_cond_wait(&g->changed, &g->lock);
	pthread_mutex_unlock(&g->lock);
}

/* gate_set() - change a flag that waiters look at */
static void gate_set(struct gate *g, bool *flag, bool value)
{
	pthread_mutex_lock(&g->lock);
	__atomic_store_n(flag, value, __ATOMIC_RELEASE);
	pthread_cond_broadcast(&g->changed);
	pthread_mutex_unlock(&g->lock);
}

void gate_close(struct gate *g)
{
	gate_set(g, &g->closed, true);
}

void gate_open(struct gate *g)
{
	gate_set(g, &g->closed, false);
}

void gate_abandon(struct gate *g)
{
	gate_set(g, &g->abandoned, true);
}

void gate_dismiss(struct gate *g, bool *dismissed)
{
	gate_set(g, dismissed, true);
}
