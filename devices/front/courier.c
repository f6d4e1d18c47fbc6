/* SPDX-License-Identifier: Apache-2.0 */
/* Errands for vCPU threads; see devices/front/courier.h. */
#include "devices/front/courier.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>

/* On the stack of whoever waits for it. */
struct errand {
	struct errand *next;
	void (*fn)(void *ctx);
	void *ctx;
	bool done;
};

struct courier {
	pthread_t thread;
	const char *name;
	bool started;
	int (*enter)(void *ctx);
	void *ctx;
	pthread_mutex_t lock; /* guards what follows */
	pthread_cond_t changed;
	struct errand *first, **last;
	bool ready, ending;
	int entered; /* what enter() returned, when ready */
};

static void courier_ready(struct courier *c, int rc)
{
	pthread_mutex_lock(&c->lock);
	c->entered = rc;
	c->ready = true;
	pthread_cond_broadcast(&c->changed);
	pthread_mutex_unlock(&c->lock);
}

/* courier_next() - Return: the oldest errand, off the list; NULL at the end */
static struct errand *courier_next(struct courier *c)
{
	struct errand *next;

	pthread_mutex_lock(&c->lock);
	while (!c->first && !c->ending)
		pthread_cond_wait(&c->changed, &c->lock);
	next = c->first;
	if (next) {
		c->first = next->next;
		if (!c->first)
			c->last = &c->first;
	}
	pthread_mutex_unlock(&c->lock);
	return next;
}

static void *courier_main(void *arg)
{
	struct courier *c = arg;
	struct errand *errand;
	int rc;

	pthread_setname_np(pthread_self(), c->name);
	rc = c->enter ? c->enter(c->ctx) : 0;
	courier_ready(c, rc);
	while (!rc && (errand = courier_next(c))) {
		errand->fn(errand->ctx);
		pthread_mutex_lock(&c->lock);
		errand->done = true;
		pthread_cond_broadcast(&c->changed);
		pthread_mutex_unlock(&c->lock);
	}
	return NULL;
}

/* courier_start() - Return: 0 when the thread is ready for errands */
static int courier_start(struct courier *c, struct err *e)
{
	sigset_t all, before;
	int rc;

	/* Signals are for the main thread, but for that of a filter in mode "trap". */
	sigfillset(&all);
	sigdelset(&all, SIGSYS);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(&c->thread, NULL, courier_main, c);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	c->started = !rc;
	if (rc)
		return err_sys(e, rc, "thread %s", c->name);
	pthread_mutex_lock(&c->lock);
	while (!c->ready)
		pthread_cond_wait(&c->changed, &c->lock);
	rc = c->entered;
	pthread_mutex_unlock(&c->lock);
	return rc ? err_sys(e, -rc, "thread %s: the system call filter", c->name) : 0;
}

int courier_create(
	struct courier **out, const char *name, int (*enter)(void *ctx), void *ctx, struct err *e)
{
	struct courier *c = calloc(1, sizeof(*c));

	*out = NULL;
	if (!c)
		return err_sys(e, ENOMEM, "thread %s", name);
	c->name = name;
	c->enter = enter;
	c->ctx = ctx;
	c->last = &c->first;
	pthread_mutex_init(&c->lock, NULL);
	pthread_cond_init(&c->changed, NULL);
	if (courier_start(c, e))
		goto fail;
	*out = c;
	return 0;
fail:
	courier_destroy(c);
	return -e->code;
}

void courier_destroy(struct courier *c)
{
	if (!c)
		return;
	pthread_mutex_lock(&c->lock);
	c->ending = true;
	pthread_cond_broadcast(&c->changed);
	pthread_mutex_unlock(&c->lock);
	if (c->started)
		pthread_join(c->thread, NULL);
	pthread_cond_destroy(&c->changed);
	pthread_mutex_destroy(&c->lock);
	free(c);
}

void courier_run(struct courier *c, void (*fn)(void *ctx), void *ctx)
{
	struct errand errand = {.fn = fn, .ctx = ctx};

	if (!c) {
		fn(ctx);
		return;
	}
	pthread_mutex_lock(&c->lock);
	*c->last = &errand;
	c->last = &errand.next;
	pthread_cond_broadcast(&c->changed);
	while (!errand.done)
		pthread_cond_wait(&c->changed, &c->lock);
	pthread_mutex_unlock(&c->lock);
}

void courier_run_at(struct courier *const *slot, void (*fn)(void *ctx), void *ctx)
{
	courier_run(slot ? *slot : NULL, fn, ctx);
}
