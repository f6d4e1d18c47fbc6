/* SPDX-License-Identifier: Apache-2.0 */
/* vhost-user messages; see devices/back/message.h. */
#include "devices/back/message.h"

#include "base/fd.h"
#include "base/num.h"

#include <errno.h>
#include <string.h>

void message_reset(struct message *m)
{
	while (m->n_fds)
		fd_drop(&m->fds[--m->n_fds]);
	memset(m, 0, sizeof(*m));
}

int message_set_u64(struct message *m, uint64_t value)
{
	m->p.u64 = value;
	m->h.size = sizeof(m->p.u64);
	return 1;
}

int message_reply(struct message *m, int sock)
{
	uint8_t out[sizeof(m->h) + sizeof(m->p)];

	m->h.flags = VHOST_USER_VERSION | VHOST_USER_REPLY;
	memcpy(out, &m->h, sizeof(m->h));
	memcpy(out + sizeof(m->h), &m->p, m->h.size);
	return fd_send(sock, out, sizeof(m->h) + m->h.size, &m->reply_fd, m->reply_fd > 0);
}

int message_check_config(const struct message *m, struct err *e)
{
	const struct vhost_user_config *c = &m->p.config;

	if (m->h.size < offsetof(struct vhost_user_config, bytes) ||
		m->h.size != offsetof(struct vhost_user_config, bytes) + (uint64_t)c->size ||
		!range_in(c->offset, c->size, VHOST_USER_CONFIG_MAX))
		return err_set(e, EINVAL, "configuration [%u, +%u) in %u bytes", c->offset, c->size,
			m->h.size);
	return 0;
}
