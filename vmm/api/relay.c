/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests from the API's thread to the main thread, replies back; see vmm/api/relay.h.
 *
 * A job belongs to the list that it is on, todo or done, and to whoever took it off. Its `conn` is
 * the API thread's alone. The lock covers the lists and the flags below it, nothing else.
 */
#include "vmm/api/relay.h"

#include "base/fd.h"
#include "base/loop.h"
#include "base/priority.h"
#include "devices/front/courier.h"
#include "seccomp/program.h"
#include "vmm/api/api.h"
#include "vmm/api/http.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

struct job {
	struct job *next;
	struct http_conn *conn; /* NULL: the client has gone */
	const char *method;     /* static */
	char *path, *body;
	size_t body_len, n_fds;
	int fds[HTTP_FDS_MAX];
	struct http_reply reply;
};

struct jobs {
	struct job *first, **last;
};

struct relay {
	struct relay_desc desc;
	struct loop *loop; /* the API thread's */
	struct http *http;
	pthread_t thread;
	struct program *filter;
	bool started;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct jobs todo, done;
	bool entered, serving, ending;
	int entry; /* when entered: 0, or why the filter could not be loaded */
	struct loop_source work, results; /* eventfds: of the main thread's loop, of ours */
};

/* --- jobs --- */

static void job_free(struct job *job)
{
	while (job->n_fds)
		fd_drop(&job->fds[--job->n_fds]);
	free(job->reply.body);
	free(job->path);
	free(job->body);
	free(job);
}

/* job_make() - Return: a copy of a request, its descriptors moved; NULL without memory */
static struct job *job_make(const struct http_request *req)
{
	struct job *job = calloc(1, sizeof(*job));

	if (!job)
		return NULL;
	job->conn = req->conn;
	job->method = req->method;
	job->path = strdup(req->path);
	job->body = malloc(req->body_len + 1);
	if (!job->path || !job->body) {
		job_free(job);
		return NULL;
	}
	memcpy(job->body, req->body, req->body_len);
	job->body[req->body_len] = '\0';
	job->body_len = req->body_len;
	while (job->n_fds < req->n_fds) {
		job->fds[job->n_fds] = fd_take(&req->fds[job->n_fds]);
		job->n_fds++;
	}
	return job;
}

static void push(
	struct relay *r, struct jobs *jobs, struct job *job, const struct loop_source *tell)
{
	pthread_mutex_lock(&r->lock);
	job->next = NULL;
	*jobs->last = job;
	jobs->last = &job->next;
	pthread_mutex_unlock(&r->lock);
	eventfd_write(tell->fd, 1);
}

static struct job *pop(struct relay *r, struct jobs *jobs)
{
	struct job *job;

	pthread_mutex_lock(&r->lock);
	job = jobs->first;
	if (job) {
		jobs->first = job->next;
		if (!jobs->first)
			jobs->last = &jobs->first;
	}
	pthread_mutex_unlock(&r->lock);
	return job;
}

/* --- the main thread --- */

struct task {
	struct api *api;
	struct job *job;
};

static void relay_task(void *ctx)
{
	struct job *job = ((struct task *)ctx)->job;

	api_handle(((struct task *)ctx)->api,
		&(struct http_request){job->method, job->path, job->body, job->body_len, job->fds,
			job->n_fds, NULL},
		&job->reply);
}

/* relay_work() - one request at a time, so that other events get their turn */
static void relay_work(void *ctx, uint32_t events)
{
	struct relay *r = ctx;
	struct job *job;
	eventfd_t n = 0; /* jobs that were told of since */

	(void)events;
	eventfd_read(r->work.fd, &n); /* first: what comes from here on is told again */
	job = pop(r, &r->todo);
	if (!job)
		return;
	courier_run(r->desc.builder, relay_task, &(struct task){r->desc.api, job});
	push(r, &r->done, job, &r->results);
	if (n > 1)
		eventfd_write(r->work.fd, n - 1);
}

/* --- the API's thread --- */

static void relay_handle(void *ctx, const struct http_request *req, struct http_reply *reply)
{
	struct relay *r = ctx;
	struct job *job;

	if (api_quick(r->desc.api, req, reply))
		return;
	job = job_make(req);
	if (!job) {
		http_error(reply, 500, "no-memory", "The request can't be served", NULL);
		return;
	}
	reply->later = job;
	push(r, &r->todo, job, &r->work);
}

static void relay_forget(void *ctx, void *later)
{
	struct job *job = later;

	(void)ctx;
	job->conn = NULL;
}

static void relay_results(void *ctx, uint32_t events)
{
	struct relay *r = ctx;
	struct job *job;
	eventfd_t n;
	bool ending;

	(void)events;
	eventfd_read(r->results.fd, &n);
	while ((job = pop(r, &r->done))) {
		if (job->conn)
			http_answer(job->conn, &job->reply);
		job_free(job);
	}
	pthread_mutex_lock(&r->lock);
	ending = r->ending;
	pthread_mutex_unlock(&r->lock);
	if (ending)
		loop_stop(r->loop);
}

static void *relay_thread(void *ctx)
{
	struct relay *r = ctx;
	int rc;

	pthread_setname_np(pthread_self(), "api");
	if (!r->desc.first)
		priority_soon();
	rc = program_enter(r->filter);
	pthread_mutex_lock(&r->lock);
	r->entry = rc;
	r->entered = true;
	pthread_cond_broadcast(&r->changed);
	while (!r->serving && !r->ending)
		pthread_cond_wait(&r->changed, &r->lock);
	pthread_mutex_unlock(&r->lock);
	while (!rc && loop_run(r->loop) < 0)
		;
	return NULL;
}

/* --- life --- */

static int relay_eventfd(struct relay *r, struct loop_source *source, struct loop *loop,
	void (*fn)(void *ctx, uint32_t events), struct err *e)
{
	int rc;

	*source = (struct loop_source){.fn = fn, .ctx = r};
	rc = fd_event(&source->fd, e);
	return rc ? rc : loop_add(loop, source, EPOLLIN, e);
}

static int relay_start(struct relay *r, struct err *e)
{
	int rc = pthread_create(&r->thread, NULL, relay_thread, r);

	r->started = !rc;
	if (r->desc.first)
		priority_ordinary(); /* the caller; the thread has inherited it */
	if (rc)
		return err_sys(e, rc, "API thread");
	pthread_mutex_lock(&r->lock);
	while (!r->entered)
		pthread_cond_wait(&r->changed, &r->lock);
	rc = r->entry;
	pthread_mutex_unlock(&r->lock);
	return rc ? err_sys(e, -rc, "API thread: the system call filter") : 0;
}

int relay_create(struct relay **out, const struct relay_desc *desc, struct err *e)
{
	cleanup_fd int listener = desc->listener;
	struct relay *r = calloc(1, sizeof(*r));
	struct http_desc http = {.fn = relay_handle, .forget = relay_forget, .ctx = r};

	*out = NULL;
	if (!r)
		return err_sys(e, ENOMEM, "API");
	r->desc = *desc;
	r->work.fd = r->results.fd = -1;
	r->todo.last = &r->todo.first;
	r->done.last = &r->done.first;
	pthread_mutex_init(&r->lock, NULL);
	pthread_cond_init(&r->changed, NULL);
	if (loop_create(&r->loop, e) || relay_eventfd(r, &r->work, desc->loop, relay_work, e) ||
		relay_eventfd(r, &r->results, r->loop, relay_results, e))
		goto fail;
	http.loop = r->loop;
	http.listener = fd_take(&listener);
	if (http_create(&r->http, &http, e) ||
		program_create(&r->filter, FILTER_API, desc->seccomp, e) || relay_start(r, e))
		goto fail;
	*out = r;
	return 0;
fail:
	relay_destroy(r);
	return -e->code;
}

void relay_serve(struct relay *r)
{
	pthread_mutex_lock(&r->lock);
	r->serving = true;
	pthread_cond_broadcast(&r->changed);
	pthread_mutex_unlock(&r->lock);
}

void relay_destroy(struct relay *r)
{
	struct job *job;

	if (!r)
		return;
	if (r->started) {
		pthread_mutex_lock(&r->lock);
		r->ending = true;
		pthread_cond_broadcast(&r->changed);
		pthread_mutex_unlock(&r->lock);
		eventfd_write(r->results.fd, 1);
		pthread_join(r->thread, NULL);
	}
	http_destroy(r->http);
	while ((job = pop(r, &r->todo)))
		job_free(job);
	loop_remove(r->desc.loop, &r->work);
	if (r->loop)
		loop_remove(r->loop, &r->results);
	loop_destroy(r->loop);
	fd_drop(&r->work.fd);
	fd_drop(&r->results.fd);
	program_destroy(r->filter);
	pthread_cond_destroy(&r->changed);
	pthread_mutex_destroy(&r->lock);
	free(r);
}
