/* SPDX-License-Identifier: Apache-2.0 */
/* The vhost-user server; see devices/back/vhost_user_server.h. */
#include "devices/back/vhost_user_server.h"

#include "base/fd.h"
#include "base/log.h"
#include "devices/back/inflight.h"
#include "devices/back/inflight_store.h"
#include "devices/back/message.h"
#include "devices/back/queue_stats.h"
#include "devices/wire/vhost_user.h"
#include "devices/wire/virtio_ring.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>

#define COMMON_FEATURES (VIRTIO_F_VERSION_1 | VIRTIO_F_ACCESS_PLATFORM | VIRTQ_FEATURES)
/*
 * BACKEND_REQ: QEMU asks for it where ACCESS_PLATFORM is offered, as an IOMMU of the front end's
 * would need it. We have no use for one: addresses are translated by the front end, and a message
 * about an IOMMU is unknown here.
 */
#define PROTOCOL_FEATURES                                                                          \
	(VHOST_USER_PROTOCOL_F_MQ | VHOST_USER_PROTOCOL_F_REPLY_ACK |                              \
		VHOST_USER_PROTOCOL_F_BACKEND_REQ | VHOST_USER_PROTOCOL_F_CONFIG |                 \
		VHOST_USER_PROTOCOL_F_INFLIGHT_SHMFD | VHOST_USER_PROTOCOL_F_RESET_DEVICE |        \
		VHOST_USER_PROTOCOL_F_CONFIGURE_MEM_SLOTS)

/* A queue and what the front end said of it. */
struct queue {
	struct virtq vq;
	struct inflight inflight;
	bool enabled;
	bool has_addr;
	struct vhost_user_vring_addr addr;
};

struct vhost_user_server {
	struct loop *loop;
	struct loop_source sock;
	struct back_device *device;
	struct view view;
	struct inflight_store inflight;
	uint64_t features; /* acknowledged by the driver */
	uint64_t protocol_features;
	bool broken; /* see virtq.h */
	int result;
	int backend_req; /* the front end's ear; -1: none */
	struct message msg;
	struct queue_stats *stats; /* one per queue of the device; NULL: nothing is counted */
	struct queue queues[DEVICE_QUEUES_MAX];
};

static uint64_t server_features(const struct vhost_user_server *s)
{
	return s->device->features | COMMON_FEATURES | VHOST_USER_F_PROTOCOL_FEATURES;
}

static bool server_any_running(const struct vhost_user_server *s)
{
	for (unsigned int i = 0; i < s->device->n_queues; i++)
		if (s->queues[i].vq.running)
			return true;
	return false;
}

/* queue_resolve() - find the ring's parts in guest memory. Return: 0 or -EFAULT. */
static int queue_resolve(const struct vhost_user_server *s, struct queue *q)
{
	bool packed = s->features & VIRTIO_F_RING_PACKED;
	uint16_t num = q->vq.num;
	uint64_t avail = packed ? sizeof(struct vring_packed_event) : VRING_AVAIL_BYTES(num);
	uint64_t used = packed ? sizeof(struct vring_packed_event) : VRING_USED_BYTES(num);

	if (view_from_user(&s->view, q->addr.desc, VRING_DESC_BYTES(num), &q->vq.desc) < 0 ||
		view_from_user(&s->view, q->addr.avail, avail, &q->vq.avail) < 0)
		return -EFAULT;
	return view_from_user(&s->view, q->addr.used, used, &q->vq.used);
}

/* queue_start() - run a queue that has all it needs, or break it. Return: 0 or -errno of epoll. */
static int queue_start(struct vhost_user_server *s, struct queue *q, struct err *e)
{
	if (q->vq.running || !q->enabled || !q->has_addr || !q->vq.num || q->vq.kick.fd < 0)
		return 0;
	if (queue_resolve(s, q) < 0) {
		virtq_break(&q->vq, "ring outside of guest memory");
		return 0;
	}
	q->inflight = (struct inflight){0};
	if (s->features & VIRTIO_F_RING_PACKED)
		q->inflight.packed = inflight_store_packed(&s->inflight, q->vq.index, q->vq.num);
	else
		q->inflight.split = inflight_store_split(&s->inflight, q->vq.index, q->vq.num);
	if (virtq_start(&q->vq, s->features) < 0)
		return 0;
	virtq_notify(&q->vq);
	if (loop_add(s->loop, &q->vq.kick, EPOLLIN | EPOLLET, e) < 0) {
		virtq_stop(&q->vq);
		return err_context(e, "kick descriptor of queue %u", q->vq.index);
	}
	s->device->ops->kicked(&q->vq, 0);
	return 0;
}

/* queue_stop() - drain a queue. Nothing of the guest's is touched any more. */
static void queue_stop(struct vhost_user_server *s, struct queue *q)
{
	loop_remove(s->loop, &q->vq.kick);
	if (!q->vq.running)
		return;
	s->device->ops->drain(&q->vq);
	virtq_stop(&q->vq);
}

static void server_stop_all(struct vhost_user_server *s)
{
	for (unsigned int i = 0; i < s->device->n_queues; i++)
		queue_stop(s, &s->queues[i]);
	s->broken = false;
}

/* server_queue() - Return: the queue of that index, or NULL and *e says what is wrong. */
static struct queue *server_queue(struct vhost_user_server *s, uint64_t index, struct err *e)
{
	if (index < s->device->n_queues)
		return &s->queues[index];
	err_set(e, EINVAL, "queue %llu of %u", (unsigned long long)index, s->device->n_queues);
	return NULL;
}

/*
 * The handlers, one per message. Return: 0 done, 1 the reply is in m->p (m->h.size bytes), or
 * -errno, which ends the connection; -EOPNOTSUPP is told to the front end and ends nothing.
 */
static int on_get_features(struct vhost_user_server *s, struct message *m, struct err *e)
{
	(void)e;
	return message_set_u64(m, server_features(s));
}

static int on_set_features(struct vhost_user_server *s, struct message *m, struct err *e)
{
	if (m->p.u64 & ~server_features(s))
		return err_set(e, EINVAL, "features 0x%llx were not offered",
			(unsigned long long)(m->p.u64 & ~server_features(s)));
	/* QEMU says it again for each pair of a network device's queues. */
	if (server_any_running(s))
		return m->p.u64 == s->features ? 0 : err_set(e, EBUSY, "a queue runs");
	s->features = m->p.u64;
	s->device->ops->set_features(s->device, s->features);
	/* Without the protocol features a queue is born enabled. */
	for (unsigned int i = 0;
		!(s->features & VHOST_USER_F_PROTOCOL_FEATURES) && i < s->device->n_queues; i++)
		s->queues[i].enabled = true;
	return 0;
}

static int on_nothing(struct vhost_user_server *s, struct message *m, struct err *e)
{
	(void)s, (void)m, (void)e;
	return 0;
}

static int on_get_protocol_features(struct vhost_user_server *s, struct message *m, struct err *e)
{
	(void)s, (void)e;
	return message_set_u64(m, PROTOCOL_FEATURES);
}

static int on_set_protocol_features(struct vhost_user_server *s, struct message *m, struct err *e)
{
	if (m->p.u64 & ~PROTOCOL_FEATURES)
		return err_set(e, EINVAL, "protocol features 0x%llx were not offered",
			(unsigned long long)(m->p.u64 & ~PROTOCOL_FEATURES));
	s->protocol_features = m->p.u64;
	return 0;
}

static int on_get_queue_num(struct vhost_user_server *s, struct message *m, struct err *e)
{
	(void)e;
	return message_set_u64(m, s->device->n_queues);
}

static int on_get_max_mem_slots(struct vhost_user_server *s, struct message *m, struct err *e)
{
	(void)s, (void)e;
	return message_set_u64(m, VIEW_REGIONS_MAX);
}

/* A change of memory, in three steps: drain, change, go on with what still fits. */
static void server_pause(struct vhost_user_server *s, bool *ran)
{
	for (unsigned int i = 0; i < s->device->n_queues; i++) {
		ran[i] = s->queues[i].vq.running;
		if (ran[i])
			s->device->ops->drain(&s->queues[i].vq);
	}
}

static void server_resume(struct vhost_user_server *s, const bool *ran)
{
	for (unsigned int i = 0; i < s->device->n_queues; i++) {
		struct queue *q = &s->queues[i];

		if (!ran[i])
			continue;
		if (queue_resolve(s, q) < 0)
			virtq_break(&q->vq, "ring outside of guest memory");
		s->device->ops->kicked(&q->vq, 0);
	}
}

static int server_add_region(
	struct vhost_user_server *s, const struct vhost_user_region *r, int fd, struct err *e)
{
	const struct view_spec spec = {.gpa = r->gpa,
		.size = r->size,
		.user_addr = r->user_addr,
		.offset = r->mmap_offset};

	return view_add(&s->view, &spec, fd, e);
}

static int on_set_mem_table(struct vhost_user_server *s, struct message *m, struct err *e)
{
	const struct vhost_user_mem_table *t = &m->p.table;
	bool ran[DEVICE_QUEUES_MAX];

	if (m->h.size < 8 || t->n_regions > VHOST_USER_TABLE_REGIONS ||
		m->h.size < 8 + t->n_regions * sizeof(t->regions[0]) || m->n_fds != t->n_regions)
		return err_set(e, EINVAL, "%zu descriptors and %u bytes for %u regions", m->n_fds,
			m->h.size, t->n_regions);
	server_pause(s, ran);
	view_clear(&s->view);
	for (unsigned int i = 0; i < t->n_regions; i++)
		if (server_add_region(s, &t->regions[i], m->fds[i], e) < 0)
			return -e->code;
	server_resume(s, ran);
	return 0;
}

/* server_has_region() - QEMU adds memory again for each pair of a network device's queues. */
static bool server_has_region(const struct vhost_user_server *s, const struct vhost_user_region *r)
{
	for (unsigned int i = 0; i < s->view.n_regions; i++) {
		const struct view_region *v = &s->view.regions[i];

		if (v->gpa.v == r->gpa && v->size == r->size && v->user_addr == r->user_addr)
			return true;
	}
	return false;
}

static int on_add_mem_reg(struct vhost_user_server *s, struct message *m, struct err *e)
{
	if (server_has_region(s, &m->p.region.region))
		return 0;
	return server_add_region(s, &m->p.region.region, m->fds[0], e);
}

static int on_rem_mem_reg(struct vhost_user_server *s, struct message *m, struct err *e)
{
	const struct vhost_user_region *r = &m->p.region.region;
	const struct view_spec spec = {.gpa = r->gpa, .size = r->size, .user_addr = r->user_addr};
	bool ran[DEVICE_QUEUES_MAX];

	server_pause(s, ran);
	if (view_remove(&s->view, &spec) < 0)
		return err_set(e, ENOENT, "no such memory region");
	server_resume(s, ran);
	return 0;
}

static int on_set_vring_num(struct vhost_user_server *s, struct message *m, struct err *e)
{
	struct queue *q = server_queue(s, m->p.state.index, e);

	if (!q)
		return -e->code;
	if (q->vq.running)
		return err_set(e, EBUSY, "queue %u runs", q->vq.index);
	/* A size that is none is the guest's doing: virtq_start() breaks the queue for it. */
	q->vq.num = m->p.state.num > VIRTQ_NUM_MAX ? UINT16_MAX : (uint16_t)m->p.state.num;
	return queue_start(s, q, e);
}

static int on_set_vring_addr(struct vhost_user_server *s, struct message *m, struct err *e)
{
	struct queue *q = server_queue(s, m->p.addr.index, e);

	if (!q)
		return -e->code;
	if (m->p.addr.flags)
		return err_set(e, EINVAL, "ring logging was not offered");
	if (q->vq.running && !memcmp(&q->addr, &m->p.addr, sizeof(q->addr)))
		return 0;
	if (q->vq.running)
		return err_set(e, EBUSY, "queue %u runs", q->vq.index);
	q->addr = m->p.addr;
	q->has_addr = true;
	return queue_start(s, q, e);
}

static int on_set_vring_base(struct vhost_user_server *s, struct message *m, struct err *e)
{
	struct queue *q = server_queue(s, m->p.state.index, e);

	if (!q)
		return -e->code;
	if (q->vq.running ||
		(m->p.state.num > UINT16_MAX && !(s->features & VIRTIO_F_RING_PACKED)))
		return err_set(e, EINVAL, "queue %u runs, or base 0x%x is too large", q->vq.index,
			m->p.state.num);
	q->vq.base = m->p.state.num;
	return 0;
}

static int on_get_vring_base(struct vhost_user_server *s, struct message *m, struct err *e)
{
	struct queue *q = server_queue(s, m->p.state.index, e);

	if (!q)
		return -e->code;
	queue_stop(s, q);
	if (!server_any_running(s))
		s->broken = false; /* the front end has stopped the device: the guest resets it */
	fd_drop(&q->vq.kick.fd);
	q->has_addr = false;
	m->p.state.num = q->vq.base;
	m->h.size = sizeof(m->p.state);
	return 1;
}

/* message_vring_fd() - the queue and the descriptor (or -1) of a message of SET_VRING_KICK's kind.
 */
static struct queue *message_vring_fd(
	struct vhost_user_server *s, struct message *m, int *fd, struct err *e)
{
	bool none = m->p.u64 & VHOST_USER_NO_FD;

	if (m->n_fds != (none ? 0 : 1) ||
		(m->p.u64 & ~(uint64_t)(VHOST_USER_NO_FD | VHOST_USER_VRING_INDEX))) {
		err_set(e, EINVAL, "0x%llx with %zu descriptors", (unsigned long long)m->p.u64,
			m->n_fds);
		return NULL;
	}
	*fd = none ? -1 : fd_take(&m->fds[0]);
	return server_queue(s, m->p.u64 & VHOST_USER_VRING_INDEX, e);
}

static int on_set_vring_kick(struct vhost_user_server *s, struct message *m, struct err *e)
{
	cleanup_fd int fd = -1;
	struct queue *q = message_vring_fd(s, m, &fd, e);

	if (!q)
		return -e->code;
	if (fd < 0)
		return err_set(e, EINVAL, "queue %u without a kick descriptor: no polling here",
			q->vq.index);
	queue_stop(s, q);
	fd_drop(&q->vq.kick.fd);
	q->vq.kick.fd = fd_take(&fd);
	return queue_start(s, q, e);
}

static int on_set_vring_call(struct vhost_user_server *s, struct message *m, struct err *e)
{
	cleanup_fd int fd = -1;
	struct queue *q = message_vring_fd(s, m, &fd, e);

	if (!q)
		return -e->code;
	fd_drop(&q->vq.call_fd);
	q->vq.call_fd = fd_take(&fd);
	/* What was finished while there was nobody to call: one call too many harms nobody. */
	q->vq.told = false;
	q->vq.pushed = 1;
	virtq_notify(&q->vq);
	return 0;
}

static int on_set_vring_err(struct vhost_user_server *s, struct message *m, struct err *e)
{
	cleanup_fd int fd = -1;
	struct queue *q = message_vring_fd(s, m, &fd, e);

	if (!q)
		return -e->code;
	fd_drop(&q->vq.err_fd);
	q->vq.err_fd = fd_take(&fd);
	return 0;
}

static int on_set_vring_enable(struct vhost_user_server *s, struct message *m, struct err *e)
{
	struct queue *q = server_queue(s, m->p.state.index, e);

	if (!q)
		return -e->code;
	if (m->p.state.num > 1)
		return err_set(e, EINVAL, "neither 0 nor 1");
	q->enabled = m->p.state.num;
	if (q->enabled)
		return queue_start(s, q, e);
	queue_stop(s, q);
	return 0;
}

static int on_get_config(struct vhost_user_server *s, struct message *m, struct err *e)
{
	uint8_t all[VHOST_USER_CONFIG_MAX] = {0};

	if (message_check_config(m, e) < 0)
		return -e->code;
	s->device->ops->config(s->device, all);
	memcpy(m->p.config.bytes, all + m->p.config.offset, m->p.config.size);
	return 1;
}

static int on_set_config(struct vhost_user_server *s, struct message *m, struct err *e)
{
	const struct vhost_user_config *c = &m->p.config;

	if (message_check_config(m, e) < 0)
		return -e->code;
	if (s->device->ops->set_config &&
		s->device->ops->set_config(s->device, c->offset, c->bytes, c->size))
		return 0;
	/* The guest's write to fields that no feature we offer makes writable. */
	log_limited(LOG_INFO, s->device->name, "write to the configuration ignored");
	err_set(e, EOPNOTSUPP, "nothing in the configuration can be written");
	return -EOPNOTSUPP;
}

static int on_set_backend_req_fd(struct vhost_user_server *s, struct message *m, struct err *e)
{
	(void)e;
	fd_drop(&s->backend_req);
	s->backend_req = fd_take(&m->fds[0]);
	return 0;
}

/* message_inflight() - is it a GET or SET_INFLIGHT_FD for now? The padding may be missing. */
static int message_inflight(struct vhost_user_server *s, const struct message *m, struct err *e)
{
	if (m->h.size < offsetof(struct vhost_user_inflight, padding))
		return err_set(e, EINVAL, "%u bytes of payload", m->h.size);
	return server_any_running(s) ? err_set(e, EBUSY, "a queue runs") : 0;
}

static int on_get_inflight_fd(struct vhost_user_server *s, struct message *m, struct err *e)
{
	if (message_inflight(s, m, e) < 0)
		return -e->code;
	m->reply_fd = inflight_store_offer(&s->inflight, &m->p.inflight, e);
	return m->reply_fd < 0 ? m->reply_fd : 1;
}

static int on_set_inflight_fd(struct vhost_user_server *s, struct message *m, struct err *e)
{
	if (message_inflight(s, m, e) < 0)
		return -e->code;
	return inflight_store_take(&s->inflight, &m->p.inflight, m->fds[0], e);
}

static int on_reset_device(struct vhost_user_server *s, struct message *m, struct err *e)
{
	(void)m, (void)e;
	server_stop_all(s);
	for (unsigned int i = 0; i < s->device->n_queues; i++) {
		struct queue *q = &s->queues[i];

		q->enabled = q->has_addr = false;
		q->vq.base = 0;
		fd_drop(&q->vq.kick.fd);
	}
	return 0;
}

#define ANY_FDS VHOST_USER_TABLE_REGIONS /* up to this many; the handler checks */

static const struct handler {
	const char *name;
	int (*fn)(struct vhost_user_server *s, struct message *m, struct err *e);
	uint32_t size; /* of the payload */
	bool up_to;    /* size is the largest, the handler checks */
	uint8_t min_fds, max_fds;
} handlers[] = {
#define ROW(id, fn, ...) [VHOST_USER_##id] = {#id, fn, __VA_ARGS__}
	ROW(GET_FEATURES, on_get_features, 0),
	ROW(SET_FEATURES, on_set_features, 8),
	ROW(SET_OWNER, on_nothing, 0),
	ROW(RESET_OWNER, on_nothing, 0), /* "no longer used", and does nothing elsewhere either */
	ROW(SET_MEM_TABLE, on_set_mem_table, sizeof(struct vhost_user_mem_table), true, 0, ANY_FDS),
	ROW(SET_VRING_NUM, on_set_vring_num, 8),
	ROW(SET_VRING_ADDR, on_set_vring_addr, 40),
	ROW(SET_VRING_BASE, on_set_vring_base, 8),
	ROW(GET_VRING_BASE, on_get_vring_base, 8),
	ROW(SET_VRING_KICK, on_set_vring_kick, 8, false, 0, 1),
	ROW(SET_VRING_CALL, on_set_vring_call, 8, false, 0, 1),
	ROW(SET_VRING_ERR, on_set_vring_err, 8, false, 0, 1),
	ROW(GET_PROTOCOL_FEATURES, on_get_protocol_features, 0),
	ROW(SET_PROTOCOL_FEATURES, on_set_protocol_features, 8),
	ROW(GET_QUEUE_NUM, on_get_queue_num, 0),
	ROW(SET_VRING_ENABLE, on_set_vring_enable, 8),
	ROW(SET_BACKEND_REQ_FD, on_set_backend_req_fd, 0, false, 1, 1),
	ROW(GET_CONFIG, on_get_config, sizeof(struct vhost_user_config), true),
	ROW(SET_CONFIG, on_set_config, sizeof(struct vhost_user_config), true),
	ROW(GET_INFLIGHT_FD, on_get_inflight_fd, sizeof(struct vhost_user_inflight), true),
	ROW(SET_INFLIGHT_FD, on_set_inflight_fd, sizeof(struct vhost_user_inflight), true, 1, 1),
	ROW(RESET_DEVICE, on_reset_device, 0),
	ROW(GET_MAX_MEM_SLOTS, on_get_max_mem_slots, 0),
	ROW(ADD_MEM_REG, on_add_mem_reg, sizeof(struct vhost_user_mem_reg), false, 1, 1),
	ROW(REM_MEM_REG, on_rem_mem_reg, sizeof(struct vhost_user_mem_reg), false, 0, 1),
#undef ROW
};

/* message_handler() - Return: the row for a message whose header is here, or NULL and why. */
static const struct handler *message_handler(const struct message *m, struct err *e)
{
	const struct handler *h = NULL;

	if (m->h.request < ARRAY_SIZE(handlers) && handlers[m->h.request].fn)
		h = &handlers[m->h.request];
	if (!h)
		err_set(e, EINVAL, "message %u is not known", m->h.request);
	else if ((m->h.flags & ~VHOST_USER_NEED_REPLY) != VHOST_USER_VERSION)
		err_set(e, EINVAL, "%s: flags 0x%x", h->name, m->h.flags);
	else if (h->up_to ? m->h.size > h->size : m->h.size != h->size)
		err_set(e, EINVAL, "%s: %u bytes of payload", h->name, m->h.size);
	else
		return h;
	return NULL;
}

/* server_handle() - act on a complete message. Return: 0 or -errno. */
static int server_handle(
	struct vhost_user_server *s, struct message *m, const struct handler *h, struct err *e)
{
	bool ack = (s->protocol_features & VHOST_USER_PROTOCOL_F_REPLY_ACK) &&
		(m->h.flags & VHOST_USER_NEED_REPLY);
	int rc, sent = 0;

	if (m->n_fds < h->min_fds || m->n_fds > h->max_fds)
		rc = err_set(e, EINVAL, "%zu descriptors", m->n_fds);
	else
		rc = h->fn(s, m, e);
	if (rc == 0 && ack)
		rc = message_set_u64(m, 0);
	else if (rc < 0 && ack)
		message_set_u64(m, 1);
	if (rc > 0 || ack)
		sent = message_reply(m, s->sock.fd);
	if (rc < 0 && rc != -EOPNOTSUPP)
		return err_context(e, "%s", h->name);
	return sent < 0 ? err_sys(e, -sent, "%s: reply", h->name) : 0;
}

/*
 * server_receive() - take what has come of the message. Nothing waits for a front end that sends
 * half of one. Return: 1 if it is complete, 0 if more must come, -EPIPE at the end, or -errno.
 */
static int server_receive(struct vhost_user_server *s, struct message *m, struct err *e)
{
	size_t want = sizeof(m->h) + (m->got < sizeof(m->h) ? 0 : m->h.size);
	size_t room = ARRAY_SIZE(m->fds) - m->n_fds;
	uint8_t *to = m->got < sizeof(m->h) ? (uint8_t *)&m->h + m->got
					    : (uint8_t *)&m->p + (m->got - sizeof(m->h));
	ssize_t n = fd_recv(s->sock.fd, to, want - m->got, m->fds + m->n_fds, &room);

	if (n == 0 && m->got == 0)
		return -EPIPE;
	if (n <= 0)
		return err_sys(e, n ? (int)-n : EPROTO, "receiving a message");
	m->n_fds += room;
	m->got += (size_t)n;
	if (m->got < sizeof(m->h))
		return 0;
	if (!message_handler(m, e))
		return -e->code;
	return m->got == sizeof(m->h) + m->h.size;
}

static void server_end(struct vhost_user_server *s, int result)
{
	s->result = result;
	loop_remove(s->loop, &s->sock);
	loop_stop(s->loop);
}

static void server_ready(void *ctx, uint32_t events)
{
	struct vhost_user_server *s = ctx;
	struct message *m = &s->msg;
	struct err e = ERR_INIT;
	int rc = server_receive(s, m, &e);

	(void)events;
	if (rc > 0)
		rc = server_handle(s, m, message_handler(m, &e), &e), message_reset(m);
	if (rc == 0)
		return;
	if (rc != -EPIPE || e.code)
		log_error(s->device->name, "vhost-user: %s", e.text);
	message_reset(m);
	server_end(s, rc == -EPIPE && !e.code ? 0 : rc);
}

/* server_init_stats() - Return: 0 or -ENOMEM. */
static int server_init_stats(
	struct vhost_user_server *s, struct device_counters *counters, struct err *e)
{
	if (!counters)
		return 0;
	s->stats = calloc(s->device->n_queues, sizeof(*s->stats));
	for (unsigned int i = 0; s->stats && i < s->device->n_queues; i++)
		s->stats[i].counters = &counters->queues[i];
	return s->stats ? 0 : err_sys(e, ENOMEM, "counters");
}

static void server_init_queues(struct vhost_user_server *s)
{
	for (unsigned int i = 0; i < s->device->n_queues; i++) {
		struct virtq *vq = &s->queues[i].vq;

		vq->view = &s->view;
		vq->tag = s->device->name;
		vq->device = s->device;
		vq->broken = &s->broken;
		vq->inflight = &s->queues[i].inflight;
		vq->stats = s->stats ? &s->stats[i] : NULL;
		vq->index = (uint16_t)i;
		vq->call_fd = vq->err_fd = -1;
		vq->kick = (struct loop_source){.fd = -1, .fn = s->device->ops->kicked, .ctx = vq};
	}
}

int vhost_user_server_create(struct vhost_user_server **out,
	const struct vhost_user_server_config *config, struct err *e)
{
	struct vhost_user_server *s = calloc(1, sizeof(*s));
	int sock = config->sock;

	*out = NULL;
	assert(config->device->n_queues && config->device->n_queues <= DEVICE_QUEUES_MAX);
	if (!s) {
		fd_drop(&sock);
		return err_sys(e, ENOMEM, "vhost-user");
	}
	s->loop = config->loop;
	s->device = config->device;
	s->result = -EINPROGRESS;
	s->backend_req = s->inflight.fresh_fd = -1;
	s->sock = (struct loop_source){.fd = sock, .fn = server_ready, .ctx = s};
	if (server_init_stats(s, config->counters, e) < 0) {
		fd_drop(&sock);
		free(s);
		return -e->code;
	}
	server_init_queues(s);
	if (view_init(&s->view, config->ledger_fd, e) < 0 ||
		inflight_store_init(&s->inflight, s->device->n_queues, VIRTQ_NUM_MAX, e) < 0 ||
		loop_add(s->loop, &s->sock, EPOLLIN, e) < 0) {
		vhost_user_server_destroy(s);
		return err_context(e, "vhost-user");
	}
	*out = s;
	return 0;
}

void vhost_user_server_destroy(struct vhost_user_server *s)
{
	if (!s)
		return;
	server_stop_all(s);
	for (unsigned int i = 0; i < s->device->n_queues; i++) {
		fd_drop(&s->queues[i].vq.kick.fd);
		fd_drop(&s->queues[i].vq.call_fd);
		fd_drop(&s->queues[i].vq.err_fd);
	}
	message_reset(&s->msg);
	loop_remove(s->loop, &s->sock);
	fd_drop(&s->sock.fd);
	fd_drop(&s->backend_req);
	inflight_store_fini(&s->inflight);
	view_fini(&s->view);
	free(s->stats);
	free(s);
}

int vhost_user_server_result(const struct vhost_user_server *s)
{
	return s->result;
}
