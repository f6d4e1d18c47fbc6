/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench-watch METRIC COMMAND...: run a VMM once on a lab host and say what METRIC was, as
 * "watch: NAME VALUE" lines on standard output. The VMM is ended there.
 *
 *     entry   nanoseconds from exec to the first KVM_RUN
 *     calls   system calls of all its processes until then
 *     up      nanoseconds from exec until the guest says "bench: up"; then the memory that each
 *             process of the VMM uses beside guest RAM (bytes of PSS), and their threads
 *     exits   VM exits until the guest says that
 *     guest   nothing; the guest's own "bench:" lines pass through until it says "bench: done"
 *     net     the same, and this is the host's end of tap0 (guests/bench/link.h)
 *
 * Each metric is a run of its own, since tracing slows what it watches. Needs tracefs; on a machine
 * that counts instructions as time (tests/lab), nanoseconds are instructions.
 */
#include "guests/bench/link.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define TRACE   "/sys/kernel/tracing/instances/bench"
#define RAM_MIN (64ULL << 20) /* a mapping this large is guest RAM */
#define LIMIT   60 /* seconds; a run takes ten */
#define TAP     "tap0"

struct vmm {
	pid_t pid;
	int out;                    /* its standard output */
	int go;                     /* written to: exec */
	volatile uint64_t *exec_ns; /* when it was executed */
};

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "bench-watch: %s: %s\n", what, strerror(errno));
	exit(2);
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000U + (uint64_t)t.tv_nsec;
}

static void trace_set(const char *file, const char *text)
{
	char path[200];
	int fd;

	snprintf(path, sizeof(path), TRACE "/%s", file);
	fd = open(path, O_WRONLY | O_TRUNC);
	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		die(path);
	close(fd);
}

static FILE *trace_open(const char *file)
{
	char path[200];
	FILE *f;

	snprintf(path, sizeof(path), TRACE "/%s", file);
	f = fopen(path, "r");
	if (!f)
		die(path);
	return f;
}

/* A fresh trace: no events, readers woken by the first. */
static void trace_begin(void)
{
	rmdir(TRACE);
	if (mkdir(TRACE, 0700))
		die(TRACE);
	trace_set("trace_clock", "mono");
	trace_set("buffer_percent", "0");
	trace_set("buffer_size_kb", "8192");
}

/* The child waits for `go`, so that tracing can be set up for its very number. */
static void vmm_fork(struct vmm *v, char **command)
{
	int out[2], go[2];
	char byte;

	v->exec_ns = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (pipe(out) || pipe2(go, O_CLOEXEC))
		die("pipe");
	v->pid = fork();
	if (v->pid < 0)
		die("fork");
	if (!v->pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(out[1], STDOUT_FILENO);
		close(out[0]);
		close(out[1]);
		if (read(go[0], &byte, 1) != 1)
			_exit(127);
		*v->exec_ns = now_ns();
		execvp(command[0], command);
		die(command[0]);
	}
	close(out[1]);
	close(go[0]);
	v->out = out[0];
	v->go = go[1];
}

static void vmm_go(struct vmm *v)
{
	if (write(v->go, "g", 1) != 1)
		die("go");
}

/* The alarm's: reading ends, and what the VM said last is shown. */
static void too_long(int number)
{
	static const char said[] = "bench-watch: too long\n";

	(void)number;
	if (write(STDERR_FILENO, said, sizeof(said) - 1) < 0)
		_exit(2);
}

/* Read the console until a line has `text`; lines of the guest are shown if `show`. */
static bool vmm_says(struct vmm *v, const char *text, bool show)
{
	static char buf[1U << 20];
	size_t have = 0, line = 0;
	ssize_t n;

	while (have < sizeof(buf) - 1 &&
		(n = read(v->out, buf + have, sizeof(buf) - 1 - have)) > 0) {
		have += (size_t)n;
		buf[have] = 0;
		for (char *end; (end = strchr(buf + line, '\n')); line = (size_t)(end - buf) + 1) {
			*end = 0;
			if (show && (strstr(buf + line, "bench: ") || strstr(buf + line, "FAILED")))
				printf("%s\n", buf + line);
			if (strstr(buf + line, text))
				return true;
		}
	}
	fprintf(stderr, "bench-watch: the VMM ended early; its last words:\n%s\n",
		have > 2000 ? buf + have - 2000 : buf);
	return false;
}

static void vmm_end(struct vmm *v)
{
	kill(v->pid, SIGKILL);
	waitpid(v->pid, NULL, 0);
}

/* The time stamp of a trace line "  comm-pid [cpu] flags seconds.micros: event: ..." */
static uint64_t line_ns(const char *line, const char *event)
{
	const char *at = strstr(line, event);
	unsigned long long seconds, micros;

	while (at > line && at[-1] == ' ')
		at--;
	while (at > line && at[-1] != ' ')
		at--;
	if (sscanf(at, "%llu.%6llu", &seconds, &micros) != 2)
		return 0;
	return seconds * 1000000000U + micros * 1000U;
}

/* Read the trace until the first KVM_RUN. Return: lines before it. */
static uint64_t trace_entry(struct vmm *v, uint64_t *at_ns)
{
	FILE *trace = trace_open("trace_pipe");
	char *line = NULL;
	uint64_t before = 0;
	size_t room = 0;

	trace_set("events/kvm/kvm_entry/enable", "1");
	vmm_go(v);
	for (;; before++) {
		if (getline(&line, &room, trace) <= 0)
			die("no KVM_RUN");
		if (strstr(line, "kvm_entry:"))
			break;
	}
	*at_ns = line_ns(line, "kvm_entry:");
	free(line);
	return before;
}

static bool watch_entry(struct vmm *v)
{
	uint64_t at;

	trace_entry(v, &at);
	printf("watch: entry %llu\n", (unsigned long long)(at - *v->exec_ns));
	return true;
}

static bool watch_calls(struct vmm *v)
{
	char pid[32];
	uint64_t at, calls;

	snprintf(pid, sizeof(pid), "%d", (int)v->pid);
	trace_set("set_event_pid", pid);
	trace_set("options/event-fork", "1");
	trace_set("events/raw_syscalls/sys_enter/enable", "1");
	calls = trace_entry(v, &at);
	printf("watch: calls %llu\n", (unsigned long long)calls);
	return true;
}

/* Threads and the PSS of all mappings but guest RAM. */
static void show_process(pid_t pid)
{
	unsigned long long from, to, kib, sum = 0, threads = 0;
	char path[64], line[512], comm[32] = "?";
	bool ram = false;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/smaps", (int)pid);
	f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%llx-%llx ", &from, &to) == 2)
			ram = to - from >= RAM_MIN || strstr(line, "kvm-gmem") ||
				strstr(line, "memfd:private") || strstr(line, "guest-shared");
		else if (!ram && sscanf(line, "Pss: %llu kB", &kib) == 1)
			sum += kib << 10;
	}
	if (f)
		fclose(f);
	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f)) {
		sscanf(line, "Name: %31s", comm);
		sscanf(line, "Threads: %llu", &threads);
	}
	if (f)
		fclose(f);
	printf("watch: memory-%s %llu\n", comm, sum);
	printf("watch: threads-%s %llu\n", comm, threads);
}

static void show_tree(pid_t pid)
{
	char path[64];
	FILE *children;
	int child;

	show_process(pid);
	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)pid, (int)pid);
	children = fopen(path, "r");
	while (children && fscanf(children, "%d", &child) == 1)
		show_tree(child);
	if (children)
		fclose(children);
}

static bool watch_up(struct vmm *v)
{
	vmm_go(v);
	if (!vmm_says(v, "bench: up", false))
		return false;
	printf("watch: up %llu\n", (unsigned long long)(now_ns() - *v->exec_ns));
	show_tree(v->pid);
	return true;
}

static bool watch_exits(struct vmm *v)
{
	unsigned long long hits = 0, one;
	char line[512];
	FILE *hist;

	trace_set("events/kvm/kvm_exit/trigger", "hist:keys=exit_reason");
	vmm_go(v);
	if (!vmm_says(v, "bench: up", false))
		return false;
	hist = trace_open("events/kvm/kvm_exit/hist");
	while (fgets(line, sizeof(line), hist)) {
		char *at = strstr(line, "hitcount:");

		if (at && sscanf(at, "hitcount: %llu", &one) == 1)
			hits += one;
	}
	fclose(hist);
	printf("watch: exits %llu\n", hits);
	return true;
}

static bool watch_guest(struct vmm *v)
{
	vmm_go(v);
	return vmm_says(v, "bench: done", true);
}

/* Make the tap that VMMs find by its name; it stays. */
static void tap_make(void)
{
	struct ifreq tap = {.ifr_name = TAP, .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR};
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

	if (fd < 0 || ioctl(fd, TUNSETIFF, &tap) || ioctl(fd, TUNSETPERSIST, 1))
		die("/dev/net/tun");
	close(fd);
	if (link_up(TAP, LINK_HOST))
		die(TAP);
}

/* The host's end: a process of its own, which serves one connection after another. */
static pid_t link_serve(void)
{
	struct sockaddr_storage host;
	int sock = link_socket(&host), one;
	pid_t pid;

	if (bind(sock, (struct sockaddr *)&host, sizeof(struct sockaddr_in)) || listen(sock, 1))
		die("listen");
	pid = fork();
	if (pid < 0)
		die("fork");
	if (pid) {
		close(sock);
		return pid;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while ((one = accept(sock, NULL, NULL)) >= 0) {
		bool ok = true;

		setsockopt(one, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
		for (unsigned int i = 0; ok && i < LINK_TRIPS; i++)
			ok = !link_move(one, 1, false) && !link_move(one, 1, true);
		if (ok && !link_move(one, LINK_BYTES, false) && !link_move(one, 1, true) &&
			!link_move(one, LINK_BYTES, true))
			(void)link_move(one, 1, false); /* until the guest closes */
		close(one);
	}
	die("accept");
}

static bool watch_net(struct vmm *v)
{
	pid_t server;
	bool done;

	tap_make();
	server = link_serve();
	done = watch_guest(v);
	kill(server, SIGKILL);
	waitpid(server, NULL, 0);
	return done;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		bool (*watch)(struct vmm *);
	} metrics[] = {{"entry", watch_entry}, {"calls", watch_calls}, {"up", watch_up},
		{"exits", watch_exits}, {"guest", watch_guest}, {"net", watch_net}};
	struct vmm v;
	bool done;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc < 3)
		return 2;
	for (size_t i = 0; i < sizeof(metrics) / sizeof(metrics[0]); i++) {
		if (strcmp(argv[1], metrics[i].name))
			continue;
		sigaction(SIGALRM, &(struct sigaction){.sa_handler = too_long}, NULL);
		alarm(LIMIT);
		trace_begin();
		vmm_fork(&v, argv + 2);
		done = metrics[i].watch(&v);
		vmm_end(&v);
		return done ? 0 : 2;
	}
	fprintf(stderr, "bench-watch: no metric %s\n", argv[1]);
	return 2;
}
