/* SPDX-License-Identifier: Apache-2.0 */
/* Filters, ready to enter; see seccomp/program.h. */
#include "seccomp/program.h"

#include "seccomp/program_code.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

struct program {
	struct sock_fprog prog;
	struct sock_filter code[];
};

/* What the kernel does where the filter says "kill". */
static const uint32_t actions[] = {
	[FILTER_KILL] = SECCOMP_RET_KILL_PROCESS,
	[FILTER_LOG] = SECCOMP_RET_LOG,
	[FILTER_TRAP] = SECCOMP_RET_TRAP,
	[FILTER_ERRNO] = SECCOMP_RET_ERRNO | EPERM,
};

/*
 * program_trapped() - mode FILTER_TRAP: say what the filter forbade, and end. Where the end itself
 * is forbidden, too, the kernel kills the process, as this signal is blocked now.
 */
static void program_trapped(int number, siginfo_t *info, void *context)
{
	const greg_t *regs = ((const ucontext_t *)context)->uc_mcontext.gregs;
	char text[160];
	int n = snprintf(text, sizeof(text),
		"cloister[seccomp]: system call %d (%#llx, %#llx, %#llx) is not in the role's table\n",
		info->si_syscall, (unsigned long long)regs[REG_RDI],
		(unsigned long long)regs[REG_RSI], (unsigned long long)regs[REG_RDX]);

	if (write(STDERR_FILENO, text, (size_t)n) >= 0)
		_exit(128 + number);
	_exit(128 + number);
}

static void program_catch(void)
{
	struct sigaction sa = {.sa_sigaction = program_trapped, .sa_flags = SA_SIGINFO};

	sigaction(SIGSYS, &sa, NULL);
}

const char *program_call_name(size_t i)
{
	return filter_call_names[i];
}

int program_create(
	struct program **out, enum filter_role role, enum filter_mode mode, struct err *e)
{
	const struct program_code *from = &program_codes[role];
	uint32_t action = filter_is_lax(role) ? SECCOMP_RET_LOG : actions[mode % FILTER_OFF];
	struct program *p;

	*out = NULL;
	if (mode == FILTER_OFF)
		return 0;
	p = calloc(1, sizeof(*p) + from->len * sizeof(*p->code));
	if (!p)
		return err_sys(e, ENOMEM, "seccomp: role %s", filter_role_name(role));
	p->prog = (struct sock_fprog){.len = from->len, .filter = p->code};
	memcpy(p->code, from->code, from->len * sizeof(*p->code));
	for (unsigned int i = 0; i < from->len; i++)
		if (p->code[i].code == (BPF_RET | BPF_K) &&
			p->code[i].k == SECCOMP_RET_KILL_PROCESS)
			p->code[i].k = action;
	if (mode == FILTER_TRAP)
		program_catch();
	*out = p;
	return 0;
}

int program_load(enum filter_role role, enum filter_mode mode, struct err *e)
{
	struct program *p;
	int rc = program_create(&p, role, mode, e);

	if (rc)
		return rc;
	rc = program_enter(p);
	program_destroy(p);
	if (rc)
		return err_sys(
			e, -rc, "seccomp: loading the filter of role %s", filter_role_name(role));
	return 0;
}

void program_destroy(struct program *p)
{
	free(p);
}

int program_enter(const struct program *p)
{
	if (!p)
		return 0;
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &p->prog) < 0 ? -errno : 0;
}
