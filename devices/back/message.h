/* SPDX-License-Identifier: Apache-2.0 */
/* struct message: one vhost-user message of the front end's, and the reply to it. */
#ifndef DEVICES_BACK_MESSAGE_H
#define DEVICES_BACK_MESSAGE_H

#include "base/err.h"
#include "devices/wire/vhost_user.h"

#include <stddef.h>

struct message {
	struct vhost_user_header h;
	union vhost_user_payload p;
	size_t got; /* bytes of header and payload so far */
	/* Descriptors that are not taken are closed by message_reset(). */
	int fds[VHOST_USER_TABLE_REGIONS];
	size_t n_fds;
	int reply_fd; /* goes along with the reply and stays the server's; 0: none */
};

/* message_reset() - close its descriptors and be ready for the next message. */
void message_reset(struct message *m);

/* message_set_u64() - make the reply a u64. Return: 1, as of a handler: there is a reply. */
int message_set_u64(struct message *m, uint64_t value);

/* message_reply() - send what is in the payload. Return: 0 or -errno. */
int message_reply(struct message *m, int sock);

/*
 * message_check_config() - is the range that GET_CONFIG or SET_CONFIG names inside?
 * Return: 0 or -EINVAL.
 */
int message_check_config(const struct message *m, struct err *e) MUST_CHECK;

#endif
