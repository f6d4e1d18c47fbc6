/* SPDX-License-Identifier: Apache-2.0 */
/* What a user asks for with --vsock; see vmm/vsock.h. */
#include "vmm/vsock.h"

#include <errno.h>
#include <string.h>

int vsock_check(const struct vsock_config *v, struct err *e)
{
	if (!v->socket && !v->cid && !v->id)
		return 0;
	if (!v->socket || !*v->socket)
		return err_set(e, EINVAL, "--vsock: needs socket=PATH");
	if (!v->cid)
		return err_set(e, EINVAL, "--vsock: needs cid=N, from 3 up");
	if (strlen(v->socket) > VSOCK_SOCKET_MAX)
		return err_set(e, EINVAL, "--vsock: socket '%.40s...' has more than %d characters",
			v->socket, VSOCK_SOCKET_MAX);
	return 0;
}
