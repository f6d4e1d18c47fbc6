/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A disk's device process in an attacker's hands: linked into a cloister of its own, it tries what
 * it can against host, monitor and ledger before it serves, and says how that went. evil.py judges.
 * Lines on standard error: "evil: WHAT refused" or "evil: WHAT SUCCEEDED", at the end "evil: done".
 * With EVIL_FLOOD=N in its environment it serves, and floods its descriptors from the N-th turn on.
 */
#include "base/loop.h"
#include "devices/back/blk.h"
#include "memory/ledger.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

int __real_blk_create(struct blk **out, const struct blk_config *config, struct err *e);
int __wrap_blk_create(struct blk **out, const struct blk_config *config, struct err *e);
int __real_ledger_map_open(struct ledger_map *map, int fd, struct err *e);
int __wrap_ledger_map_open(struct ledger_map *map, int fd, struct err *e);
int __real_loop_run(struct loop *loop);
int __wrap_loop_run(struct loop *loop);

static bool is_disk;
static int ledger = -1;
static void *ledger_at;
static size_t ledger_len;
static pid_t monitor;

static void __attribute__((constructor)) remember_monitor(void)
{
	monitor = getpid();
}

int __wrap_blk_create(struct blk **out, const struct blk_config *config, struct err *e)
{
	is_disk = true;
	return __real_blk_create(out, config, e);
}

int __wrap_ledger_map_open(struct ledger_map *map, int fd, struct err *e)
{
	int rc = __real_ledger_map_open(map, fd, e);

	ledger = fcntl(fd, F_DUPFD_CLOEXEC, 3); /* dup() is forbidden already */
	ledger_at = (void *)(uintptr_t)map->header;
	ledger_len = map->map_len;
	return rc;
}

/* Attempts. Return: 0 or more if it went well for the attacker. */

static long open_file(void)
{
	return open("/etc/passwd", O_RDONLY);
}

static long open_memory(void)
{
	return open("/proc/1/mem", O_RDWR);
}

static long make_file(void)
{
	return open("/new", O_RDWR | O_CREAT, 0600);
}

static long connect_tcp(void)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(22)};
	int s = socket(AF_INET, SOCK_STREAM, 0);

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return s < 0 ? -1 : connect(s, (struct sockaddr *)&to, sizeof(to));
}

static long trace(void)
{
	return ptrace(PTRACE_SEIZE, monitor, 0, 0);
}

static long send_signal(void)
{
	return kill(monitor, SIGTERM);
}

static long read_monitor(void)
{
	char byte;
	struct iovec to = {&byte, 1}, from = {(void *)(uintptr_t)&monitor, 1};

	return process_vm_readv(monitor, &to, 1, &from, 1, 0);
}

static long start_program(void)
{
	char *const none[] = {NULL};

	return execve("/bin/true", none, none);
}

static long mount_files(void)
{
	return mount("none", "/", "tmpfs", 0, NULL);
}

static long raise_limit(void)
{
	const struct rlimit more = {1 << 20, 1 << 20};

	return setrlimit(RLIMIT_NOFILE, &more);
}

static long take_memory(void)
{
	void *at =
		mmap(NULL, 1ul << 30, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return at == MAP_FAILED ? -1 : 0;
}

static long take_descriptors(void)
{
	long n = 0;

	while (n < 1000 && dup(STDERR_FILENO) >= 0)
		n++;
	for (int fd = 400; n && fd > 2; fd--)
		if (fd > 40)
			close(fd);
	return n == 1000 ? 0 : -1;
}

static long write_ledger(void)
{
	return pwrite(ledger, "\xff", 1, 0x1000);
}

static long map_ledger(void)
{
	void *at = mmap(NULL, 0x1000, PROT_READ | PROT_WRITE, MAP_SHARED, ledger, 0);

	return at == MAP_FAILED ? -1 : 0;
}

static long unprotect_ledger(void)
{
	return mprotect(ledger_at, ledger_len, PROT_READ | PROT_WRITE);
}

static long shrink_ledger(void)
{
	return ftruncate(ledger, 0);
}

static long make_code(void)
{
	void *at = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return at == MAP_FAILED ? -1 : 0;
}

static long make_process(void)
{
	return syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
}

static long make_ring(void)
{
	char params[256] = {0};

	return syscall(SYS_io_uring_setup, 1, params);
}

static const struct attempt {
	const char *what;
	long (*act)(void);
	bool filter_only; /* the jail alone does not forbid it */
} attempts[] = {
	{"open a file", open_file, false},
	{"open memory", open_memory, false},
	{"make a file", make_file, false},
	{"connect", connect_tcp, false},
	{"trace the monitor", trace, false},
	{"signal the monitor", send_signal, false},
	{"read the monitor", read_monitor, false},
	{"start a program", start_program, false},
	{"mount", mount_files, false},
	{"raise a limit", raise_limit, false},
	{"take 1 GiB", take_memory, false},
	{"take descriptors", take_descriptors, false},
	{"write the ledger", write_ledger, false},
	{"map the ledger for writing", map_ledger, false},
	{"make its mapping writable", unprotect_ledger, false},
	{"shrink the ledger", shrink_ledger, false},
	{"make code", make_code, true},
	{"make a process", make_process, true},
	{"make a ring without restrictions", make_ring, true},
};

static void say(const char *what, const char *how)
{
	char line[100];
	int n = snprintf(line, sizeof(line), "evil: %s%s\n", what, how);

	if (write(STDERR_FILENO, line, (size_t)n) < 0)
		return;
}

#define FLOOD_FDS   64
#define FLOOD_TIMES 1000

/* flood() - as much as goes into each descriptor at once, of what nobody asked for. */
static void flood(void)
{
	static char junk[4096];
	struct iovec iov = {junk, sizeof(junk)};
	const struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};

	memset(junk, 0x05, sizeof(junk));
	for (int fd = STDERR_FILENO + 1; fd < FLOOD_FDS; fd++)
		for (int i = 0; i < FLOOD_TIMES; i++)
			if (sendmsg(fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 &&
				(errno != ENOTSOCK || write(fd, &(uint64_t){1}, 8) < 0))
				break;
}

/* run_flooding() - serve, and flood after each thing that was done from the n-th on. */
static int run_flooding(struct loop *loop, int n)
{
	int rc = 0;

	while (!rc) {
		rc = loop_run_once(loop, 10);
		if (--n < 0)
			flood();
	}
	return rc;
}

int __wrap_loop_run(struct loop *loop)
{
	bool jail_only = getenv("EVIL_JAIL_ONLY");

	if (is_disk && getenv("EVIL_FLOOD"))
		return run_flooding(loop, atoi(getenv("EVIL_FLOOD")));
	for (size_t i = 0; is_disk && i < ARRAY_SIZE(attempts); i++)
		if (!jail_only || !attempts[i].filter_only)
			say(attempts[i].what, attempts[i].act() < 0 ? " refused" : " SUCCEEDED");
	if (is_disk)
		say("done", "");
	return __real_loop_run(loop);
}
