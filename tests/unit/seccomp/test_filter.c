/* SPDX-License-Identifier: Apache-2.0 */
#include "seccomp/filter.h"

#include "seccomp/program.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* is_thread() - a role of threads that end alone: they can't end their process */
static bool is_thread(enum filter_role role)
{
	return role == FILTER_VCPU || role == FILTER_COURIER || role == FILTER_API ||
		role == FILTER_BUILDER || role == FILTER_DIALER;
}

/* run() - do one thing in a child of that role. Return: its wait status. */
static int run(enum filter_role role, enum filter_mode mode, void (*act)(void))
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		struct err e = ERR_INIT;

		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
		if (program_load(role, mode, &e) < 0)
			syscall(SYS_exit_group, 99);
		act();
		syscall(is_thread(role) ? SYS_exit : SYS_exit_group, 7);
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
	syscall(SYS_socket, AF_PACKET, SOCK_RAW, 0);
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

static void do_send(void)
{
	syscall(SYS_sendmsg, -1, NULL, 0);
}

static void do_new_ring(void)
{
	syscall(SYS_io_uring_setup, 1, NULL);
}

static void do_ring(void)
{
	syscall(SYS_io_uring_enter, -1, 0, 0, 0, NULL, 0);
}

static void do_unix_socket(void)
{
	syscall(SYS_socket, AF_UNIX, SOCK_STREAM, 0);
}

static void do_forget(void)
{
	syscall(SYS_madvise, 0, 0, MADV_REMOVE);
}

static void do_new_memory(void)
{
	syscall(SYS_memfd_create, "x", 0);
}

static void do_new_vm(void)
{
	syscall(SYS_ioctl, -1, KVM_CREATE_VM, 0);
}

static void do_run_guest(void)
{
	syscall(SYS_ioctl, -1, KVM_RUN, 0);
}

static void do_other_ioctl(void)
{
	syscall(SYS_ioctl, -1, KVM_GET_DIRTY_LOG, 0);
}

/* roles from..to-1 are killed by each of n calls */
static void all_killed(
	enum filter_role from, enum filter_role to, void (*const *calls)(void), size_t n)
{
	for (enum filter_role role = from; role < to; role++)
		for (size_t i = 0; i < n && !filter_is_lax(role); i++) {
			int status = run(role, FILTER_KILL, calls[i]);

			if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGSYS)
				fail_msg("role %s, call %zu: wait status %x",
					filter_role_name(role), i, status);
		}
}

static void filter_kills_any_role_when_it_starts_programs(void **state)
{
	static void (*const forbidden[])(void) = {
		do_exec, do_ptrace, do_socket, do_kill, do_map_code, do_make_code, do_other_ioctl};

	(void)state;
	all_killed(0, FILTER_ROLES, forbidden, ARRAY_SIZE(forbidden));
}

static void filter_kills_device_when_call_is_not_in_role(void **state)
{
	static void (*const forbidden[])(void) = {
		do_open, do_fork, do_new_ring, do_new_memory, do_run_guest, do_unix_socket};
	static void (*const forget[])(void) = {do_forget};

	(void)state;
	if (filter_is_lax(FILTER_BLK))
		skip(); /* nothing is forbidden */
	all_killed(0, FILTER_SPAWNER, forbidden, ARRAY_SIZE(forbidden));
	all_killed(0, FILTER_BALLOON, forget, 1); /* a balloon does just that */
	assert_true(WIFSIGNALED(run(FILTER_RNG, FILTER_KILL, do_ring)));
}

static void filter_kills_monitor_when_call_is_not_in_role(void **state)
{
	static void (*const started[])(void) = {
		do_fork, do_new_memory, do_new_ring, do_new_vm, do_unix_socket};
	static void (*const vcpu[])(void) = {do_open, do_map_data, do_send};
	static void (*const courier[])(void) = {do_open, do_map_data, do_forget};
	static void (*const main_thread[])(void) = {do_run_guest, do_map_data};

	(void)state;
	all_killed(FILTER_VCPU, FILTER_BUILDER, started, ARRAY_SIZE(started));
	all_killed(FILTER_VCPU, FILTER_COURIER, vcpu, ARRAY_SIZE(vcpu));
	all_killed(FILTER_COURIER, FILTER_RUN, courier, ARRAY_SIZE(courier));
	all_killed(FILTER_RUN, FILTER_API, main_thread, ARRAY_SIZE(main_thread));
	all_killed(FILTER_DIALER, FILTER_ROLES, started, ARRAY_SIZE(started) - 1); /* but sockets */
	all_killed(FILTER_DIALER, FILTER_ROLES, vcpu, ARRAY_SIZE(vcpu));
	if (filter_is_lax(FILTER_RUN))
		return;
	assert_true(WIFSIGNALED(run(FILTER_RUN, FILTER_KILL, do_open)));
	assert_true(WIFSIGNALED(run(FILTER_BUILDER, FILTER_KILL, do_fork)));
}

static void filter_lets_pass_what_is_in_role(void **state)
{
	(void)state;
	if (filter_is_lax(FILTER_BLK))
		skip(); /* nothing is forbidden */
	for (enum filter_role role = 0; role < FILTER_ROLES; role++) {
		assert_int_equal(WEXITSTATUS(run(role, FILTER_KILL, do_nothing)), 7);
		assert_int_equal(WEXITSTATUS(run(role, FILTER_KILL, do_write)), 7);
		if (role < FILTER_VCPU || (role >= FILTER_API && role != FILTER_DIALER))
			assert_int_equal(WEXITSTATUS(run(role, FILTER_KILL, do_map_data)), 7);
	}
	assert_int_equal(WEXITSTATUS(run(FILTER_BLK, FILTER_KILL, do_ring)), 7);
	assert_int_equal(WEXITSTATUS(run(FILTER_SPAWNER, FILTER_KILL, do_new_ring)), 7);
	assert_int_equal(WEXITSTATUS(run(FILTER_BUILDER, FILTER_KILL, do_new_vm)), 7);
	assert_int_equal(WEXITSTATUS(run(FILTER_REPORTER, FILTER_KILL, do_open)), 7);
}

static void filter_only_logs_when_told_so(void **state)
{
	(void)state;
	if (filter_is_lax(FILTER_BLK))
		skip(); /* nothing is forbidden */
	assert_int_equal(WEXITSTATUS(run(FILTER_BLK, FILTER_LOG, do_open)), 7);
	assert_int_equal(WEXITSTATUS(run(FILTER_BLK, FILTER_ERRNO, do_open)), 7);
	assert_int_equal(WEXITSTATUS(run(FILTER_BLK, FILTER_OFF, do_open)), 7);
}

static void filter_names_call_when_told_to_trap(void **state)
{
	char text[200] = "", want[64];
	int ends[2], before = dup(STDERR_FILENO), status;

	(void)state;
	if (filter_is_lax(FILTER_BLK))
		skip(); /* nothing is forbidden */
	assert_int_equal(pipe(ends), 0);
	dup2(ends[1], STDERR_FILENO);
	status = run(FILTER_BLK, FILTER_TRAP, do_open);
	dup2(before, STDERR_FILENO);
	close(ends[1]);
	close(before);
	assert_int_equal(WEXITSTATUS(status), 128 + SIGSYS);
	assert_true(read(ends[0], text, sizeof(text) - 1) > 0);
	close(ends[0]);
	snprintf(want, sizeof(want), "system call %d ", SYS_openat);
	assert_non_null(strstr(text, want));
	assert_non_null(strchr(text, '\n'));
}

static void do_refused(void)
{
	if (syscall(SYS_clone3, NULL, 0) == -1 && errno == ENOSYS)
		syscall(SYS_exit, 8);
}

static void filter_answers_when_call_is_refused(void **state)
{
	(void)state;
	if (filter_is_lax(FILTER_BLK))
		skip(); /* nothing is forbidden */
	assert_int_equal(WEXITSTATUS(run(FILTER_BUILDER, FILTER_KILL, do_refused)), 8);
}

static void filter_has_few_calls_per_role(void **state)
{
	(void)state;
	for (enum filter_role role = 0; role < FILTER_SPAWNER; role++)
		assert_in_range(filter_size(role), 5, 20);
	assert_in_range(filter_size(FILTER_VCPU), 8, 12);
	assert_in_range(filter_size(FILTER_COURIER), 8, 20);
	assert_in_range(filter_size(FILTER_DIALER), 5, 8);
	assert_in_range(filter_size(FILTER_RUN), 8, 35);
	assert_in_range(filter_size(FILTER_REPORTER), 8, 35);
	assert_in_range(filter_size(FILTER_DAEMON), 8, 35);
	assert_in_range(filter_size(FILTER_API), 8, 20);
	assert_in_range(filter_size(FILTER_BUILDER), 8, 53);
	/* What device processes need before their own filter is loaded is in it, too. */
	assert_in_range(filter_size(FILTER_SPAWNER), 8, 60);
	for (enum filter_role role = 0; role < FILTER_ROLES; role++)
		print_message("%s: %zu system calls\n", filter_role_name(role), filter_size(role));
}

static void filter_compiles_in_every_mode(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	for (enum filter_role role = 0; role < FILTER_ROLES; role++)
		for (enum filter_mode mode = FILTER_KILL; mode < FILTER_OFF; mode++) {
			struct program *p;

			assert_int_equal(program_create(&p, role, mode, &e), 0);
			assert_non_null(p);
			program_destroy(p);
		}
	signal(SIGSYS, SIG_DFL);
}

static void filter_mode_parse_knows_its_values(void **state)
{
	struct err e = ERR_INIT;
	enum filter_mode mode;

	(void)state;
	assert_int_equal(filter_mode_parse(&mode, "true", &e), 0);
	assert_int_equal(mode, FILTER_KILL);
	assert_int_equal(filter_mode_parse(&mode, "false", &e), 0);
	assert_int_equal(mode, FILTER_OFF);
	assert_int_equal(filter_mode_parse(&mode, "log", &e), 0);
	assert_int_equal(mode, FILTER_LOG);
	assert_int_equal(filter_mode_parse(&mode, "maybe", &e), -EINVAL);
	assert_non_null(strstr(e.text, "maybe"));
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(filter_kills_any_role_when_it_starts_programs),
	cmocka_unit_test(filter_kills_device_when_call_is_not_in_role),
	cmocka_unit_test(filter_kills_monitor_when_call_is_not_in_role),
	cmocka_unit_test(filter_lets_pass_what_is_in_role),
	cmocka_unit_test(filter_only_logs_when_told_so),
	cmocka_unit_test(filter_names_call_when_told_to_trap),
	cmocka_unit_test(filter_answers_when_call_is_refused),
	cmocka_unit_test(filter_has_few_calls_per_role),
	cmocka_unit_test(filter_compiles_in_every_mode),
	cmocka_unit_test(filter_mode_parse_knows_its_values),
};
UNIT_MAIN(tests)
