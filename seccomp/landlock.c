/* SPDX-License-Identifier: Apache-2.0 */
/* Landlock; see seccomp/landlock.h. */
#include "seccomp/landlock.h"

#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The kernel's struct landlock_ruleset_attr as of ABI 6; older kernels want the rest to be 0. */
struct ruleset {
	uint64_t fs;
	uint64_t net;    /* ABI 4: bind and connect TCP */
	uint64_t scoped; /* ABI 6: abstract unix sockets, signals */
};

#define NET_TCP         UINT64_C(3)
#define SCOPED_ABSTRACT UINT64_C(1)
#define SCOPED_SIGNALS  UINT64_C(2)

/* landlock_known() - what the kernel's ABI can be asked to deny */
static struct ruleset landlock_known(long abi)
{
	/* ABI 1 has 13 rights, 2 adds REFER, 3 TRUNCATE, 5 IOCTL_DEV. */
	static const uint64_t rights[] = {0, 0x1fff, 0x3fff, 0x7fff, 0x7fff, 0xffff};
	long last = (long)ARRAY_SIZE(rights) - 1;

	return (struct ruleset){
		.fs = rights[abi < last ? abi : last],
		.net = abi >= 4 ? NET_TCP : 0,
		.scoped = abi >= 6 ? SCOPED_ABSTRACT | SCOPED_SIGNALS : 0,
	};
}

static int landlock_allow(int ruleset, const struct landlock_place *p, uint64_t denied)
{
	cleanup_fd int dir = open(p->dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct landlock_path_beneath_attr rule = {
		.allowed_access = p->allow & denied, .parent_fd = dir};

	if (dir < 0 ||
		syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0))
		return -errno;
	return 0;
}

int landlock_enter(const struct landlock *l)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	struct ruleset attr;
	cleanup_fd int fd = -1;
	int rc = 0;

	if (abi < 1)
		return abi < 0 ? -errno : -EOPNOTSUPP;
	attr = landlock_known(abi);
	attr.fs &= l->deny;
	if (!l->deny_signals)
		attr.scoped &= ~SCOPED_SIGNALS;
	fd = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);
	if (fd < 0)
		return -errno;
	for (unsigned int i = 0; !rc && i < LANDLOCK_PLACES; i++)
		if (l->places[i].dir)
			rc = landlock_allow(fd, &l->places[i], attr.fs);
	if (!rc && syscall(SYS_landlock_restrict_self, fd, 0) < 0)
		rc = -errno;
	return rc;
}
