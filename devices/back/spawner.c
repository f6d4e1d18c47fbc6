/* SPDX-License-Identifier: Apache-2.0 */
/* The spawner; see devices/back/spawner.h. */
#include "devices/back/spawner.h"

#include "base/fd.h"
#include "base/log.h"
#include "base/loop.h"
#include "devices/back/dialer.h"
#include "devices/back/process.h"
#include "seccomp/jail.h"
#include "seccomp/privilege.h"
#include "seccomp/program.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>

#define TAG          "spawner"
#define CHILDREN_MAX 256
#define DIALERS_MAX  16

struct child {
	pid_t pid; /* 0: unused */
	char name[SPAWN_NAME_MAX];
};

struct spawner {
	enum filter_mode mode; /* its own filter's and its children's */
	struct loop *loop;
	struct loop_source sock, signals;
	struct child children[CHILDREN_MAX];
	struct dialer dialers[DIALERS_MAX];
};

/* spawner_remember() - keep a child's name for the day it ends. */
static void spawner_remember(struct spawner *s, pid_t pid, const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(s->children); i++) {
		struct child *c = &s->children[i];

		if (c->pid)
			continue;
		c->pid = pid;
		memcpy(c->name, name, sizeof(c->name));
		return;
	}
}

static void spawner_log_end(struct spawner *s, pid_t pid, int status)
{
	const char *name = "?";
	bool clean = WIFEXITED(status) && !WEXITSTATUS(status);

	for (size_t i = 0; i < ARRAY_SIZE(s->children); i++)
		if (s->children[i].pid == pid) {
			name = s->children[i].name;
			s->children[i].pid = 0;
		}
	log_line(clean ? LOG_INFO : LOG_ERROR, TAG, "device process %s (pid %d) ended: %s %d", name,
		pid, WIFSIGNALED(status) ? "signal" : "status",
		WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
}

static void spawner_reap(void *ctx, uint32_t events)
{
	struct spawner *s = ctx;
	struct signalfd_siginfo info;
	int status;
	pid_t pid;

	(void)events;
	if (read(s->signals.fd, &info, sizeof(info)) < 0)
		return;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		spawner_log_end(s, pid, status);
}

/* spawner_child() - what the new process does. Does not return. */
static void spawner_child(
	const struct spawner *s, const struct spawn_request *req, const int *fds, int report)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	_exit(process_run(req, fds, report, s->mode));
}

/*
 * spawner_fork() - start the process of a checked request and wait until it is ready or has failed.
 * Return: 0, a filled reply and *pidfd, or -errno.
 */
static int spawner_fork(struct spawner *s, const struct spawn_request *req, const int *fds,
	struct spawn_reply *reply, int *pidfd)
{
	struct jail jail = {.tag = req->name, .best_effort = req->flags & SPAWN_BEST_EFFORT};
	cleanup_fd int read_end = -1;
	cleanup_fd int write_end = -1;
	struct err e = ERR_INIT;
	int ends[2];
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	read_end = ends[0];
	write_end = ends[1];
	pid = jail_fork(&jail, pidfd, &e);
	if (pid < 0) {
		snprintf(reply->text, sizeof(reply->text), "%.100s", e.text);
		return pid;
	}
	if (pid == 0)
		spawner_child(s, req, fds, write_end);
	fd_drop(&write_end);
	spawner_remember(s, pid, req->name);
	if (fd_read_full(read_end, reply, sizeof(*reply)) < 0) {
		snprintf(reply->text, sizeof(reply->text), "device process died while starting");
		return -ECHILD;
	}
	reply->pid = pid;
	return reply->status;
}

/* spawner_dialer() - one for a device process that needs it. Return: 0 and its ends, or -errno. */
static int spawner_dialer(
	struct spawner *s, const char *path, struct dialer_ends *ends, struct err *e)
{
	size_t i = 0;
	int rc;

	while (i < ARRAY_SIZE(s->dialers) && s->dialers[i].source.fd >= 0)
		i++;
	if (i == ARRAY_SIZE(s->dialers))
		return err_set(e, ENOSPC, "spawn: too many vsock devices");
	rc = dialer_init(&s->dialers[i], s->loop, path, ends, e);
	for (size_t k = 0; !rc && k < ARRAY_SIZE(s->dialers); k++)
		if (k != i && s->dialers[k].source.fd >= 0 && !strcmp(s->dialers[k].path, path))
			dialer_disown(&s->dialers[k]);
	return rc;
}

/* spawner_check() - can the request be tried? *n_fds may grow by those of a dialer. Return: 0 or
 * -errno.
 */
static int spawner_check(
	struct spawner *s, const struct spawn_request *req, int *fds, size_t *n_fds, struct err *e)
{
	int rc = process_check(req, *n_fds, e);
	struct dialer_ends ends;

	if (rc || !process_dials(req))
		return rc;
	rc = spawner_dialer(s, req->path, &ends, e);
	if (rc)
		return rc;
	fds[(*n_fds)++] = ends.listen;
	fds[(*n_fds)++] = ends.dial;
	return 0;
}

static void spawner_request(void *ctx, uint32_t events)
{
	struct spawner *s = ctx;
	struct spawn_request req;
	struct spawn_reply reply = {0};
	struct err e = ERR_INIT;
	int fds[SPAWN_FDS_MAX + PROCESS_DIALER_FDS];
	size_t n_fds = SPAWN_FDS_MAX;
	cleanup_fd int pidfd = -1;
	ssize_t n = fd_recv(s->sock.fd, &req, sizeof(req), fds, &n_fds);

	(void)events;
	if (n == 0) {
		loop_stop(s->loop);
		return;
	}
	if (n != (ssize_t)sizeof(req))
		err_set(&e, EINVAL, "spawn: request of broken size");
	if (e.code || spawner_check(s, &req, fds, &n_fds, &e) < 0) {
		reply.status = -e.code;
		snprintf(reply.text, sizeof(reply.text), "%.100s", e.text);
	} else {
		reply.status = spawner_fork(s, &req, fds, &reply, &pidfd);
	}
	reply.text[sizeof(reply.text) - 1] = 0;
	while (n_fds)
		fd_drop(&fds[--n_fds]);
	if (fd_send(s->sock.fd, &reply, sizeof(reply), &pidfd, reply.status ? 0 : 1) < 0)
		loop_stop(s->loop);
}

/*
 * spawner_confine() - before the first request. What is left is what makes jails: namespaces, or
 * for root, where users may not have their own, mounts. Landlock would forbid those.
 */
static int spawner_confine(const struct spawner *s, struct err *e)
{
	const struct jail jail = {.tag = TAG};
	const uint64_t caps = privilege_bit(CAP_SYS_ADMIN) | privilege_bit(CAP_SYS_CHROOT) |
		privilege_bit(CAP_SETPCAP);

	if (jail_confine(&jail, NULL, caps, e) < 0)
		return -e->code;
	return program_load(FILTER_SPAWNER, s->mode, e);
}

static int spawner_serve(struct spawner *s, int sock, struct err *e)
{
	sigset_t child;
	int fd;

	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigprocmask(SIG_SETMASK, &child, NULL);
	fd = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0)
		return err_sys(e, errno, "signalfd");
	s->sock = (struct loop_source){.fd = sock, .fn = spawner_request, .ctx = s};
	s->signals = (struct loop_source){.fd = fd, .fn = spawner_reap, .ctx = s};
	if (loop_create(&s->loop, e) < 0 || loop_add(s->loop, &s->sock, EPOLLIN, e) < 0 ||
		loop_add(s->loop, &s->signals, EPOLLIN, e) < 0)
		return -e->code;
	return spawner_confine(s, e) ? -e->code : loop_run(s->loop);
}

/* spawner_main() - the spawner's life. Its children have it as parent and die with it. */
static int spawner_main(int sock, pid_t parent, enum filter_mode mode)
{
	struct spawner s = {.mode = mode};
	struct err e = ERR_INIT;

	for (size_t i = 0; i < ARRAY_SIZE(s.dialers); i++)
		s.dialers[i].source.fd = -1;
	prctl(PR_SET_NAME, "cl-spawner", 0, 0, 0);
	setsid(); /* a terminal's Ctrl-C is the monitor's to act on */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent ||
		jail_close_fds(&sock, 1, &e) < 0)
		return 1;
	if (spawner_serve(&s, sock, &e) < 0)
		log_error(TAG, "%s", e.text);
	for (size_t i = 0; i < ARRAY_SIZE(s.dialers); i++)
		dialer_fini(&s.dialers[i]);
	return e.code != 0;
}

int spawner_start(int *sock, pid_t *pid, enum filter_mode mode, struct err *e)
{
	pid_t parent = getpid();
	int ends[2];

	*sock = -1;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return err_sys(e, errno, "spawner: socketpair");
	*pid = fork();
	if (*pid == 0)
		_exit(spawner_main(ends[1], parent, mode));
	fd_drop(&ends[1]);
	if (*pid < 0) {
		fd_drop(&ends[0]);
		return err_sys(e, errno, "spawner: fork");
	}
	*sock = ends[0];
	return 0;
}
