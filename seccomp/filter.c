/* SPDX-License-Identifier: Apache-2.0 */
/* The table of roles and system calls; see seccomp/filter.h. */
#include "seccomp/filter.h"

#include <errno.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>

#define BIT(role) (1u << (role))
#define BLK       BIT(FILTER_BLK)
#define RNG       BIT(FILTER_RNG)
#define CONSOLE   BIT(FILTER_CONSOLE)
#define DEVICE    (BLK | RNG | CONSOLE)

struct filter_row {
	int call;
	unsigned int roles;
	const char *reason;
	/* One argument test, if mask is not 0: argument number `arg` & mask must be `value`. */
	unsigned int arg;
	uint64_t mask, value;
};

/* A row per system call and, where several values of an argument are right, per value. */
static const struct filter_row rows[] = {
	{SCMP_SYS(epoll_wait), DEVICE, "the loop waits"},
	{SCMP_SYS(epoll_ctl), DEVICE, "kick descriptors come and go with messages"},
	{SCMP_SYS(recvmsg), DEVICE, "vhost-user messages and their descriptors"},
	{SCMP_SYS(sendmsg), DEVICE, "replies to them"},
	{SCMP_SYS(write), DEVICE, "call and err eventfds, log lines, console output"},
	{SCMP_SYS(newfstatat), DEVICE, "fstat() of a memory region, before it is mapped"},
	{SCMP_SYS(fstat), DEVICE, "the same in other C libraries"},
	{SCMP_SYS(mmap), DEVICE, "memory regions; never executable", 2, PROT_EXEC, 0},
	{SCMP_SYS(munmap), DEVICE, "memory regions that go"},
	{SCMP_SYS(madvise), DEVICE, "keep guest memory out of core files", 2, UINT32_MAX,
		MADV_DONTDUMP},
	{SCMP_SYS(close), DEVICE, "descriptors of messages"},
	{SCMP_SYS(exit_group), DEVICE, "the end"},
#ifdef __SANITIZE_ADDRESS__
	{SCMP_SYS(sigaltstack), DEVICE, "AddressSanitizer, before the end"},
#endif
	{SCMP_SYS(io_uring_enter), BLK, "disk operations; the ring itself is restricted"},
	{SCMP_SYS(readv), RNG | CONSOLE, "entropy and console input, straight to the guest"},
};

static int filter_add(scmp_filter_ctx ctx, const struct filter_row *row)
{
	struct scmp_arg_cmp test = {
		.arg = row->arg,
		.op = SCMP_CMP_MASKED_EQ,
		.datum_a = row->mask,
		.datum_b = row->value,
	};

	return seccomp_rule_add_array(ctx, SCMP_ACT_ALLOW, row->call, row->mask ? 1 : 0, &test);
}

int filter_load(enum filter_role role, enum filter_mode mode, struct err *e)
{
	scmp_filter_ctx ctx =
		seccomp_init(mode == FILTER_LOG ? SCMP_ACT_LOG : SCMP_ACT_KILL_PROCESS);
	int rc = 0;

	if (!ctx)
		return err_set(e, ENOMEM, "seccomp: no filter");
	for (size_t i = 0; rc == 0 && i < ARRAY_SIZE(rows); i++)
		if (rows[i].roles & BIT(role))
			rc = filter_add(ctx, &rows[i]);
	if (rc == 0)
		rc = seccomp_load(ctx);
	seccomp_release(ctx);
	return rc < 0 ? err_sys(e, -rc, "seccomp: loading the filter") : 0;
}

size_t filter_size(enum filter_role role)
{
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		bool again = i && rows[i].call == rows[i - 1].call;

		n += (rows[i].roles & BIT(role)) && !again;
	}
	return n;
}
