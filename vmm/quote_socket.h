/* SPDX-License-Identifier: Apache-2.0 */
/* struct quote_socket: where a quote service listens. */
#ifndef VMM_QUOTE_SOCKET_H
#define VMM_QUOTE_SOCKET_H

#include "base/err.h"

#include <sys/socket.h>

struct quote_socket {
	struct sockaddr_storage at;
	socklen_t len;
};

/* quote_socket_parse() - a path, or vsock:CID:PORT. Return: 0, or -EINVAL with the key named. */
int quote_socket_parse(struct quote_socket *s, const char *text, struct err *e) MUST_CHECK;

/*
 * quote_socket_connect() - begin to connect, without waiting: it is there when it can be written.
 * Return: a descriptor, the caller's, or -errno.
 */
int quote_socket_connect(const struct quote_socket *s);

#endif
