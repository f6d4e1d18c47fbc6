/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kill_at ROLE N COMMAND...: runs the command, a `cloister run`, and kills one of its processes
 * when that process makes its Nth system call, which is not made any more. ROLE is "monitor",
 * "spawner", or the number of a device process in the order of their birth, from 0 on.
 *
 * It traces all processes and threads until the last has ended, wherever their parents are, so that
 * none can be left behind unseen. Prints one line: "killed" or "ended", the calls that the role
 * made, the number of the last of them, and the wait status of the command. Fails if they don't end
 * in time.
 */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#define TIMEOUT 60 /* seconds for all of it */
#define TASKS   64
#define OPTIONS                                                                                    \
	(PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE |  \
		PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL)

enum { MONITOR = -2, SPAWNER = -1, OTHER = -3 };

struct task {
	pid_t tid, process;
	int role; /* number of a device process, or one of the above */
};

struct tracer {
	struct task tasks[TASKS]; /* all that there were */
	unsigned int n_tasks;
	int n_devices;
	pid_t monitor;
	int role;             /* to kill */
	unsigned long at;     /* its how manieth call */
	unsigned long calls;  /* that it made so far */
	unsigned long number; /* of the last one */
	bool killed;
	int status; /* of the monitor */
};

/* stat_field() - of /proc/TID/status. Return: 0 if it can't be read */
static pid_t stat_field(pid_t tid, const char *name)
{
	char path[64], line[256];
	size_t length = strlen(name);
	pid_t value = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", tid);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, name, length))
			value = atoi(line + length);
	if (f)
		fclose(f);
	return value;
}

static struct task *find(struct tracer *t, pid_t tid)
{
	for (unsigned int i = 0; i < t->n_tasks; i++)
		if (t->tasks[i].tid == tid)
			return &t->tasks[i];
	return NULL;
}

/* role_of() - of a process, by whose child it is */
static int role_of(struct tracer *t, pid_t process)
{
	struct task *parent = find(t, stat_field(process, "PPid:"));

	if (process == t->monitor)
		return MONITOR;
	if (parent && parent->role == MONITOR)
		return SPAWNER;
	return parent && parent->role == SPAWNER ? t->n_devices++ : OTHER;
}

/* known() - the task; when it is new, all that has to be found out */
static struct task *known(struct tracer *t, pid_t tid)
{
	struct task *task = find(t, tid);
	pid_t process;

	if (task)
		return task;
	if (t->n_tasks == TASKS) {
		fputs("too many tasks\n", stderr);
		exit(1);
	}
	process = stat_field(tid, "Tgid:");
	task = &t->tasks[t->n_tasks];
	*task = (struct task){.tid = tid, .process = process, .role = OTHER};
	if (process == tid)
		task->role = role_of(t, process);
	else if (find(t, process))
		task->role = find(t, process)->role;
	t->n_tasks++;
	return task;
}

/* count() - a task stopped at one of the ends of a call */
static void count(struct tracer *t, const struct task *task)
{
	struct __ptrace_syscall_info info;

	if (ptrace(PTRACE_GET_SYSCALL_INFO, task->tid, sizeof(info), &info) <= 0 ||
		info.op != PTRACE_SYSCALL_INFO_ENTRY)
		return;
	t->number = info.entry.nr;
	if (++t->calls == t->at) {
		kill(task->process, SIGKILL);
		t->killed = true;
	}
}

static void stopped(struct tracer *t, pid_t tid, int status)
{
	struct task *task = known(t, tid);
	int sig = WSTOPSIG(status);
	bool watch;

	if (sig == (SIGTRAP | 0x80))
		count(t, task);
	watch = task->role == t->role && !t->killed;
	if (sig == (SIGTRAP | 0x80) || status >> 16)
		sig = 0;
	ptrace(watch ? PTRACE_SYSCALL : PTRACE_CONT, tid, NULL, sig);
}

static void trace(struct tracer *t)
{
	int status;
	pid_t tid;

	while ((tid = waitpid(-1, &status, __WALL)) > 0)
		if (WIFSTOPPED(status))
			stopped(t, tid, status);
		else if (tid == t->monitor)
			t->status = status;
}

static pid_t start(char **command)
{
	pid_t child = fork();

	if (child)
		return child;
	raise(SIGSTOP);
	execvp(command[0], command);
	_exit(127);
}

int main(int argc, char **argv)
{
	struct tracer t = {0};
	int status;

	if (argc < 4)
		return 2;
	t.role = !strcmp(argv[1], "monitor")  ? MONITOR
		: !strcmp(argv[1], "spawner") ? SPAWNER
					      : atoi(argv[1]);
	t.at = strtoul(argv[2], NULL, 10);
	alarm(TIMEOUT); /* what is traced dies with its tracer */
	t.monitor = start(argv + 3);
	if (t.monitor < 0 || waitpid(t.monitor, &status, WUNTRACED) < 0 ||
		ptrace(PTRACE_SEIZE, t.monitor, NULL, OPTIONS)) {
		perror("start");
		return 1;
	}
	kill(t.monitor, SIGCONT);
	trace(&t);
	printf("%s %lu %lu %d\n", t.killed ? "killed" : "ended", t.calls, t.number, t.status);
	return 0;
}
