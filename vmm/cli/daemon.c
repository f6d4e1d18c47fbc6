/* SPDX-License-Identifier: Apache-2.0 */
/* `cloister --api-socket ...`: the daemon that Kata and `cloister ctl` drive. */
#include "vmm/cli/cli.h"

#include "base/fd.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/priority.h"
#include "devices/back/spawner.h"
#include "devices/front/courier.h"
#include "vmm/api/api.h"
#include "vmm/api/relay.h"
#include "vmm/config.h"
#include "vmm/events.h"
#include "vmm/listener.h"
#include "vmm/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

#define REMOVAL_MS 10000 /* a guest that has not let go by then does not mean to */

static const char help[] =
	"Usage: cloister --api-socket PATH [FLAGS]\n"
	"\n"
	"Serves a REST API compatible with cloud-hypervisor's until vmm.shutdown, SIGTERM, or the end\n"
	"of the guest. One VM per daemon. `cloister ctl` is a client. docs/api.md is the manual.\n"
	"\n"
	"  cloister --api-socket /run/vm.sock &\n"
	"  cloister ctl --api-socket /run/vm.sock ping\n"
	"\n"
	"  --api-socket P     path=P or P: a socket made here; fd=N: a listening socket\n"
	"  --confidential L   run every VM at this level, whether it asks for it or not\n"
	"  --require L        refuse VMs at less\n"
	"  --event-monitor F  path=F, F or fd=N: write events there, a line of JSON each\n"
	"  --log-file F       log lines go there instead of to standard error\n"
	"  --no-shutdown      stay when the guest has switched itself off\n"
	"  --seccomp MODE     a system call that a process or thread has no need for: true (the default):\n"
	"                     it is killed; log: the kernel logs the call; trap: the call is named on\n"
	"                     standard error; errno: the call fails; false: no filters\n"
	"  -v                 more log lines; twice for most\n"
	"\n"
	"Exit status: 0 at an end that was asked for; 1 the VM failed; 2 bad usage.\n";

struct daemon {
	struct vm_config imposed; /* level and require only */
	bool level_given;
	const char *socket, *event_monitor, *log_file;
	bool no_shutdown, first;
	enum filter_mode seccomp;
	struct loop *loop;
	struct listener listener;
	struct courier *builder; /* makes VMs, and does all else that clients ask for */
	struct relay *relay;
	struct api *api;
	struct vmm *vmm;
	struct events *events;
	struct loop_source signals;
	bool failed;
};

/* --- flags --- */

static int daemon_value(struct daemon *d, const char *name, const char *value, struct err *e)
{
	if (!strcmp(name, "--api-socket"))
		d->socket = value;
	else if (!strcmp(name, "--event-monitor"))
		d->event_monitor = value;
	else if (!strcmp(name, "--log-file"))
		d->log_file = value;
	else if (!strcmp(name, "--confidential") || !strcmp(name, "--require")) {
		d->level_given |= name[2] == 'c';
		return config_flag(&d->imposed, name + 2, value, e);
	} else if (!strcmp(name, "--seccomp"))
		return filter_mode_parse(&d->seccomp, value, e);
	else
		return err_set(
			e, EINVAL, "unknown flag %s; see `cloister --api-socket --help`", name);
	return 0;
}

/* daemon_switch() - a flag without a value. Return: false if it is none */
static bool daemon_switch(struct daemon *d, const char *arg)
{
	if (!strcmp(arg, "--no-shutdown"))
		d->no_shutdown = true;
	else if (!strcmp(arg, "--xcr0-preset"))
		d->imposed.xcr0_preset = true;
	else if (arg[0] == '-' && arg[1] == 'v' && strspn(arg + 1, "v") == strlen(arg) - 1)
		for (const char *v = arg + 1; *v; v++)
			log_set_level(log_get_level() == LOG_WARN ? LOG_INFO : LOG_DEBUG);
	else
		return false;
	return true;
}

static int daemon_parse(struct daemon *d, int argc, char **argv, struct err *e)
{
	int rc = 0;

	for (int i = 1; i < argc && !rc; i++) {
		char *name = argv[i], *value = strncmp(name, "--", 2) ? NULL : strchr(name, '=');

		if (daemon_switch(d, name))
			continue;
		if (value)
			*value++ = '\0';
		else if (i + 1 < argc)
			value = argv[++i];
		else
			return err_set(e, EINVAL, "%s: needs a value", name);
		rc = daemon_value(d, name, value, e);
	}
	if (!rc && !d->socket)
		rc = err_set(e, EINVAL, "--api-socket: is missing");
	return rc;
}

/* --- events --- */

/* daemon_bye() - vmm.shutdown: nothing of the VM is there any more; the reply follows */
static void daemon_bye(void *ctx)
{
	struct daemon *d = ctx;

	events_emit(d->events, "vmm", "shutdown");
	listener_close(&d->listener);
	loop_stop(d->loop);
}

static void daemon_vm_ended(void *ctx, bool failed)
{
	struct daemon *d = ctx;

	api_publish(d->api);
	if (d->no_shutdown)
		return;
	d->failed = failed;
	loop_stop(d->loop);
}

static void daemon_vm_changed(void *ctx)
{
	const struct daemon *d = ctx;

	api_publish(d->api);
}

static void daemon_signal(void *ctx, uint32_t events)
{
	struct signalfd_siginfo info;
	struct daemon *d = ctx;

	(void)events;
	if (read(d->signals.fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
		loop_stop(d->loop);
}

/* --- life --- */

static int daemon_signals(struct daemon *d, struct err *e)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	d->signals = (struct loop_source){.fn = daemon_signal, .ctx = d};
	d->signals.fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (d->signals.fd < 0)
		return err_sys(e, errno, "signalfd");
	return loop_add(d->loop, &d->signals, EPOLLIN, e);
}

static int daemon_redirect_log(const char *path, struct err *e)
{
	cleanup_fd int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

	if (fd < 0 || dup2(fd, STDERR_FILENO) < 0)
		return err_sys(e, errno, "--log-file: '%s'", path);
	return 0;
}

static int daemon_listen(struct daemon *d, struct err *e)
{
	struct relay_desc desc = {.loop = d->loop,
		.api = d->api,
		.builder = d->builder,
		.seccomp = d->seccomp,
		.first = d->first,
		.listener = fd_take(&d->listener.fd)};

	return relay_create(&d->relay, &desc, e);
}

/* daemon_vmm_end() - on the builder's thread */
static void daemon_vmm_end(void *ctx)
{
	struct daemon *d = ctx;

	vmm_destroy(d->vmm);
	d->vmm = NULL;
}

static int daemon_make_vmm(struct daemon *d, int spawner, struct err *e)
{
	struct vmm_desc vmm = {
		.loop = d->loop,
		.builder = d->builder,
		.spawner = spawner,
		.level = d->level_given ? d->imposed.confidential.level : -1,
		.require = d->imposed.require,
		.xcr0_preset = d->imposed.xcr0_preset,
		.seccomp = d->seccomp,
		.events = d->events,
		.removal_ms = REMOVAL_MS,
		.ended = daemon_vm_ended,
		.changed = daemon_vm_changed,
		.ctx = d,
	};
	int rc = vmm_create(&d->vmm, &vmm, e);

	return rc ? rc : api_create(&d->api, &(struct api_desc){d->vmm, daemon_bye, d}, e);
}

/* daemon_serve() - every thread is in its filter when the first client is let in */
static int daemon_serve(struct daemon *d, int spawner, struct err *e)
{
	const struct sandbox_desc sandbox = {.role = FILTER_DAEMON, .seccomp = d->seccomp};
	int rc;

	d->first = priority_first(); /* for the API's thread; the jail takes the capability */
	rc = sandbox_jail(&sandbox, e);
	if (!rc)
		rc = sandbox_thread(&d->builder, FILTER_BUILDER, d->seccomp, e);
	if (!rc)
		rc = daemon_make_vmm(d, spawner, e);
	if (!rc)
		rc = daemon_listen(d, e);
	if (!rc)
		rc = sandbox_filter(&sandbox, e);
	if (rc)
		return rc;
	relay_serve(d->relay);
	events_emit(d->events, "vmm", "starting");
	rc = loop_run(d->loop);
	return rc ? err_sys(e, -rc, "event loop") : 0;
}

/* daemon_spawner_end() - closing its socket ends the spawner and with it all device processes */
static void daemon_spawner_end(int *sock, pid_t pid)
{
	fd_drop(sock);
	while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

static int daemon_run(struct daemon *d, struct err *e)
{
	int spawner = -1;
	pid_t spawner_pid = -1;
	int rc = d->log_file ? daemon_redirect_log(d->log_file, e) : 0;

	/* First, so that it inherits neither the socket nor its lock. */
	if (!rc)
		rc = spawner_start(&spawner, &spawner_pid, d->seccomp, e);
	if (!rc)
		rc = listener_open(&d->listener, "api-socket", d->socket, e);
	if (!rc)
		rc = loop_create(&d->loop, e);
	if (!rc)
		rc = daemon_signals(d, e);
	if (!rc && d->event_monitor)
		rc = events_create(&d->events, d->event_monitor, e);
	if (!rc)
		rc = daemon_serve(d, spawner, e);
	courier_run(d->builder, daemon_vmm_end, d);
	daemon_spawner_end(&spawner, spawner_pid);
	relay_destroy(d->relay);
	courier_destroy(d->builder);
	api_destroy(d->api);
	events_destroy(d->events);
	loop_destroy(d->loop);
	fd_drop(&d->signals.fd);
	listener_close(&d->listener);
	return rc;
}

int cli_daemon(int argc, char **argv)
{
	struct daemon d = {.signals.fd = -1, .listener = {.fd = -1, .lock = -1}};
	struct err e = ERR_INIT;
	int rc;

	for (int i = 1; i < argc; i++)
		if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h")) {
			fputs(help, stdout);
			return CLI_OK;
		}
	/* One arena: what one thread allocates and another one frees needs the same calls in both.
	 */
	mallopt(M_ARENA_MAX, 1);
	config_init(&d.imposed);
	rc = daemon_parse(&d, argc, argv, &e);
	if (!rc)
		rc = daemon_run(&d, &e);
	config_fini(&d.imposed);
	if (rc)
		fprintf(stderr, "cloister: %s\n", e.text);
	if (rc)
		return CLI_USAGE;
	return d.failed ? CLI_REFUSED : CLI_OK;
}
