/* SPDX-License-Identifier: Apache-2.0 */
#include "seccomp/filter.h"

#include "tests/unit/unit.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* run() - do one thing in a child of that role. Return: its wait status. */
static int run(enum filter_role role, enum filter_mode mode, void (*act)(void))
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		struct err e = ERR_INIT;

		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
		if (filter_load(role, mode, &e) < 0)
			syscall(SYS_exit_group, 99);
		act();
		syscall(SYS_exit_group, 7);
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void do_nothing(void)
{
}

static void do_write(void)
{
	syscall(SYS_write, -1, "", 0);
}

static void do_open(void)
{
	syscall(SYS_openat, AT_FDCWD, "/etc/passwd", O_RDONLY);
}

static void do_socket(void)
{
	syscall(SYS_socket, AF_UNIX, SOCK_STREAM, 0);
}

static void do_exec(void)
{
	syscall(SYS_execve, "/bin/true", NULL, NULL);
}

static void do_fork(void)
{
	syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
}

static void do_ptrace(void)
{
	syscall(SYS_ptrace, 0, 0, 0, 0);
}

static void do_kill(void)
{
	syscall(SYS_kill, 1, 0);
}

static void do_map_code(void)
{
	syscall(SYS_mmap, 0, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void do_map_data(void)
{
	syscall(SYS_mmap, 0, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void do_make_code(void)
{
	syscall(SYS_mprotect, 0, 4096, PROT_EXEC);
}

static void do_new_ring(void)
{
	syscall(SYS_io_uring_setup, 1, NULL);
}

static void do_ring(void)
{
	syscall(SYS_io_uring_enter, -1, 0, 0, 0, NULL, 0);
}

static void do_forget(void)
{
	syscall(SYS_madvise, 0, 0, MADV_DONTNEED);
}

static void filter_kills_when_call_is_not_in_role(void **state)
{
	static void (*const forbidden[])(void) = {do_open, do_socket, do_exec, do_fork, do_ptrace,
		do_kill, do_map_code, do_make_code, do_new_ring, do_forget};

	(void)state;
	for (enum filter_role role = 0; role < FILTER_ROLES; role++)
		for (size_t i = 0; i < ARRAY_SIZE(forbidden); i++) {
			int status = run(role, FILTER_KILL, forbidden[i]);

			if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGSYS)
				fail_msg("role %d, call %zu: wait status %x", role, i, status);
		}
	assert_true(WIFSIGNALED(run(FILTER_RNG, FILTER_KILL, do_ring)));
}

static void filter_lets_pass_what_is_in_role(void **state)
{
	(void)state;
	for (enum filter_role role = 0; role < FILTER_ROLES; role++) {
		assert_int_equal(WEXITSTATUS(run(role, FILTER_KILL, do_nothing)), 7);
		assert_int_equal(WEXITSTATUS(run(role, FILTER_KILL, do_write)), 7);
		assert_int_equal(WEXITSTATUS(run(role, FILTER_KILL, do_map_data)), 7);
	}
	assert_int_equal(WEXITSTATUS(run(FILTER_BLK, FILTER_KILL, do_ring)), 7);
}

static void filter_only_logs_when_told_so(void **state)
{
	(void)state;
	assert_int_equal(WEXITSTATUS(run(FILTER_BLK, FILTER_LOG, do_open)), 7);
}

static void filter_allows_a_device_at_most_20_calls(void **state)
{
	(void)state;
	for (enum filter_role role = 0; role < FILTER_ROLES; role++)
		assert_in_range(filter_size(role), 5, 20);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(filter_kills_when_call_is_not_in_role),
	cmocka_unit_test(filter_lets_pass_what_is_in_role),
	cmocka_unit_test(filter_only_logs_when_told_so),
	cmocka_unit_test(filter_allows_a_device_at_most_20_calls),
};
UNIT_MAIN(tests)
