/* SPDX-License-Identifier: Apache-2.0 */
/* Compiled filters; see seccomp/program.h. */
#include "seccomp/program.h"

#include "base/fd.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

struct program {
	struct sock_fprog prog;
	struct sock_filter code[];
};

static const uint32_t actions[] = {
	[FILTER_KILL] = SCMP_ACT_KILL_PROCESS,
	[FILTER_LOG] = SCMP_ACT_LOG,
	[FILTER_TRAP] = SCMP_ACT_TRAP,
	[FILTER_ERRNO] = SCMP_ACT_ERRNO(EPERM),
};

static int program_add(scmp_filter_ctx ctx, const struct filter_row *row, enum filter_mode mode)
{
	struct scmp_arg_cmp test = {
		.arg = row->arg,
		.op = SCMP_CMP_MASKED_EQ,
		.datum_a = row->mask,
		.datum_b = row->value,
	};
	uint32_t action = row->refuse ? SCMP_ACT_ERRNO((uint32_t)row->refuse) : SCMP_ACT_ALLOW;

	if (action == actions[mode])
		return 0; /* libseccomp refuses a rule that says what is so anyway */
	return seccomp_rule_add_array(ctx, action, row->call, row->mask ? 1 : 0, &test);
}

/* program_rules() - the rows of a role, in libseccomp's hands. Return: NULL for lack of memory */
static scmp_filter_ctx program_rules(enum filter_role role, enum filter_mode mode)
{
	scmp_filter_ctx ctx = seccomp_init(filter_is_lax(role) ? SCMP_ACT_LOG : actions[mode]);
	const struct filter_row *row;
	int rc = ctx ? 0 : -ENOMEM;

	for (size_t i = 0; !rc && (row = filter_row(i)); i++)
		if (filter_applies(row, role))
			rc = program_add(ctx, row, mode);
	/* A vCPU's ioctl is the hottest call of all; a tree finds it fast, a list might not. */
	if (!rc)
		rc = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	if (rc && ctx) {
		seccomp_release(ctx);
		ctx = NULL;
	}
	return ctx;
}

/* program_read() - libseccomp can export to a descriptor only */
static int program_read(struct program **out, scmp_filter_ctx ctx)
{
	cleanup_fd int fd = memfd_create("filter", MFD_CLOEXEC);
	struct stat st;
	size_t len;
	int rc = fd < 0 ? -errno : seccomp_export_bpf(ctx, fd);

	if (rc < 0 || fstat(fd, &st) < 0)
		return rc < 0 ? rc : -errno;
	len = (size_t)st.st_size;
	*out = calloc(1, sizeof(**out) + len);
	if (!*out)
		return -ENOMEM;
	(*out)->prog.len = (unsigned short)(len / sizeof(struct sock_filter));
	(*out)->prog.filter = (*out)->code;
	lseek(fd, 0, SEEK_SET);
	return fd_read_full(fd, (*out)->code, len);
}

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

/* program_make() - compile; out NULL: enter at once. Return: 0 or -errno. */
static int program_make(struct program **out, enum filter_role role, enum filter_mode mode)
{
	scmp_filter_ctx ctx = program_rules(role, mode);
	int rc;

	if (!ctx)
		return -ENOMEM;
	if (mode == FILTER_TRAP)
		program_catch();
	rc = out ? program_read(out, ctx) : seccomp_load(ctx);
	seccomp_release(ctx);
	return rc;
}

int program_create(
	struct program **out, enum filter_role role, enum filter_mode mode, struct err *e)
{
	int rc;

	*out = NULL;
	rc = mode == FILTER_OFF ? 0 : program_make(out, role, mode);
	if (rc >= 0)
		return 0;
	program_destroy(*out);
	*out = NULL;
	return err_sys(e, -rc, "seccomp: compiling the filter of role %s", filter_role_name(role));
}

int program_load(enum filter_role role, enum filter_mode mode, struct err *e)
{
	int rc = mode == FILTER_OFF ? 0 : program_make(NULL, role, mode);

	if (rc >= 0)
		return 0;
	return err_sys(e, -rc, "seccomp: loading the filter of role %s", filter_role_name(role));
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
