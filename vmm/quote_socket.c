/* SPDX-License-Identifier: Apache-2.0 */
/* Where a quote service listens; see vmm/quote_socket.h. */
#include "vmm/quote_socket.h"

#include "base/fd.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include <linux/vm_sockets.h>

#define VSOCK_PREFIX "vsock:"

/* quote_socket_number() - decimal digits up to `end`. Return: false if that is not all there is */
static bool quote_socket_number(const char **at, char end, uint32_t *out)
{
	char *stop;
	unsigned long long n;

	if (**at < '0' || **at > '9')
		return false;
	errno = 0;
	n = strtoull(*at, &stop, 10);
	if (errno || n > UINT32_MAX || *stop != end)
		return false;
	*out = (uint32_t)n;
	*at = stop + 1;
	return true;
}

int quote_socket_parse(struct quote_socket *s, const char *text, struct err *e)
{
	struct sockaddr_vm vm = {.svm_family = AF_VSOCK};
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	size_t len = strlen(text);

	*s = (struct quote_socket){.len = sizeof(un)};
	if (!strncmp(text, VSOCK_PREFIX, strlen(VSOCK_PREFIX))) {
		text += strlen(VSOCK_PREFIX);
		if (!quote_socket_number(&text, ':', &vm.svm_cid) ||
			!quote_socket_number(&text, '\0', &vm.svm_port))
			return err_set(e, EINVAL,
				"--confidential: quotes: not vsock:CID:PORT with two numbers");
		memcpy(&s->at, &vm, sizeof(vm));
		s->len = sizeof(vm);
		return 0;
	}
	if (!len || len >= sizeof(un.sun_path))
		return err_set(e, EINVAL, "--confidential: quotes: a path has 1 to %zu bytes",
			sizeof(un.sun_path) - 1);
	memcpy(un.sun_path, text, len);
	memcpy(&s->at, &un, sizeof(un));
	return 0;
}

int quote_socket_connect(const struct quote_socket *s)
{
	cleanup_fd int fd = socket(s->at.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -errno;
	if (connect(fd, (const struct sockaddr *)&s->at, s->len) < 0 && errno != EINPROGRESS)
		return -errno;
	return fd_take(&fd);
}
