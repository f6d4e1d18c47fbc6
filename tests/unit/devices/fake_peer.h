/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A vhost-user back end of a few lines in a thread of its own. It answers as it should, until a
 * request comes that it was told to answer badly.
 */
#ifndef TESTS_UNIT_DEVICES_FAKE_PEER_H
#define TESTS_UNIT_DEVICES_FAKE_PEER_H

#include "devices/wire/vhost_user.h"

#include <pthread.h>
#include <stdbool.h>

enum peer_fault {
	PEER_HONEST,
	PEER_SILENT,    /* no answer from then on */
	PEER_DIES,      /* closes the connection */
	PEER_HALF,      /* a part of the header, then silence */
	PEER_HALF_BODY, /* the header, a part of the body, then silence */
	PEER_WRONG_ID,
	PEER_NO_REPLY_FLAG,
	PEER_WRONG_VERSION,
	PEER_WRONG_SIZE,
	PEER_HUGE_SIZE,
	PEER_EXTRA_FD,
	PEER_REFUSES,       /* an acknowledgement that says failed */
	PEER_WRONG_CONTENT, /* another ring, another length of configuration */
	PEER_FAULTS
};

struct fake_peer {
	uint64_t features, protocol, queues; /* what it offers */
	uint32_t at;                         /* request of the fault */
	enum peer_fault fault;
	uint8_t config[VHOST_USER_CONFIG_MAX];
	/* seen; read them after fake_peer_join(), or when a call has returned that was acknowledged
	 */
	unsigned int seen[64];
	uint64_t driver_features;
	struct vhost_user_mem_table table;
	struct vhost_user_vring_addr addr[4];
	uint32_t num[4], enabled[4];
	int kick[4], call[4], err[4]; /* its own */
	/* its own */
	int sock, record;
	pthread_t thread;
};

/* fake_peer_start() - start with sane offers. Return: the other end, which the caller owns. */
int fake_peer_start(struct fake_peer *p, uint32_t at, enum peer_fault fault);

/* fake_peer_join() - wait for its end, which comes when the other end is closed. */
void fake_peer_join(struct fake_peer *p);

#endif
