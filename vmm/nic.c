/* SPDX-License-Identifier: Apache-2.0 */
/* Network devices that a user asks for; see vmm/nic.h. */
#include "vmm/nic.h"

#include "base/fd.h"
#include "vmm/keyval.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

int nic_init(struct nic_config *n, struct err *e)
{
	uint8_t m[6];

	*n = (struct nic_config){
		.num_queues = 2,
		.queue_size = 256,
		.offload_tso = true,
		.offload_ufo = true,
		.offload_csum = true,
	};
	if (getrandom(m, sizeof(m), 0) != sizeof(m))
		return err_sys(e, errno, "net: random address");
	m[0] = (uint8_t)((m[0] | 2u) & ~1u); /* of this host's choice, and nobody's group */
	if (asprintf(&n->mac, "%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3], m[4], m[5]) <
		0) {
		n->mac = NULL;
		return err_sys(e, ENOMEM, "net");
	}
	return 0;
}

bool nic_mac(const char *text, uint8_t mac[6])
{
	static const char digits[] = "0123456789abcdefABCDEF";

	for (int i = 0; i < 6; i++, text += 3) {
		unsigned int byte;

		if (strspn(text, digits) != 2 || text[2] != (i < 5 ? ':' : '\0'))
			return false;
		if (sscanf(text, "%2x", &byte) != 1)
			return false;
		mac[i] = (uint8_t)byte;
	}
	return true;
}

int nic_take_list(struct nic_config *n, struct err *e)
{
	const char *at = n->fd_list;
	bool bracket = at && *at == '[';

	if (!at)
		return 0;
	at += bracket;
	for (;;) {
		size_t len = strcspn(at, ":,]");
		char number[16];
		uint64_t fd;

		snprintf(number, sizeof(number), "%.*s", (int)(len > 15 ? 15 : len), at);
		if (!keyval_number(number, false, &fd) || fd < 3 || fd > INT32_MAX)
			return err_set(
				e, EINVAL, "--net: fd=%s: not descriptors from 3 up", n->fd_list);
		/* Now, before something of ours gets the number. */
		if (fcntl((int)fd, F_GETFD) < 0)
			return err_sys(e, errno, "--net: fd=%d", (int)fd);
		if (n->n_fds == NIC_TAPS_MAX)
			return err_set(e, EINVAL, "--net: more than %d descriptors", NIC_TAPS_MAX);
		n->fds[n->n_fds++] = (int)fd;
		at += len;
		if (*at != ':' && *at != ',')
			break;
		at++;
	}
	if (strcmp(at, bracket ? "]" : ""))
		return err_set(e, EINVAL, "--net: fd=%s: neither N:N nor [N,N]", n->fd_list);
	return 0;
}

static int nic_check_address(const char *key, const char *text, struct err *e)
{
	struct in_addr a;

	if (text && inet_pton(AF_INET, text, &a) != 1)
		return err_set(e, EINVAL, "--net: %s=%s is no IPv4 address", key, text);
	return 0;
}

static int nic_check_mac(const char *key, const char *text, struct err *e)
{
	uint8_t m[6];

	if (text && (!nic_mac(text, m) || (m[0] & 1)))
		return err_set(e, EINVAL, "--net: %s=%s is no address of one station", key, text);
	return 0;
}

int nic_check(const struct nic_config *n, struct err *e)
{
	if (n->tap && (!*n->tap || strlen(n->tap) >= IFNAMSIZ || strpbrk(n->tap, "/% \t\n")))
		return err_set(e, EINVAL, "--net: tap=%s is no name of an interface", n->tap);
	if (nic_check_address("ip", n->ip, e) || nic_check_address("mask", n->mask, e) ||
		nic_check_mac("mac", n->mac, e) || nic_check_mac("host_mac", n->host_mac, e))
		return -e->code;
	if (n->queue_size & (n->queue_size - 1))
		return err_set(e, EINVAL, "--net: queue_size=%llu is not a power of two",
			(unsigned long long)n->queue_size);
	if (n->num_queues % 2)
		return err_set(e, EINVAL, "--net: num_queues=%llu is odd; a pair has two",
			(unsigned long long)n->num_queues);
	if (n->n_fds && n->n_fds != n->num_queues / 2)
		return err_set(e, EINVAL, "--net: %u descriptors for num_queues=%llu, two for each",
			n->n_fds, (unsigned long long)n->num_queues);
	if (n->vhost_user != !!n->vhost_socket)
		return err_set(e, EINVAL,
			"--net: vhost_user=on and socket=PATH (vhost_socket of the API) go together");
	if (n->vhost_user &&
		(n->tap || n->n_fds || n->ip || n->mask || n->host_mac || n->bandwidth.size ||
			n->ops.size || n->num_queues > 2))
		return err_set(e, EINVAL,
			"--net: with vhost_user=on there is one pair of queues and no tap to set up");
	if (n->fd_list && n->tap)
		return err_set(e, EINVAL, "--net: tap and fd exclude each other");
	return 0;
}
