/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `cloister device`: one back end alone, for the front end of another VMM. It is the same spawner,
 * process, jail and filter that a VM of ours uses; this process only listens and accepts.
 */
#include "base/fd.h"
#include "base/log.h"
#include "devices/back/spawner.h"
#include "devices/wire/spawn.h"
#include "vmm/cli/cli.h"
#include "vmm/cli/options.h"
#include "vmm/config.h"
#include "vmm/device_plan.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

static const char usage[] =
	"Usage: cloister device blk --socket PATH --path FILE [FLAGS]\n"
	"       cloister device rng --socket PATH [--src FILE]\n"
	"       cloister device console --socket PATH --output FILE [--input FILE]\n"
	"       cloister device net --socket PATH --net tap=NAME[,KEY=VALUE...]\n"
	"       cloister device vsock --socket PATH --vsock cid=N,socket=PATH\n"
	"\n"
	"Runs one device as a jailed vhost-user back end that listens on a unix socket, for a VMM that\n"
	"speaks the vhost-user protocol. One front end at a time; when it goes, the next may come.\n"
	"\n"
	"  cloister device blk --socket /tmp/blk --path disk.raw --num-queues 2 &\n"
	"  qemu-system-x86_64 -m 512 -object memory-backend-memfd,id=m,size=512M,share=on \\\n"
	"    -numa node,memdev=m -chardev socket,id=c,path=/tmp/blk \\\n"
	"    -device vhost-user-blk-pci,chardev=c,num-queues=2\n";

static const char notes[] =
	"Exit status: 0 when told to end by SIGINT, SIGTERM or --once; 1 if a device failed; 2 for bad "
	"usage\nor a file or socket that can't be opened.\n";

struct device_flags {
	const char *socket, *path, *serial, *src, *input, *output, *net, *vsock;
	uint32_t n_queues;
	bool read_only, once, best_effort, log_filter, verbose;
};

/* What is served, and to whom. */
struct server {
	struct spawn_request req;
	int spawner, listener, signals;
	int fds[SPAWN_FDS_MAX]; /* fds[0] is the connection, the rest the device's own */
	size_t n_fds;
};

static int open_file(struct server *s, const char *flag, const char *path, int mode, struct err *e)
{
	int fd;

	if (!path)
		return err_set(e, EINVAL, "%s is missing", flag);
	fd = open(path, mode | O_CLOEXEC | O_NOCTTY, 0600);
	if (fd < 0)
		return err_sys(e, errno, "%s '%s'", flag, path);
	s->fds[s->n_fds++] = fd;
	return 0;
}

/* lock_image() - nobody else may write what we use (or use what we write), if they ask, too. */
static int lock_image(int fd, const struct device_flags *f, struct err *e)
{
	struct flock lock = {.l_type = f->read_only ? F_RDLCK : F_WRLCK, .l_whence = SEEK_SET};

	if (fcntl(fd, F_OFD_SETLK, &lock) < 0 && (errno == EAGAIN || errno == EACCES))
		return err_set(e, EBUSY, "--path '%s' is in use", f->path);
	return 0;
}

static int open_blk(struct server *s, const struct device_flags *f, struct err *e)
{
	if (open_file(s, "--path", f->path, f->read_only ? O_RDONLY : O_RDWR, e) < 0 ||
		lock_image(s->fds[s->n_fds - 1], f, e) < 0)
		return -e->code;
	if (f->serial && strlen(f->serial) > sizeof(s->req.serial))
		return err_set(
			e, EINVAL, "--serial is longer than %zu bytes", sizeof(s->req.serial));
	if (f->serial)
		memcpy(s->req.serial, f->serial, strlen(f->serial));
	if (f->n_queues < 1 || f->n_queues > 64)
		return err_set(e, EINVAL, "--num-queues must be 1 to 64");
	s->req.n_queues = (uint16_t)f->n_queues;
	return 0;
}

static int open_rng(struct server *s, const struct device_flags *f, struct err *e)
{
	return open_file(s, "--src", f->src, O_RDONLY, e);
}

static int open_console(struct server *s, const struct device_flags *f, struct err *e)
{
	if (open_file(s, "--input", f->input, O_RDONLY | O_NONBLOCK, e) < 0)
		return -e->code;
	return open_file(s, "--output", f->output, O_WRONLY | O_CREAT | O_APPEND, e);
}

static int open_net(struct server *s, const struct device_flags *f, struct err *e)
{
	struct vm_config config;
	struct device_plan plan;

	if (!f->net)
		return err_set(e, EINVAL, "--net is missing");
	config_init(&config);
	if (config_flag(&config, "net", f->net, e) == 0 && nic_check(&config.nics[0], e) == 0 &&
		device_plan_nic(&plan, &config, 0, e) > 0) {
		memcpy(s->fds + s->n_fds, plan.spawn.fds, plan.spawn.n_fds * sizeof(int));
		s->n_fds += plan.spawn.n_fds;
		s->req.n_queues = plan.spawn.n_queues;
		s->req.offloads = plan.spawn.offloads;
		s->req.limits = plan.spawn.limits;
		s->req.mtu = plan.spawn.mtu;
		memcpy(s->req.mac, plan.spawn.mac, sizeof(s->req.mac));
	}
	config_fini(&config);
	return -e->code;
}

/* The spawner makes what the device works on. */
static int open_vsock(struct server *s, const struct device_flags *f, struct err *e)
{
	struct vm_config config;
	struct device_plan plan;

	if (!f->vsock || !*f->vsock)
		return err_set(e, EINVAL, "--vsock is missing");
	config_init(&config);
	if (config_flag(&config, "vsock", f->vsock, e) == 0 && vsock_check(&config.vsock, e) == 0 &&
		device_plan_vsock(&plan, &config, 0, e) > 0) {
		s->req.n_queues = plan.spawn.n_queues;
		s->req.cid = plan.spawn.cid;
		snprintf(s->req.path, sizeof(s->req.path), "%s", plan.spawn.path);
	}
	config_fini(&config);
	return -e->code;
}

static const struct device_kind {
	const char *name;
	enum spawn_kind kind;
	int (*open)(struct server *s, const struct device_flags *f, struct err *e);
} device_kinds[] = {
	{"blk", SPAWN_BLK, open_blk},
	{"rng", SPAWN_RNG, open_rng},
	{"console", SPAWN_CONSOLE, open_console},
	{"net", SPAWN_NET, open_net},
	{"vsock", SPAWN_VSOCK, open_vsock},
};

static int open_listener(struct server *s, const char *path, struct err *e)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};

	if (!path || strlen(path) >= sizeof(addr.sun_path))
		return err_set(e, EINVAL, "--socket is missing or longer than %zu bytes",
			sizeof(addr.sun_path) - 1);
	memcpy(addr.sun_path, path, strlen(path));
	s->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (s->listener < 0 || bind(s->listener, (struct sockaddr *)&addr, sizeof(addr)) < 0 ||
		listen(s->listener, 1) < 0)
		return err_sys(e, errno, "--socket '%s'", path);
	return 0;
}

/* wait_for() - until fd is readable. Return: 1; 0 if a signal says that it is time to end. */
static int wait_for(const struct server *s, int fd)
{
	struct pollfd p[] = {
		{.fd = fd, .events = POLLIN},
		{.fd = s->signals, .events = POLLIN},
	};

	while (poll(p, ARRAY_SIZE(p), -1) < 0)
		continue;
	return !p[1].revents;
}

/* serve_one() - a device process for one connection. Return: 1 to go on, 0 at a signal, -errno. */
static int serve_one(struct server *s, struct err *e)
{
	struct spawn_reply reply;
	cleanup_fd int conn = -1;
	cleanup_fd int pidfd = -1;
	size_t n_fds = 1;
	int rc;

	if (!wait_for(s, s->listener))
		return 0;
	conn = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC);
	if (conn < 0)
		return err_sys(e, errno, "accept");
	s->fds[0] = conn;
	rc = fd_send(s->spawner, &s->req, sizeof(s->req), s->fds, s->n_fds);
	if (rc < 0)
		return err_sys(e, -rc, "spawner");
	if (fd_recv(s->spawner, &reply, sizeof(reply), &pidfd, &n_fds) != sizeof(reply))
		return err_set(e, EPIPE, "spawner has ended");
	if (reply.status)
		return err_set(e, -reply.status, "%.*s", (int)sizeof(reply.text), reply.text);
	fd_drop(&conn);
	return wait_for(s, pidfd);
}

static int open_signals(struct server *s, struct err *e)
{
	sigset_t ends;

	sigemptyset(&ends);
	sigaddset(&ends, SIGINT);
	sigaddset(&ends, SIGTERM);
	sigprocmask(SIG_BLOCK, &ends, NULL);
	s->signals = signalfd(-1, &ends, SFD_CLOEXEC);
	return s->signals < 0 ? err_sys(e, errno, "signalfd") : 0;
}

static int device_prepare(struct server *s, const struct device_kind *kind,
	const struct device_flags *f, struct err *e)
{
	pid_t pid;

	s->req = (struct spawn_request){
		.magic = SPAWN_MAGIC,
		.kind = (uint16_t)kind->kind,
		.flags = (f->read_only ? SPAWN_READ_ONLY : 0) |
			(f->best_effort ? SPAWN_BEST_EFFORT : 0),
		.log_level = f->verbose ? LOG_DEBUG : LOG_WARN,
	};
	snprintf(s->req.name, sizeof(s->req.name), "%s", kind->name);
	s->n_fds = 1; /* fds[0] is the connection's place */
	if (spawner_start(&s->spawner, &pid, f->log_filter ? FILTER_LOG : FILTER_KILL, e) < 0 ||
		kind->open(s, f, e) < 0 || open_listener(s, f->socket, e) < 0)
		return -e->code;
	return open_signals(s, e);
}

/* device_run() - Return: the exit status. */
static int device_run(
	const struct options *o, const struct device_kind *kind, const struct device_flags *f)
{
	struct server s = {.spawner = -1, .listener = -1, .signals = -1};
	struct err e = ERR_INIT;
	int rc = device_prepare(&s, kind, f, &e), status = CLI_OK;

	if (rc < 0) {
		status = options_fail(o, &e);
	} else {
		do
			rc = serve_one(&s, &e);
		while (rc > 0 && !f->once);
		unlink(f->socket);
	}
	if (rc < 0 && status == CLI_OK) {
		options_fail(o, &e);
		status = CLI_REFUSED;
	}
	fd_drop(&s.spawner);
	while (waitpid(-1, NULL, 0) > 0)
		continue;
	for (size_t i = 1; i < s.n_fds; i++)
		fd_drop(&s.fds[i]);
	fd_drop(&s.listener);
	fd_drop(&s.signals);
	return status;
}

int cli_device(int argc, char **argv)
{
	struct device_flags f = {.n_queues = 1, .src = "/dev/urandom", .input = "/dev/null"};
	const struct option_row rows[] = {
		{"--socket", OPTION_TEXT, &f.socket, .value = "PATH", .help = "listen here"},
		{"--path", OPTION_TEXT, &f.path, .value = "FILE",
			.help = "blk: raw image or device"},
		{"--readonly", OPTION_SWITCH, &f.read_only, .help = "blk: refuse writes"},
		{"--serial", OPTION_TEXT, &f.serial, .value = "TEXT",
			.help = "blk: up to 20 bytes"},
		{"--num-queues", OPTION_U32, &f.n_queues, .value = "N", .help = "blk: 1 to 64"},
		{"--src", OPTION_TEXT, &f.src, .value = "FILE", .help = "rng: /dev/urandom"},
		{"--input", OPTION_TEXT, &f.input, .value = "FILE", .help = "console: /dev/null"},
		{"--output", OPTION_TEXT, &f.output, .value = "FILE",
			.help = "console: made if it is not there"},
		{"--net", OPTION_TEXT, &f.net, .value = "KEYS",
			.help = "net: as --net of `cloister run`"},
		{"--vsock", OPTION_TEXT, &f.vsock, .value = "KEYS",
			.help = "vsock: as --vsock of `cloister run`"},
		{"--once", OPTION_SWITCH, &f.once, .help = "end after the first front end"},
		{"--best-effort", OPTION_SWITCH, &f.best_effort,
			.help = "go on where a part of the jail can't be had, and say so"},
		{"--log-filter", OPTION_SWITCH, &f.log_filter,
			.help = "have the kernel log forbidden system calls instead of killing"},
		{"--verbose", OPTION_SWITCH, &f.verbose, .help = "log more"},
	};
	const struct options o = {"device", usage, notes, rows, ARRAY_SIZE(rows)};
	const struct device_kind *kind = NULL;
	struct err e = ERR_INIT;
	int rc;

	for (size_t i = 0; argc > 1 && i < ARRAY_SIZE(device_kinds); i++)
		if (!strcmp(argv[1], device_kinds[i].name))
			kind = &device_kinds[i];
	rc = options_parse(&o, kind ? argc - 1 : argc, kind ? argv + 1 : argv, &e);
	if (rc == 0 && !kind)
		rc = err_set(&e, EINVAL, "which device: blk, rng, console, net or vsock?");
	if (rc < 0)
		return options_fail(&o, &e);
	return rc > 0 ? CLI_OK : device_run(&o, kind, &f);
}
