/* SPDX-License-Identifier: Apache-2.0 */
/* The spawner's client; see devices/front/spawn_client.h. */
#include "devices/front/spawn_client.h"

#include "base/fd.h"
#include "base/log.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

static int fill(struct spawn_request *req, const struct spawn_desc *d, struct err *e)
{
	size_t name_len = strlen(d->name), serial_len = d->serial ? strlen(d->serial) : 0;
	size_t path_len = d->path ? strlen(d->path) : 0;

	if (name_len >= sizeof(req->name))
		return err_set(e, EINVAL, "device name '%s' is longer than %zu bytes", d->name,
			sizeof(req->name) - 1);
	if (serial_len > sizeof(req->serial))
		return err_set(e, EINVAL, "%s: serial '%s' is longer than %zu bytes", d->name,
			d->serial, sizeof(req->serial));
	if (path_len >= sizeof(req->path))
		return err_set(e, EINVAL, "%s: path '%s' is longer than %zu bytes", d->name,
			d->path, sizeof(req->path) - 1);
	*req = (struct spawn_request){.magic = SPAWN_MAGIC,
		.kind = (uint16_t)d->kind,
		.n_queues = d->n_queues,
		.flags = d->flags | (d->ledger_fd >= 0 ? SPAWN_LEDGER : 0) |
			(d->counters_fd >= 0 ? SPAWN_COUNTERS : 0),
		.log_level = log_get_level(),
		.cid = d->cid,
		.mtu = d->mtu,
		.limits = d->limits,
		.offloads = d->offloads};
	memcpy(req->mac, d->mac, sizeof(req->mac));
	memcpy(req->name, d->name, name_len);
	if (path_len)
		memcpy(req->path, d->path, path_len);
	if (serial_len)
		memcpy(req->serial, d->serial, serial_len);
	return 0;
}

static size_t collect_fds(int fds[SPAWN_FDS_MAX], int sock, const struct spawn_desc *d)
{
	size_t n = 0;

	fds[n++] = sock;
	if (d->ledger_fd >= 0)
		fds[n++] = d->ledger_fd;
	if (d->counters_fd >= 0)
		fds[n++] = d->counters_fd;
	for (size_t i = 0; i < d->n_fds; i++)
		fds[n++] = d->fds[i];
	return n;
}

/* wait_for() - Return: true when the spawner has answered; interruptions begin the wait anew. */
static bool wait_for(int spawner)
{
	struct pollfd p = {.fd = spawner, .events = POLLIN};
	int n;

	do
		n = poll(&p, 1, SPAWN_TIMEOUT_MS);
	while (n < 0 && errno == EINTR);
	return n > 0;
}

/* receive() - Return: 0 with a reply of status 0 and its pidfd, or -errno. */
static int receive(int spawner, struct spawn_reply *reply, int *pidfd, struct err *e)
{
	size_t n_fds = 1;
	ssize_t n;

	if (!wait_for(spawner))
		return err_set(e, ETIMEDOUT, "the spawner does not answer");
	n = fd_recv(spawner, reply, sizeof(*reply), pidfd, &n_fds);
	if (n <= 0)
		return err_sys(e, n ? (int)-n : EPIPE, "the spawner's answer");
	if (!n_fds)
		*pidfd = -1;
	reply->text[sizeof(reply->text) - 1] = 0;
	if ((size_t)n != sizeof(*reply) || reply->status > 0 || (!reply->status && !n_fds))
		return err_set(e, EPROTO, "the spawner's answer is malformed");
	if (reply->status)
		return err_set(e, -reply->status, "%s", reply->text);
	return 0;
}

int spawn_device(
	int spawner, const struct spawn_desc *desc, struct spawn_child *child, struct err *e)
{
	cleanup_fd int ours = -1, theirs = -1, pidfd = -1;
	int fds[SPAWN_FDS_MAX], pair[2];
	struct spawn_request req;
	struct spawn_reply reply;
	int rc = fill(&req, desc, e);

	if (rc)
		return rc;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		return err_sys(e, errno, "%s: socketpair", desc->name);
	ours = pair[0];
	theirs = pair[1];
	rc = fd_send(spawner, &req, sizeof(req), fds, collect_fds(fds, theirs, desc));
	if (rc)
		return err_sys(e, -rc, "%s: spawner", desc->name);
	if (receive(spawner, &reply, &pidfd, e))
		return err_context(e, "%s", desc->name);
	*child = (struct spawn_child){
		.sock = fd_take(&ours), .pidfd = fd_take(&pidfd), .pid = reply.pid};
	return 0;
}
