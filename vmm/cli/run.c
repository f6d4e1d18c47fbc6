/* SPDX-License-Identifier: Apache-2.0 */
/* `cloister run`: one VM from flags to its end. */
#include "vmm/cli/cli.h"

#include "base/fd.h"
#include "base/log.h"
#include "devices/back/spawner.h"
#include "vmm/cli/run_timeline.h"
#include "vmm/report.h"
#include "vmm/sandbox.h"
#include "vmm/terminal.h"
#include "vmm/vm.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

static const char help[] =
	"Usage: cloister run --kernel K [FLAGS]\n"
	"\n"
	"Runs a VM until the guest powers off. Examples:\n"
	"\n"
	"  cloister run --kernel vmlinuz --initramfs initrd.img\n"
	"  cloister run --kernel vmlinuz --disk path=root.img --cmdline 'console=ttyS0 root=/dev/vda'\n"
	"  cloister run --kernel vmlinuz --confidential soft --cpus boot=4 --memory size=2G\n"
	"  cloister run --kernel vmlinuz --confidential auto --require soft   # or not at all\n"
	"  cloister run --firmware OVMF.amdsev.fd --confidential snp,vcpu_type=EPYC-Milan -v\n"
	"\n"
	"  --kernel K         bzImage or ELF vmlinux\n"
	"  --initramfs I      initial RAM file system\n"
	"  --cmdline C        kernel command line; default: console=ttyS0\n"
	"  --cpus boot=N      vCPUs, 1 to 64; default 1; also max=N, for a daemon\n"
	"  --memory size=S    RAM, such as 512M (the default) or 2G; also shared_max=S, the most that\n"
	"                     the guest may share with devices, and overcommit=on, to allow more RAM\n"
	"                     than the host has; hotplug_size=S, what a daemon's vm.resize may add,\n"
	"                     hotplug_method=acpi or, to take it back too, virtio-mem;\n"
	"                     hotplugged_size=S, how much of it is there at start\n"
	"  --disk path=F      raw image or block device; also readonly=on, direct=on (bypass the host's\n"
	"                     page cache), num_queues=N, queue_size=N, packed=on (offer packed rings),\n"
	"                     serial=TEXT, limits bw_size=, bw_refill_time= (ms), bw_one_time_burst=,\n"
	"                     ops_size= and so on, id=NAME; repeat the flag for more disks\n"
	"  --net tap=NAME     network device on a tap of that name, made if it is not there; also ip=,\n"
	"                     mask=, host_mac= and mtu= of the host's end, mac=M of the guest's, and\n"
	"                     fd=N[:N...] for taps that are open already; num_queues=N (two for each\n"
	"                     queue of the tap), queue_size=N, packed=on, offload_tso=, offload_ufo=,\n"
	"                     offload_csum=off, limits bw_size=, bw_refill_time= (ms),\n"
	"                     bw_one_time_burst=, ops_size= and so on, id=NAME; repeatable\n"
	"  --disk, --net vhost_user=on,socket=P  the same by a vhost-user back end of others that\n"
	"                     listens on unix socket P, such as qemu-storage-daemon or passt\n"
	"  --fs tag=NAME,socket=P  file system of a virtiofsd on unix socket P, up to 4 times\n"
	"  --serial MODE      tty (the default), file=F, pty (a new terminal; its path is logged),\n"
	"                     socket=P (a unix socket for one client at a time), null or off\n"
	"  --console MODE     virtio console: off (the default), tty, file=F, pty, socket=P or null\n"
	"  --rng src=F        entropy device, such as src=/dev/urandom\n"
	"  --balloon size=S   at level off: the guest does without S bytes; also deflate_on_oom=on,\n"
	"                     free_page_reporting=on (free pages go back to the host)\n"
	"  --vsock cid=N,socket=P  streams between guest and host: a client of unix socket P says\n"
	"                     `CONNECT port`, gets `OK port` and is connected to the guest; the guest\n"
	"                     reaches port N of CID 2 at unix socket P_N\n"
	"  --confidential L   auto (the default: the strongest that the host offers), off, soft,\n"
	"                     sw-protected, snp or tdx; see `cloister check`\n"
	"                     snp takes keys: policy=N, vcpu_type=M, expected_digest=HEX,\n"
	"                     id_block=F,id_auth=F,certs=F; tdx: expected_digest=HEX,owner=HEX,\n"
	"                     owner_config=HEX,quotes=S (unix socket or vsock:CID:PORT)\n"
	"  --firmware F       OVMF for levels snp and tdx; --kernel and the like are optional then\n"
	"  --host-data HEX    32 bytes for the reports of an snp guest\n"
	"  --mrconfigid HEX   48 bytes for the quotes of a tdx guest\n"
	"  --require L        refuse to run at less than this level\n"
	"  --report F         write a JSON report to F at the end and whenever SIGUSR1 comes\n"
	"  --timeline F       at the end draw what happened when: launch, first entry, the guest's milestones\n"
	"                     (first output, console lines, bytes written to port 0x80); F.svg: a picture,\n"
	"                     F.json: for chrome://tracing; may be given twice\n"
	"  --timeline-marker T  the first console line with text T is a milestone; repeatable\n"
	"  --sandbox MODE     strict, or best-effort where namespaces are forbidden\n"
	"  --seccomp MODE     a system call that a process or thread has no need for: true (the default):\n"
	"                     it is killed; log: the kernel logs the call; trap: the call is named on\n"
	"                     standard error; errno: the call fails; false: no filters\n"
	"  -v                 more log lines on standard error; twice for most\n"
	"\n"
	"Exit status: 0 the guest powered off; 1 the VM failed while it ran; 2 bad usage, bad input, or\n"
	"the host can't do what was asked; 3 the guest asked for a reset; 4 ended by SIGINT or SIGTERM.\n";

enum { RUN_RESET = 3, RUN_SIGNALLED = 4 };

struct run {
	struct vm_config config;
	struct vm *vm;
	struct loop *loop;
	const char *report; /* file name, NULL: none */
	struct run_timeline timeline;
	enum filter_mode seccomp;
	struct loop_source signals;
	struct terminal terminal;
};

/* run_flag() - one flag with its value. Return: 0 or -errno. */
static int run_flag(struct run *run, const char *name, const char *value, struct err *e)
{
	int rc;

	if (!strcmp(name, "report")) {
		run->report = value;
		return report_probe(value, e);
	}
	if (!strncmp(name, "timeline", 8))
		return run_timeline_flag(&run->timeline, name + 8, value, e);
	if (!strcmp(name, "seccomp"))
		return filter_mode_parse(&run->seccomp, value, e);
	rc = config_flag(&run->config, name, value, e);
	if (rc == -ENOENT)
		return err_set(e, EINVAL, "unknown flag --%s; see `cloister run --help`", name);
	return rc;
}

/* run_seen() - flags other than --disk, --net and --fs may be given once */
static int run_seen(const char **seen, size_t *n, size_t max, const char *name, struct err *e)
{
	for (size_t i = 0; i < *n; i++)
		if (!strcmp(seen[i], name))
			return err_set(e, EINVAL, "--%s: is given twice", name);
	if (strcmp(name, "disk") && strcmp(name, "net") && strcmp(name, "fs") &&
		strncmp(name, "timeline", 8) && *n < max)
		seen[(*n)++] = name;
	return 0;
}

/* run_parse() - `--flag value` or `--flag=value`; the strings of argv are cut in place */
static int run_parse(struct run *run, int argc, char **argv, struct err *e)
{
	const char *seen[32];
	size_t n_seen = 0;
	int rc = 0;

	for (int i = 1; i < argc && !rc; i++) {
		char *name = argv[i], *value;

		if (!strcmp(name, "-v")) {
			log_set_level(log_get_level() == LOG_WARN ? LOG_INFO : LOG_DEBUG);
			continue;
		}
		if (!strcmp(name, "--xcr0-preset")) { /* lab only: ref QEMU TCG's XSETBV */
			run->config.xcr0_preset = true;
			continue;
		}
		if (strncmp(name, "--", 2))
			return err_set(e, EINVAL, "unexpected argument '%s'", name);
		name += 2;
		value = strchr(name, '=');
		if (value)
			*value++ = '\0';
		else if (i + 1 < argc)
			value = argv[++i];
		else
			return err_set(e, EINVAL, "--%s: needs a value", name);
		rc = run_seen(seen, &n_seen, ARRAY_SIZE(seen), name, e);
		if (!rc)
			rc = run_flag(run, name, value, e);
	}
	return rc ? rc : config_check(&run->config, e);
}

static void run_report(struct run *run)
{
	struct err e = ERR_INIT;

	if (run->report && report_write(run->vm, run->report, &e))
		log_error("report", "%s", e.text);
}

static void run_signal(void *ctx, uint32_t events)
{
	struct signalfd_siginfo info;
	struct run *run = ctx;

	(void)events;
	if (read(run->signals.fd, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return;
	if (info.ssi_signo == SIGUSR1)
		run_report(run);
	else
		vm_end(run->vm, VM_STOPPED, "signal");
}

/* run_block_signals() - they come by descriptor; blocked before the first thread exists */
static int run_block_signals(struct run *run, struct err *e)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	run->signals = (struct loop_source){.fn = run_signal, .ctx = run};
	run->signals.fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return run->signals.fd < 0 ? err_sys(e, errno, "signalfd") : 0;
}

static int run_status(const struct run *run)
{
	switch (run->vm->end) {
	case VM_POWEROFF:
		return CLI_OK;
	case VM_RESET:
		return RUN_RESET;
	case VM_STOPPED:
		return RUN_SIGNALLED;
	default:
		fprintf(stderr, "cloister run: the VM failed: %s\n", run->vm->end_text);
		return CLI_REFUSED;
	}
}

/* run_spawner_end() - closing its socket ends the spawner and with it all device processes */
static void run_spawner_end(int *sock, pid_t pid)
{
	fd_drop(sock);
	while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

static void run_ended(void *ctx)
{
	struct run *run = ctx;

	vm_stop(run->vm);
	loop_stop(run->loop);
}

static int run_create(struct run *run, int spawner, struct err *e)
{
	struct vm_desc desc = {
		.config = &run->config,
		.spawner = spawner,
		.loop = run->loop,
		.ended = run_ended,
		.ctx = run,
		.seccomp = run->seccomp,
	};
	int rc = run_timeline_begin(&run->timeline, e);

	desc.timeline = run->timeline.timeline;
	if (!rc)
		rc = vm_create(&run->vm, &desc, e);
	return rc ? rc : loop_add(run->loop, &run->signals, EPOLLIN, e);
}

/* run_start() - jail, vCPU threads (which load their filter), our own filter; then the guest runs
 */
static int run_start(const struct run *run, struct err *e)
{
	const struct sandbox_desc desc = {
		.role = run->report ? FILTER_REPORTER : FILTER_RUN,
		.seccomp = run->seccomp,
		.best_effort = run->config.sandbox.mode == SANDBOX_BEST_EFFORT,
		.report = run->report,
		.sockets = {run->config.serial.socket, run->config.console.socket},
	};

	int rc = sandbox_jail(&desc, e);

	if (!rc)
		rc = vm_start(run->vm, e);
	if (!rc)
		rc = sandbox_filter(&desc, e);
	if (!rc)
		vm_resume(run->vm);
	return rc;
}

/* run_until_end() - with the terminal as the guest needs it */
static int run_until_end(struct run *run, struct err *e)
{
	int rc;

	log_info("run", "level %s: %s", run->vm->type->name, run->vm->type->label);
	terminal_raw(&run->terminal,
		run->config.serial.mode == STREAM_TTY || run->config.console.mode == STREAM_TTY);
	rc = run_start(run, e);
	if (!rc && (rc = loop_run(run->loop)))
		err_sys(e, -rc, "event loop");
	terminal_restore(&run->terminal);
	return rc;
}

/* run_vm() - everything after the flags. Return: the exit status, or -errno with a message. */
static int run_vm(struct run *run, struct err *e)
{
	int spawner = -1;
	pid_t spawner_pid = -1;
	int rc = spawner_start(&spawner, &spawner_pid, run->seccomp, e);

	if (!rc)
		rc = run_block_signals(run, e);
	if (!rc)
		rc = loop_create(&run->loop, e);
	if (!rc)
		rc = run_create(run, spawner, e);
	if (!rc)
		rc = run_until_end(run, e);
	if (!rc) {
		run_report(run);
		run_timeline_end(&run->timeline, run->vm);
		rc = run_status(run);
	}
	vm_destroy(run->vm);
	run_timeline_forget(&run->timeline);
	run_spawner_end(&spawner, spawner_pid);
	loop_destroy(run->loop);
	fd_drop(&run->signals.fd);
	return rc;
}

/* run_next_fd() - Return: the least descriptor above fd that a flag named, or -1 */
static int run_next_fd(const struct vm_config *c, int fd)
{
	int next = -1;

	for (unsigned int i = 0; i < c->n_nics; i++)
		for (unsigned int j = 0; j < c->nics[i].n_fds; j++) {
			int one = c->nics[i].fds[j];

			if (one > fd && (next < 0 || one < next))
				next = one;
		}
	return next;
}

/* run_close_others() - what a careless parent left open, and no flag named, is not ours to keep */
static void run_close_others(const struct vm_config *c)
{
	int last = STDERR_FILENO, next;

	do {
		next = run_next_fd(c, last);
		if (next != last + 1)
			close_range(
				(unsigned int)last + 1, next < 0 ? ~0u : (unsigned int)next - 1, 0);
		last = next;
	} while (last >= 0);
}

int cli_run(int argc, char **argv)
{
	struct run run = {.signals.fd = -1};
	struct err e = ERR_INIT;
	int rc;

	for (int i = 1; i < argc; i++)
		if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h")) {
			fputs(help, stdout);
			return CLI_OK;
		}
	config_init(&run.config);
	rc = run_parse(&run, argc, argv, &e);
	run_close_others(&run.config);
	if (!rc)
		rc = run_vm(&run, &e);
	if (rc < 0)
		fprintf(stderr, "cloister run: %s\n", e.text);
	config_fini(&run.config);
	return rc < 0 ? CLI_USAGE : rc;
}
