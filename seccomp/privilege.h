/* SPDX-License-Identifier: Apache-2.0 */
/* Capabilities and resource limits: what a process gives up for good. */
#ifndef SECCOMP_PRIVILEGE_H
#define SECCOMP_PRIVILEGE_H

#include <stdint.h>

/* privilege_bit() - a capability of linux/capability.h in a set of them */
#define privilege_bit(cap) (UINT64_C(1) << (cap))

/*
 * privilege_keep() - drop all capabilities but those in a set, which stay if they were there.
 * The bounding set follows where that is allowed. Return: 0 or -errno.
 */
int privilege_keep(uint64_t set);

/* privilege_limit() - RLIMIT_what, soft and hard; more than the hard limit of now is cut to it.
 * Return: 0 or -errno. */
int privilege_limit(int what, uint64_t limit);

#endif
