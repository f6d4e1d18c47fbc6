/* SPDX-License-Identifier: Apache-2.0 */
/* struct nic_config: what a user asks for with --net, one network device. */
#ifndef VMM_NIC_H
#define VMM_NIC_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

#define NIC_TAPS_MAX 16 /* queues of a tap, and pairs of queues */

struct nic_limit {
	uint64_t size, one_time_burst, refill_time; /* tokens, tokens, milliseconds; 0: no limit */
};

struct nic_config {
	char *tap;                       /* name of the interface; NULL: the host picks one */
	char *ip, *mask, *host_mac;      /* of the host's end; NULL: left as it is */
	char *mac;                       /* the guest's */
	uint64_t mtu;                    /* 0: the tap's */
	uint64_t num_queues, queue_size; /* two queues for each pair */
	bool offload_tso, offload_ufo, offload_csum;
	bool packed;                     /* offer packed rings */
	struct nic_limit bandwidth, ops; /* of each direction; bandwidth in bytes */
	char *id;
	bool vhost_user;
	char *vhost_socket;    /* vhost_user: where a back end listens; there is no tap then */
	char *fd_list;         /* of the command line: descriptors that were inherited */
	unsigned int n_fds;    /* taps that are opened already: 0, or num_queues / 2 */
	int fds[NIC_TAPS_MAX]; /* the config's; -1: is yet to come with a request */
};

/* nic_init() - the defaults; the guest's address is random. Return: 0 or -ENOMEM. */
int nic_init(struct nic_config *n, struct err *e) MUST_CHECK;

/* nic_take_list() - have fds from the fd_list of the command line. Return: 0 or -EINVAL. */
int nic_take_list(struct nic_config *n, struct err *e) MUST_CHECK;

/* nic_check() - what can be said against it. Return: 0 or -EINVAL. */
int nic_check(const struct nic_config *n, struct err *e) MUST_CHECK;

/* nic_mac() - an address from its text, aa:bb:cc:dd:ee:ff. Return: false if it is none. */
bool nic_mac(const char *text, uint8_t mac[6]);

#endif
