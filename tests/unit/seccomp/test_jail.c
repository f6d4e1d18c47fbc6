/* SPDX-License-Identifier: Apache-2.0 */
#include "seccomp/jail.h"

#include "base/fd.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

/* What a process in the jail finds, a bit each; sent over a pipe. */
enum {
	OPENED = 1,      /* a file, by path */
	SIGNALLED = 2,   /* its parent */
	SAW_FD = 4,      /* a descriptor that was not to be kept */
	SAW_PARENT = 8,  /* in its pid namespace */
	WROTE_ROOT = 16, /* made a file in its root */
};

static unsigned int look_around(pid_t parent, int planted)
{
	unsigned int seen = 0;

	if (open("/etc/passwd", O_RDONLY) >= 0 || open("/proc/self/maps", O_RDONLY) >= 0)
		seen |= OPENED;
	if (open("/new", O_RDWR | O_CREAT, 0600) >= 0)
		seen |= WROTE_ROOT;
	if (kill(parent, 0) == 0)
		seen |= SIGNALLED;
	if (fcntl(planted, F_GETFD) >= 0)
		seen |= SAW_FD;
	if (getppid() != 0)
		seen |= SAW_PARENT;
	return seen;
}

static void be_prisoner(const struct jail *jail, pid_t parent, int planted, int report)
{
	struct err e = ERR_INIT;
	unsigned int seen;

	if (jail_close_fds(&report, 1, &e) < 0 || jail_enter(jail, &e) < 0)
		_exit(e.code);
	seen = look_around(parent, planted);
	_exit(fd_write_full(report, &seen, sizeof(seen)) < 0);
}

static void jail_shows_nothing_of_the_world(void **state)
{
	const struct jail jail = {.tag = "test", .max_fds = 16};
	int planted = open("/dev/null", O_RDONLY), ends[2], pidfd, status;
	unsigned int seen = ~0u;
	struct err e = ERR_INIT;
	pid_t me = getpid(), pid;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	pid = jail_fork(&jail, &pidfd, &e);
	if (pid < 0)
		skip(); /* no user namespaces here: best effort is all there is */
	if (pid == 0)
		be_prisoner(&jail, me, planted, ends[1]);
	fd_drop(&ends[1]);
	assert_int_equal(fd_read_full(ends[0], &seen, sizeof(seen)), 0);
	assert_int_equal(seen, 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	/* The eyes themselves work: outside, all of it is seen but for the new file. */
	assert_int_equal(look_around(me, planted) & ~(unsigned int)WROTE_ROOT,
		OPENED | SIGNALLED | SAW_FD | SAW_PARENT);
	unlink("/new");
	fd_drop(&pidfd);
	fd_drop(&ends[0]);
	fd_drop(&planted);
}

/* jail_keeps() - which of descriptors 3 to 40 live on when keep[0..n-1] is kept, as bits. */
static uint64_t jail_keeps(const int *keep, size_t n)
{
	uint64_t alive = 0;
	int ends[2];
	pid_t pid;

	assert_int_equal(pipe(ends), 0);
	pid = fork();
	if (pid == 0) {
		int all[16], report = dup2(ends[1], 100);
		struct err e = ERR_INIT;

		for (int i = 3; i <= 40; i++)
			dup2(STDERR_FILENO, i);
		for (size_t i = 0; i < n; i++)
			all[i] = keep[i];
		all[n] = report;
		if (jail_close_fds(all, n + 1, &e) < 0)
			_exit(1);
		for (int i = 0; i <= 40; i++)
			alive |= (uint64_t)(fcntl(i, F_GETFD) >= 0) << i;
		_exit(fd_write_full(report, &alive, sizeof(alive)) < 0);
	}
	fd_drop(&ends[1]);
	assert_int_equal(fd_read_full(ends[0], &alive, sizeof(alive)), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	fd_drop(&ends[0]);
	return alive;
}

static void jail_closes_all_but_what_is_kept(void **state)
{
	static const int some[] = {40, 7, 8, 3, 7};
	static const int low[] = {0, 1, 4};

	(void)state;
	assert_int_equal(jail_keeps(NULL, 0), 1u << 2);
	assert_int_equal(
		jail_keeps(some, 5), 1u << 2 | 1u << 3 | 1u << 7 | 1u << 8 | UINT64_C(1) << 40);
	assert_int_equal(jail_keeps(low, 3), 1u | 1u << 1 | 1u << 2 | 1u << 4);
}

static void jail_dies_with_its_parent(void **state)
{
	const struct jail jail = {.tag = "test", .best_effort = true, .max_fds = 16};
	int ends[2], status;
	char byte;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	pid = fork();
	if (pid == 0) {
		struct err e = ERR_INIT;
		int pidfd;
		pid_t inner = jail_fork(&jail, &pidfd, &e);

		if (inner == 0) {
			if (jail_enter(&jail, &e) < 0 || fd_write_full(ends[1], "r", 1) < 0)
				_exit(1);
			for (;;)
				pause();
		}
		for (;;)
			pause();
	}
	fd_drop(&ends[1]);
	assert_int_equal(fd_read_full(ends[0], &byte, 1), 0);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	/* The pipe ends when its last writer, the prisoner, has died. */
	assert_int_equal(fd_read_full(ends[0], &byte, 1), -EPIPE);
	fd_drop(&ends[0]);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(jail_shows_nothing_of_the_world),
	cmocka_unit_test(jail_closes_all_but_what_is_kept),
	cmocka_unit_test(jail_dies_with_its_parent),
};
UNIT_MAIN(tests)
