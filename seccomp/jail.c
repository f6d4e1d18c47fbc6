/* SPDX-License-Identifier: Apache-2.0 */
/* The jail of our processes; see seccomp/jail.h. */
#include "seccomp/jail.h"

#include "base/log.h"
#include "seccomp/filter.h"
#include "seccomp/landlock.h"
#include "seccomp/privilege.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define NAMESPACES                                                                                 \
	(CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP)
#define KEEP_MAX    24
#define PRIVATE_MAX (UINT64_C(256) << 20) /* bytes of private memory */

/* jail_miss() - a part of the jail can't be had. Return: 0 if that is allowed, else -errno in *e.
 */
static int jail_miss(const struct jail *jail, int code, const char *what, struct err *e)
{
	err_sys(e, code, "jail: %s", what);
	if (!jail->best_effort)
		return -code;
	log_warn(jail->tag, "best effort: going on without: %s", e->text);
	*e = (struct err)ERR_INIT;
	return 0;
}

static pid_t clone_into(uint64_t flags, int *pidfd)
{
	struct clone_args args = {
		.flags = flags | CLONE_PIDFD,
		.pidfd = (uint64_t)(uintptr_t)pidfd,
		.exit_signal = SIGCHLD,
	};
	long pid = syscall(SYS_clone3, &args, sizeof(args));

	return pid < 0 ? -errno : (pid_t)pid;
}

int jail_fork(const struct jail *jail, int *pidfd, struct err *e)
{
	pid_t pid = clone_into(NAMESPACES | CLONE_NEWUSER, pidfd);

	if (pid >= 0)
		return pid;
	if (jail_miss(jail, -pid, "user namespace", e) < 0)
		return -e->code;
	pid = clone_into(NAMESPACES, pidfd); /* works for root */
	if (pid >= 0)
		return pid;
	if (jail_miss(jail, -pid, "namespaces", e) < 0)
		return -e->code;
	pid = clone_into(0, pidfd);
	return pid < 0 ? err_sys(e, -pid, "clone3") : pid;
}

static int keep_least(const int *keep, size_t n, int above)
{
	int least = -1;

	for (size_t i = 0; i < n; i++)
		if (keep[i] > above && (least < 0 || keep[i] < least))
			least = keep[i];
	if (above < STDERR_FILENO && (least < 0 || least > STDERR_FILENO))
		least = STDERR_FILENO;
	return least;
}

int jail_close_fds(const int *keep, size_t n, struct err *e)
{
	int last = -1;

	if (n > KEEP_MAX)
		return err_set(e, EINVAL, "jail: too many descriptors to keep");
	for (;;) {
		int next = keep_least(keep, n, last);
		unsigned int to = next < 0 ? ~0u : (unsigned int)next - 1;

		/* from <= to fails only where nothing is between two kept ones */
		if ((unsigned int)(last + 1) <= to && next != 0 &&
			close_range((unsigned int)(last + 1), to, 0) < 0)
			return err_sys(e, errno, "jail: close_range");
		if (next < 0)
			return 0;
		last = next;
	}
}

/* jail_pivot() - make the working directory, a mount, the root, and forget the one before. */
static int jail_pivot(void)
{
	if (syscall(SYS_pivot_root, ".", ".") == 0)
		return umount2(".", MNT_DETACH);
	if (errno != EINVAL)
		return -1;
	/* The initial ramfs can't be pivoted away; cover it, as an initramfs does itself. */
	return mount(".", "/", NULL, MS_MOVE, NULL) < 0 ? -1 : chroot(".");
}

/* jail_root() - an empty file system that can't be written becomes the root. */
static int jail_root(void)
{
	const unsigned long flags = MS_NOSUID | MS_NODEV | MS_NOEXEC;

	/* Where the tmpfs is mounted does not matter: any directory that is always there. */
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
		mount("none", "/proc", "tmpfs", flags, "size=4k,nr_inodes=2,mode=0555") < 0 ||
		chdir("/proc") < 0 || jail_pivot() < 0 ||
		mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | flags, NULL) < 0 ||
		chdir("/") < 0)
		return -errno;
	return 0;
}

static int jail_limits(unsigned int max_fds)
{
	const struct {
		int what;
		uint64_t limit;
	} limits[] = {
		{RLIMIT_CORE, 0},
		{RLIMIT_MEMLOCK, 0},
		{RLIMIT_MSGQUEUE, 0},
		{RLIMIT_NOFILE, max_fds},
		/* Shared memory does not count, but what a sanitizer sets aside does. */
		{RLIMIT_DATA, filter_is_lax(FILTER_SPAWNER) ? RLIM_INFINITY : PRIVATE_MAX},
	};
	int rc = 0;

	for (size_t i = 0; i < ARRAY_SIZE(limits) && !rc; i++)
		rc = privilege_limit(limits[i].what, limits[i].limit);
	return rc;
}

/* jail_landlock() - where the kernel has none, that is no error. */
static int jail_landlock(const struct jail *jail, const struct landlock *l, struct err *e)
{
	int rc = landlock_enter(l);

	if (rc != -ENOSYS && rc != -EOPNOTSUPP)
		return rc ? jail_miss(jail, -rc, "Landlock", e) : 0;
	log_info(jail->tag, "no Landlock here (errno %d)", -rc);
	return 0;
}

int jail_confine(const struct jail *jail, const struct landlock *l, uint64_t caps, struct err *e)
{
	int rc;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_sys(e, errno, "jail: no_new_privs");
	if (l && jail_landlock(jail, l, e) < 0)
		return -e->code;
	rc = privilege_limit(RLIMIT_CORE, 0);
	if (!rc)
		rc = privilege_limit(RLIMIT_MSGQUEUE, 0);
	if (rc < 0 && jail_miss(jail, -rc, "resource limits", e) < 0)
		return -e->code;
	rc = privilege_keep(caps);
	if (rc < 0 && jail_miss(jail, -rc, "no capabilities", e) < 0)
		return -e->code;
	/* Last: a change of credentials resets it. */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return err_sys(e, errno, "jail: prctl");
	return 0;
}

int jail_enter(const struct jail *jail, struct err *e)
{
	const struct landlock nothing = {.deny = LANDLOCK_ALL, .deny_signals = true};
	int rc;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_sys(e, errno, "jail: no_new_privs");
	rc = jail_root();
	if (rc < 0 && jail_miss(jail, -rc, "empty root", e) < 0)
		return -e->code;
	if (jail_landlock(jail, &nothing, e) < 0)
		return -e->code;
	rc = jail_limits(jail->max_fds);
	if (rc < 0 && jail_miss(jail, -rc, "resource limits", e) < 0)
		return -e->code;
	rc = privilege_keep(0);
	if (rc < 0 && jail_miss(jail, -rc, "no capabilities", e) < 0)
		return -e->code;
	/* Last: changes of credentials reset both. */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return err_sys(e, errno, "jail: prctl");
	return 0;
}
