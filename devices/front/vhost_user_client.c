/* SPDX-License-Identifier: Apache-2.0 */
/* The vhost-user front end; see devices/front/vhost_user_client.h. */
#include "devices/front/vhost_user_client.h"

#include "base/fd.h"
#include "devices/front/vhost_user_io.h"
#include "devices/wire/vhost_user.h"
#include "devices/wire/virtio.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define MAX_RINGS 64

static_assert(VHOST_USER_CLIENT_MEMORIES == VHOST_USER_TABLE_REGIONS, "as on the wire");
static_assert(VHOST_USER_CLIENT_CONFIG_MAX == VHOST_USER_CONFIG_MAX, "as on the wire");

#define WANTED_PROTOCOL                                                                            \
	(VHOST_USER_PROTOCOL_F_MQ | VHOST_USER_PROTOCOL_F_REPLY_ACK |                              \
		VHOST_USER_PROTOCOL_F_CONFIG | VHOST_USER_PROTOCOL_F_INFLIGHT_SHMFD)

struct vhost_user_client {
	struct vhost_user_io io;
	uint64_t features, protocol, queues;
	struct vhost_user_memory memory[VHOST_USER_TABLE_REGIONS];
	unsigned int n_memory;
	bool memory_sent;
	uint32_t started[MAX_RINGS]; /* indices of rings that the back end was told of */
	unsigned int n_started;
};

/* set() - send a message that has no reply of its own, and wait for its acknowledgement if any. */
static int set(struct vhost_user_client *c, struct vhost_user_call *call, struct err *e)
{
	uint64_t ack = 0;
	int rc;

	if (!(c->protocol & VHOST_USER_PROTOCOL_F_REPLY_ACK))
		return vhost_user_io_send(&c->io, call, e);
	call->flags = VHOST_USER_NEED_REPLY;
	call->reply = &ack;
	call->reply_len = sizeof(ack);
	rc = vhost_user_io_call(&c->io, call, e);
	if (!rc && ack)
		return err_set(e, EREMOTEIO, "%s: the back end refuses vhost-user request %u",
			c->io.name, call->request);
	return rc;
}

static int set_u64(struct vhost_user_client *c, uint32_t request, uint64_t v, struct err *e)
{
	struct vhost_user_call call = {.request = request, .body = &v, .len = sizeof(v)};

	return set(c, &call, e);
}

static int set_fd(
	struct vhost_user_client *c, uint32_t request, uint32_t index, int fd, struct err *e)
{
	uint64_t v = index;
	struct vhost_user_call call = {
		.request = request, .body = &v, .len = sizeof(v), .fds = &fd, .n_fds = 1};

	return set(c, &call, e);
}

static int set_state(struct vhost_user_client *c, uint32_t request,
	struct vhost_user_vring_state state, struct err *e)
{
	struct vhost_user_call call = {.request = request, .body = &state, .len = sizeof(state)};

	return set(c, &call, e);
}

static int get_u64(struct vhost_user_client *c, uint32_t request, uint64_t *v, struct err *e)
{
	struct vhost_user_call call = {.request = request, .reply = v, .reply_len = sizeof(*v)};

	return vhost_user_io_call(&c->io, &call, e);
}

static int negotiate_protocol(struct vhost_user_client *c, struct err *e)
{
	uint64_t wanted;
	int rc = get_u64(c, VHOST_USER_GET_PROTOCOL_FEATURES, &wanted, e);

	if (rc)
		return rc;
	wanted &= WANTED_PROTOCOL;
	rc = set_u64(c, VHOST_USER_SET_PROTOCOL_FEATURES, wanted, e);
	c->protocol = wanted;
	if (!rc && (wanted & VHOST_USER_PROTOCOL_F_MQ))
		rc = get_u64(c, VHOST_USER_GET_QUEUE_NUM, &c->queues, e);
	return rc;
}

static int negotiate(struct vhost_user_client *c, struct err *e)
{
	struct vhost_user_call owner = {.request = VHOST_USER_SET_OWNER};
	int rc = get_u64(c, VHOST_USER_GET_FEATURES, &c->features, e);

	if (rc)
		return rc;
	if (!(c->features & VIRTIO_F_VERSION_1))
		return err_set(e, EPROTO, "%s: offers no VIRTIO_F_VERSION_1", c->io.name);
	if (c->features & VHOST_USER_F_PROTOCOL_FEATURES)
		rc = negotiate_protocol(c, e);
	return rc ? rc : set(c, &owner, e);
}

int vhost_user_client_create(
	struct vhost_user_client **out, const struct vhost_user_client_desc *desc, struct err *e)
{
	unsigned int ms = desc->timeout_ms ? desc->timeout_ms : VHOST_USER_CLIENT_TIMEOUT_MS;
	cleanup_fd int sock = desc->sock;
	struct vhost_user_client *c = calloc(1, sizeof(*c));

	*out = NULL;
	if (!c)
		return err_sys(e, ENOMEM, "%s", desc->name);
	vhost_user_io_init(&c->io, fd_take(&sock), desc->name, ms);
	if (desc->n_memory > VHOST_USER_TABLE_REGIONS) {
		err_set(e, EINVAL, "%s: %u memory regions, at most %u", desc->name, desc->n_memory,
			VHOST_USER_TABLE_REGIONS);
		goto fail;
	}
	if (desc->n_memory)
		memcpy(c->memory, desc->memory, desc->n_memory * sizeof(*c->memory));
	c->n_memory = desc->n_memory;
	vhost_user_io_begin(&c->io);
	if (negotiate(c, e))
		goto fail;
	*out = c;
	return 0;
fail:
	vhost_user_client_destroy(c);
	return -e->code;
}

void vhost_user_client_destroy(struct vhost_user_client *c)
{
	if (!c)
		return;
	vhost_user_io_fini(&c->io);
	free(c);
}

int vhost_user_client_fd(const struct vhost_user_client *c)
{
	return c->io.sock;
}

uint64_t vhost_user_client_features(const struct vhost_user_client *c)
{
	return c->features & ~VHOST_USER_F_PROTOCOL_FEATURES;
}

uint64_t vhost_user_client_queues(const struct vhost_user_client *c)
{
	return c->queues;
}

static bool has_config(const struct vhost_user_client *c)
{
	return c->protocol & VHOST_USER_PROTOCOL_F_CONFIG;
}

int vhost_user_client_get_config(
	struct vhost_user_client *c, void *buf, uint32_t len, struct err *e)
{
	struct vhost_user_config body = {.size = len}, reply = {0};
	struct vhost_user_call call = {.request = VHOST_USER_GET_CONFIG, .body = &body};
	int rc;

	assert(len >= 1 && len <= VHOST_USER_CONFIG_MAX);
	if (!has_config(c))
		return err_set(e, ENOTSUP, "%s: has no device configuration", c->io.name);
	call.len = call.reply_len = (uint32_t)offsetof(struct vhost_user_config, bytes) + len;
	call.reply = &reply;
	vhost_user_io_begin(&c->io);
	rc = vhost_user_io_call(&c->io, &call, e);
	if (!rc && reply.size != len)
		return vhost_user_io_fail(&c->io, &call, EPROTO, "answered another length", e);
	if (!rc)
		memcpy(buf, reply.bytes, len);
	return rc;
}

int vhost_user_client_set_config(
	struct vhost_user_client *c, uint32_t off, const void *buf, uint32_t len, struct err *e)
{
	struct vhost_user_config body = {.offset = off, .size = len};
	struct vhost_user_call call = {.request = VHOST_USER_SET_CONFIG, .body = &body};

	assert(len >= 1 && len <= 8);
	if (!has_config(c))
		return err_set(e, ENOTSUP, "%s: has no device configuration", c->io.name);
	memcpy(body.bytes, buf, len);
	call.len = (uint32_t)offsetof(struct vhost_user_config, bytes) + len;
	vhost_user_io_begin(&c->io);
	return set(c, &call, e);
}

static int send_memory(struct vhost_user_client *c, struct err *e)
{
	struct vhost_user_mem_table table = {.n_regions = c->n_memory};
	int fds[VHOST_USER_TABLE_REGIONS];
	struct vhost_user_call call = {.request = VHOST_USER_SET_MEM_TABLE,
		.body = &table,
		.fds = fds,
		.n_fds = c->n_memory};
	int rc;

	if (c->memory_sent)
		return 0;
	for (unsigned int i = 0; i < c->n_memory; i++) {
		const struct vhost_user_memory *m = &c->memory[i];

		table.regions[i] = (struct vhost_user_region){.gpa = m->gpa.v,
			.size = m->len,
			.user_addr = m->gpa.v + VHOST_USER_CLIENT_BASE,
			.mmap_offset = m->offset};
		fds[i] = m->fd;
	}
	call.len = (uint32_t)(offsetof(struct vhost_user_mem_table, regions) +
		c->n_memory * sizeof(table.regions[0]));
	rc = set(c, &call, e);
	c->memory_sent = !rc;
	return rc;
}

static int send_addresses(
	struct vhost_user_client *c, const struct vhost_user_ring *r, struct err *e)
{
	struct vhost_user_vring_addr addr = {.index = r->index,
		.desc = r->desc.v + VHOST_USER_CLIENT_BASE,
		.avail = r->avail.v + VHOST_USER_CLIENT_BASE,
		.used = r->used.v + VHOST_USER_CLIENT_BASE};
	struct vhost_user_call call = {
		.request = VHOST_USER_SET_VRING_ADDR, .body = &addr, .len = sizeof(addr)};

	return set(c, &call, e);
}

/* start_ring() - all of a ring but its enabling; the kick comes last, it starts the ring. */
static int start_ring(struct vhost_user_client *c, const struct vhost_user_ring *r, struct err *e)
{
	struct vhost_user_vring_state size = {r->index, r->size}, base = {r->index, r->base};
	int rc = set_state(c, VHOST_USER_SET_VRING_NUM, size, e);

	rc = rc ? rc : set_state(c, VHOST_USER_SET_VRING_BASE, base, e);
	rc = rc ? rc : send_addresses(c, r, e);
	rc = rc ? rc : set_fd(c, VHOST_USER_SET_VRING_CALL, r->index, r->call, e);
	rc = rc ? rc : set_fd(c, VHOST_USER_SET_VRING_ERR, r->index, r->err, e);
	c->started[c->n_started++] = r->index;
	return rc ? rc : set_fd(c, VHOST_USER_SET_VRING_KICK, r->index, r->kick, e);
}

static int enable_ring(struct vhost_user_client *c, uint32_t index, bool on, struct err *e)
{
	struct vhost_user_vring_state state = {index, on};

	if (!(c->features & VHOST_USER_F_PROTOCOL_FEATURES))
		return 0; /* such a back end's rings are always enabled */
	return set_state(c, VHOST_USER_SET_VRING_ENABLE, state, e);
}

/* get_record() - ask for a fresh record of requests in flight. */
static int get_record(
	struct vhost_user_client *c, const struct vhost_user_setup *setup, struct err *e)
{
	struct vhost_user_record *r = setup->record;
	struct vhost_user_inflight ask = {.queue_size = setup->queue_size}, reply;
	struct vhost_user_call call = {.request = VHOST_USER_GET_INFLIGHT_FD,
		.body = &ask,
		.len = sizeof(ask),
		.reply = &reply,
		.reply_len = sizeof(reply),
		.reply_fd = &r->fd};
	int rc;

	for (unsigned int i = 0; i < setup->n_rings; i++)
		if (setup->rings[i].index >= ask.num_queues)
			ask.num_queues = (uint16_t)(setup->rings[i].index + 1);
	rc = vhost_user_io_call(&c->io, &call, e);
	if (rc)
		return rc;
	r->size = reply.mmap_size;
	r->offset = reply.mmap_offset;
	r->n_queues = ask.num_queues;
	r->queue_size = ask.queue_size;
	return 0;
}

static int send_record(
	struct vhost_user_client *c, const struct vhost_user_setup *setup, struct err *e)
{
	const struct vhost_user_record *r = setup->record;
	struct vhost_user_inflight body;
	struct vhost_user_call call = {.request = VHOST_USER_SET_INFLIGHT_FD,
		.body = &body,
		.len = sizeof(body),
		.n_fds = 1};
	int rc = 0;

	if (!(c->protocol & VHOST_USER_PROTOCOL_F_INFLIGHT_SHMFD) || !r || !setup->n_rings)
		return 0;
	if (r->fd < 0)
		rc = get_record(c, setup, e);
	call.fds = &r->fd;
	body = (struct vhost_user_inflight){.mmap_size = r->size,
		.mmap_offset = r->offset,
		.num_queues = r->n_queues,
		.queue_size = r->queue_size};
	return rc ? rc : set(c, &call, e);
}

int vhost_user_client_start(
	struct vhost_user_client *c, const struct vhost_user_setup *setup, struct err *e)
{
	uint64_t features = setup->features & c->features & ~VIRTIO_F_ACCESS_PLATFORM;
	int rc;

	assert(setup->n_rings <= MAX_RINGS && !c->n_started);
	features |= c->features & VHOST_USER_F_PROTOCOL_FEATURES;
	vhost_user_io_begin(&c->io);
	rc = set_u64(c, VHOST_USER_SET_FEATURES, features, e);
	rc = rc ? rc : send_memory(c, e);
	rc = rc ? rc : send_record(c, setup, e);
	for (unsigned int i = 0; i < setup->n_rings && !rc; i++)
		rc = start_ring(c, &setup->rings[i], e);
	for (unsigned int i = 0; i < setup->n_rings && !rc; i++)
		rc = enable_ring(c, setup->rings[i].index, true, e);
	return rc;
}

static int stop_ring(struct vhost_user_client *c, uint32_t index, uint32_t *base, struct err *e)
{
	struct vhost_user_vring_state state = {index, 0}, reply;
	struct vhost_user_call call = {.request = VHOST_USER_GET_VRING_BASE,
		.body = &state,
		.len = sizeof(state),
		.reply = &reply,
		.reply_len = sizeof(reply)};
	int rc = vhost_user_io_call(&c->io, &call, e);

	if (!rc && reply.index != index)
		return vhost_user_io_fail(&c->io, &call, EPROTO, "answered for another ring", e);
	if (!rc)
		*base = reply.num;
	return rc;
}

int vhost_user_client_stop(struct vhost_user_client *c, uint32_t *bases, struct err *e)
{
	uint32_t base;
	int rc = 0;

	vhost_user_io_begin(&c->io);
	for (unsigned int i = 0; i < c->n_started && !rc; i++)
		rc = stop_ring(c, c->started[i], bases ? &bases[c->started[i]] : &base, e);
	for (unsigned int i = 0; i < c->n_started && !rc; i++)
		rc = enable_ring(c, c->started[i], false, e);
	c->n_started = 0;
	return rc;
}

bool vhost_user_client_given_up(const struct vhost_user_client *c)
{
	return c->io.broken;
}
