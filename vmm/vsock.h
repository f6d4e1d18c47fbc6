/* SPDX-License-Identifier: Apache-2.0 */
/* struct vsock_config: what a user asks for with --vsock, the one vsock device of a VM. */
#ifndef VMM_VSOCK_H
#define VMM_VSOCK_H

#include "base/err.h"

#include <stdint.h>

#define VSOCK_SOCKET_MAX 107 /* characters of a unix socket's path: unix(7) */

struct vsock_config {
	char *socket; /* the host's clients connect to it; NULL: no device */
	uint64_t cid; /* the guest's */
	char *id;
};

/* vsock_check() - what can be said against it. Return: 0 or -EINVAL. */
int vsock_check(const struct vsock_config *v, struct err *e) MUST_CHECK;

#endif
