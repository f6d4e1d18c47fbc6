/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the sandbox costs a start until the first KVM_RUN, as CPU time: each process and thread of a
 * VM with a disk confines itself here, in a child for each round, as the product does it; what a
 * child costs that does not is taken off. The least of the rounds counts, as other work on the
 * machine only adds. The end of the namespaces is in it, though in a VM it comes later.
 */
#include "base/fd.h"
#include "seccomp/jail.h"
#include "seccomp/landlock.h"
#include "seccomp/privilege.h"
#include "seccomp/program.h"
#include "tests/unit/unit.h"

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROUNDS   60
#define LIMIT_NS 2000000u

/* A party of a start: what it does to confine itself. */
struct party {
	const char *name;
	int (*confine)(struct err *e);
	bool jailed; /* forked into namespaces: what that costs beyond fork() counts */
	bool thread; /* its filter knows no exit_group() */
};

/* cpu_ns() - CPU time of who, which the kernel has in microseconds of what the scheduler counts */
static uint64_t cpu_ns(int who)
{
	struct rusage u;
	int64_t us;

	getrusage(who, &u);
	us = (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000000 + u.ru_utime.tv_usec +
		u.ru_stime.tv_usec;
	return (uint64_t)us * 1000;
}

static int confine_spawner(struct err *e)
{
	const struct jail jail = {.tag = "cost"};
	const uint64_t caps = privilege_bit(CAP_SYS_ADMIN) | privilege_bit(CAP_SYS_CHROOT) |
		privilege_bit(CAP_SETPCAP);

	if (jail_confine(&jail, NULL, caps, e) < 0)
		return -e->code;
	return program_load(FILTER_SPAWNER, FILTER_KILL, e);
}

static int confine_monitor(struct err *e)
{
	const struct landlock rights = {.deny = LANDLOCK_ALL};
	const struct jail jail = {.tag = "cost"};

	if (jail_confine(&jail, &rights, 0, e) < 0)
		return -e->code;
	return program_load(FILTER_RUN, FILTER_KILL, e);
}

static int confine_vcpu(struct err *e)
{
	return program_load(FILTER_VCPU, FILTER_KILL, e);
}

static int confine_courier(struct err *e)
{
	return program_load(FILTER_COURIER, FILTER_KILL, e);
}

static int confine_disk(struct err *e)
{
	const struct jail jail = {.tag = "cost", .max_fds = 64};

	if (jail_enter(&jail, e) < 0)
		return -e->code;
	return program_load(FILTER_BLK, FILTER_KILL, e);
}

static const struct party parties[] = {
	{"spawner", confine_spawner, false, false},
	{"monitor, main thread", confine_monitor, false, false},
	{"monitor, vCPU thread", confine_vcpu, false, true},
	{"monitor, courier thread", confine_courier, false, true},
	{"device process (blk)", confine_disk, true, false},
};

static void child(const struct party *p, bool confined)
{
	struct err e = ERR_INIT;

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	syscall(p->thread ? SYS_exit : SYS_exit_group, confined && p->confine(&e) < 0);
}

/* round_ns() - CPU time of a child from its birth to its end, its maker's included; 0: it failed */
static uint64_t round_ns(const struct party *p, bool confined)
{
	const struct jail jail = {.tag = "cost"};
	uint64_t before = cpu_ns(RUSAGE_SELF) + cpu_ns(RUSAGE_CHILDREN);
	struct err e = ERR_INIT;
	int pidfd = -1, status;
	pid_t pid = confined && p->jailed ? jail_fork(&jail, &pidfd, &e) : fork();

	if (pid == 0)
		child(p, confined);
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status)
		return 0;
	fd_drop(&pidfd);
	return cpu_ns(RUSAGE_SELF) + cpu_ns(RUSAGE_CHILDREN) - before;
}

static void sandbox_costs_little_cpu_time(void **state)
{
	uint64_t sum = 0;

	(void)state;
	if (filter_is_lax(FILTER_SPAWNER))
		skip(); /* the sanitizer's own work counts */
	for (size_t i = 0; i < ARRAY_SIZE(parties); i++) {
		uint64_t least[2] = {UINT64_MAX, UINT64_MAX};

		for (int round = 0; round < 2 * ROUNDS; round++) {
			uint64_t ns = round_ns(&parties[i], round % 2);

			if (!ns)
				skip(); /* no user namespaces here */
			least[round % 2] = ns < least[round % 2] ? ns : least[round % 2];
		}
		least[1] -= least[0] < least[1] ? least[0] : least[1];
		print_message(
			"%s: %llu us\n", parties[i].name, (unsigned long long)least[1] / 1000);
		sum += least[1];
	}
	print_message("all: %llu us of CPU\n", (unsigned long long)sum / 1000);
	assert_in_range(sum, 50000, LIMIT_NS);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(sandbox_costs_little_cpu_time),
};
UNIT_MAIN(tests)
