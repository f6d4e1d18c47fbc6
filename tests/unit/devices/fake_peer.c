/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/devices/fake_peer.h"

#include "base/fd.h"
#include "devices/wire/virtio.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>

struct message {
	struct vhost_user_header h __attribute__((packed)); /* the body follows without padding */
	union vhost_user_payload body __attribute__((packed));
	int fds[FD_PASS_MAX];
	size_t n_fds;
};

static bool receive(const struct fake_peer *p, struct message *m)
{
	memset(m, 0, sizeof(*m));
	m->n_fds = FD_PASS_MAX;
	if (fd_recv(p->sock, &m->h, sizeof(m->h), m->fds, &m->n_fds) != (ssize_t)sizeof(m->h))
		return false;
	assert_true(m->h.size <= sizeof(m->body));
	return !m->h.size || !fd_read_full(p->sock, &m->body, m->h.size);
}

static void keep_fd(struct message *m, int *place)
{
	fd_drop(place);
	if (m->n_fds)
		*place = fd_take(&m->fds[0]);
}

static void note(struct fake_peer *p, struct message *m)
{
	uint32_t i = m->body.state.index & 3;

	p->seen[m->h.request & 63]++;
	if (m->h.request == VHOST_USER_SET_FEATURES)
		p->driver_features = m->body.u64;
	else if (m->h.request == VHOST_USER_SET_MEM_TABLE)
		p->table = m->body.table;
	else if (m->h.request == VHOST_USER_SET_VRING_ADDR)
		p->addr[i] = m->body.addr;
	else if (m->h.request == VHOST_USER_SET_VRING_NUM)
		p->num[i] = m->body.state.num;
	else if (m->h.request == VHOST_USER_SET_VRING_ENABLE)
		p->enabled[i] = m->body.state.num;
	else if (m->h.request == VHOST_USER_SET_VRING_KICK)
		keep_fd(m, &p->kick[i]);
	else if (m->h.request == VHOST_USER_SET_VRING_CALL)
		keep_fd(m, &p->call[i]);
	else if (m->h.request == VHOST_USER_SET_VRING_ERR)
		keep_fd(m, &p->err[i]);
	else if (m->h.request == VHOST_USER_SET_CONFIG)
		memcpy(p->config + m->body.config.offset, m->body.config.bytes,
			m->body.config.size);
}

/* answer() - Return: bytes of the honest answer in r, 0 if none is due. */
static uint32_t answer(
	const struct fake_peer *p, const struct message *m, union vhost_user_payload *r)
{
	memset(r, 0, sizeof(*r));
	switch (m->h.request) {
	case VHOST_USER_GET_FEATURES:
		r->u64 = p->features;
		return 8;
	case VHOST_USER_GET_PROTOCOL_FEATURES:
		r->u64 = p->protocol;
		return 8;
	case VHOST_USER_GET_QUEUE_NUM:
		r->u64 = p->queues;
		return 8;
	case VHOST_USER_GET_VRING_BASE:
		r->state = (struct vhost_user_vring_state){m->body.state.index, 7};
		return sizeof(r->state);
	case VHOST_USER_GET_INFLIGHT_FD:
		r->inflight = m->body.inflight;
		r->inflight.mmap_size = 4096;
		return sizeof(r->inflight);
	case VHOST_USER_GET_CONFIG:
		r->config = m->body.config;
		memcpy(r->config.bytes, p->config, m->body.config.size);
		return m->h.size;
	default:
		return m->h.flags & VHOST_USER_NEED_REPLY ? 8 : 0;
	}
}

/* spoil() - make the answer bad in the way asked for. Return: how much of it to send. */
static size_t spoil(const struct fake_peer *p, struct message *m, size_t len)
{
	switch (p->fault) {
	case PEER_HALF:
		return 5;
	case PEER_HALF_BODY:
		return len - 3;
	case PEER_WRONG_ID:
		m->h.request++;
		break;
	case PEER_NO_REPLY_FLAG:
		m->h.flags &= ~VHOST_USER_REPLY;
		break;
	case PEER_WRONG_VERSION:
		m->h.flags ^= 3;
		break;
	case PEER_WRONG_SIZE:
		m->h.size -= 4;
		break;
	case PEER_HUGE_SIZE:
		m->h.size = UINT32_MAX;
		break;
	case PEER_REFUSES:
		m->body.u64 = 1;
		break;
	case PEER_WRONG_CONTENT:
		m->body.config.offset = m->body.state.index = 3;
		m->body.config.size = 1;
		break;
	default:
		break;
	}
	return len;
}

static bool respond(struct fake_peer *p, struct message *m)
{
	bool bad = p->fault != PEER_HONEST && m->h.request == p->at;
	union vhost_user_payload r;
	struct message out = {.h = {m->h.request, VHOST_USER_VERSION | VHOST_USER_REPLY, 0}};
	int fds[2] = {p->record, p->record};
	size_t len, n_fds = m->h.request == VHOST_USER_GET_INFLIGHT_FD;

	out.h.size = answer(p, m, &r);
	out.body = r;
	if (bad && p->fault == PEER_SILENT)
		return true;
	if (bad && p->fault == PEER_DIES)
		return false;
	if (!out.h.size)
		return true;
	len = sizeof(out.h) + out.h.size;
	if (bad)
		len = spoil(p, &out, len);
	if (bad)
		n_fds += p->fault == PEER_EXTRA_FD;
	return !fd_send(p->sock, &out, len, fds, n_fds);
}

static void *run(void *ctx)
{
	struct fake_peer *p = ctx;
	struct message m;
	bool go = true;

	while (go && receive(p, &m)) {
		note(p, &m);
		for (size_t i = 0; i < m.n_fds; i++)
			fd_drop(&m.fds[i]);
		go = respond(p, &m);
	}
	shutdown(p->sock, SHUT_RDWR);
	return NULL;
}

int fake_peer_start(struct fake_peer *p, uint32_t at, enum peer_fault fault)
{
	int pair[2];

	memset(p, 0, sizeof(*p));
	p->features = VIRTIO_F_VERSION_1 | VHOST_USER_F_PROTOCOL_FEATURES | VIRTIO_F_EVENT_IDX |
		VIRTIO_F_ACCESS_PLATFORM | VIRTIO_BIT(9) | VHOST_F_LOG_ALL | VIRTIO_F_RING_RESET;
	p->protocol = VHOST_USER_PROTOCOL_F_MQ | VHOST_USER_PROTOCOL_F_REPLY_ACK |
		VHOST_USER_PROTOCOL_F_CONFIG | VHOST_USER_PROTOCOL_F_INFLIGHT_SHMFD;
	p->queues = 4;
	p->at = at;
	p->fault = fault;
	for (unsigned int i = 0; i < VHOST_USER_CONFIG_MAX; i++)
		p->config[i] = (uint8_t)(i + 1);
	for (int i = 0; i < 4; i++)
		p->kick[i] = p->call[i] = p->err[i] = -1;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	p->sock = pair[1];
	p->record = memfd_create("record", MFD_CLOEXEC);
	assert_int_equal(pthread_create(&p->thread, NULL, run, p), 0);
	return pair[0];
}

void fake_peer_join(struct fake_peer *p)
{
	pthread_join(p->thread, NULL);
	fd_drop(&p->sock);
	fd_drop(&p->record);
	for (int i = 0; i < 4; i++) {
		fd_drop(&p->kick[i]);
		fd_drop(&p->call[i]);
		fd_drop(&p->err[i]);
	}
}
