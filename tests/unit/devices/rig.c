/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/devices/rig.h"

#include "base/fd.h"
#include "tests/unit/unit.h"

#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>

#define LEDGER_PAGES ((RIG_GPA + RIG_SIZE) >> PAGE_SHIFT)

void rig_open(struct rig *r)
{
	struct ledger_header h = {.magic = LEDGER_MAGIC, .n_pages = LEDGER_PAGES};

	memset(r, 0, sizeof(*r));
	r->sock = -1;
	r->mem_fd = memfd_create("guest", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	r->ledger_fd = memfd_create("ledger", MFD_CLOEXEC);
	assert_int_equal(ftruncate(r->mem_fd, RIG_SIZE), 0);
	assert_int_equal(ftruncate(r->ledger_fd, 2 * PAGE_SIZE), 0);
	r->mem = mmap(NULL, RIG_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, r->mem_fd, 0);
	r->ledger = mmap(NULL, 2 * PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, r->ledger_fd, 0);
	assert_ptr_not_equal(r->mem, MAP_FAILED);
	assert_ptr_not_equal(r->ledger, MAP_FAILED);
	memcpy(r->ledger, &h, sizeof(h));
	rig_share(r, RIG_GPA, RIG_SIZE, true);
	for (unsigned int i = 0; i < RIG_QUEUES; i++) {
		r->kick[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		r->call[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		r->err[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	}
}

void rig_close(struct rig *r)
{
	vhost_user_server_destroy(r->server);
	loop_destroy(r->loop);
	fd_drop(&r->sock);
	for (unsigned int i = 0; i < RIG_QUEUES; i++) {
		fd_drop(&r->kick[i]);
		fd_drop(&r->call[i]);
		fd_drop(&r->err[i]);
	}
	munmap(r->mem, RIG_SIZE);
	munmap(r->ledger, 2 * PAGE_SIZE);
	fd_drop(&r->mem_fd);
	fd_drop(&r->ledger_fd);
}

void rig_serve(struct rig *r, struct back_device *device)
{
	struct vhost_user_server_config config = {
		.loop = r->loop, .ledger_fd = r->ledger_fd, .device = device};
	struct err e = ERR_INIT;
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	r->sock = ends[0];
	config.sock = ends[1];
	assert_int_equal(vhost_user_server_create(&r->server, &config, &e), 0);
}

void rig_turn(struct rig *r)
{
	for (int i = 0; r->loop && i < 16; i++)
		assert_int_equal(loop_run_once(r->loop, 0), 0);
}

void rig_send(struct rig *r, uint32_t id, const void *payload, uint32_t size, int fd)
{
	struct vhost_user_header h = {id, VHOST_USER_VERSION, size};
	uint8_t out[sizeof(h) + sizeof(union vhost_user_payload)];

	memcpy(out, &h, sizeof(h));
	memcpy(out + sizeof(h), payload, size);
	assert_int_equal(fd_send(r->sock, out, sizeof(h) + size, &fd, fd >= 0), 0);
	rig_turn(r);
}

int rig_reply(struct rig *r, struct vhost_user_header *h, void *payload, size_t room)
{
	if (fd_read_full(r->sock, h, sizeof(*h)) < 0)
		return -1;
	assert_true(h->size <= room);
	assert_int_equal(h->flags, VHOST_USER_VERSION | VHOST_USER_REPLY);
	assert_int_equal(fd_read_full(r->sock, payload, h->size), 0);
	return (int)h->size;
}

uint64_t rig_ask(struct rig *r, uint32_t id, const void *payload, uint32_t size)
{
	struct vhost_user_header h;
	uint64_t value;

	rig_send(r, id, payload, size, -1);
	assert_int_equal(rig_reply(r, &h, &value, sizeof(value)), sizeof(value));
	assert_int_equal(h.request, id);
	return value;
}

void rig_memory(struct rig *r)
{
	const struct {
		uint32_t n, padding;
		struct vhost_user_region region;
	} table = {1, 0, {RIG_GPA, RIG_SIZE, RIG_USER, r->offset}};

	rig_send(r, VHOST_USER_SET_MEM_TABLE, &table, sizeof(table), r->mem_fd);
}

static void rig_state(struct rig *r, uint32_t id, uint32_t queue, uint32_t num)
{
	const struct vhost_user_vring_state state = {queue, num};

	rig_send(r, id, &state, sizeof(state), -1);
}

/* rig_record() - let the back end record what is in flight in its n queues. */
static void rig_record(struct rig *r, unsigned int n)
{
	const struct vhost_user_inflight ask = {.num_queues = (uint16_t)n, .queue_size = RIG_NUM};
	struct vhost_user_header h;
	uint8_t reply[sizeof(h) + sizeof(ask)];
	size_t n_fds = 1;
	int fd = -1;

	rig_send(r, VHOST_USER_GET_INFLIGHT_FD, &ask, sizeof(ask), -1);
	assert_int_equal(fd_recv(r->sock, reply, sizeof(reply), &fd, &n_fds), sizeof(reply));
	memcpy(&h, reply, sizeof(h));
	assert_int_equal(h.request, VHOST_USER_GET_INFLIGHT_FD);
	assert_int_equal(n_fds, 1);
	rig_send(r, VHOST_USER_SET_INFLIGHT_FD, reply + sizeof(h), sizeof(ask), fd);
	fd_drop(&fd);
}

void rig_start(struct rig *r, unsigned int n, uint64_t features)
{
	uint64_t offered = rig_ask(r, VHOST_USER_GET_FEATURES, "", 0), value;

	features |= VIRTIO_F_VERSION_1 | VHOST_USER_F_PROTOCOL_FEATURES;
	assert_int_equal(features & ~offered, 0);
	value = rig_ask(r, VHOST_USER_GET_PROTOCOL_FEATURES, "", 0);
	rig_send(r, VHOST_USER_SET_PROTOCOL_FEATURES, &value, sizeof(value), -1);
	rig_send(r, VHOST_USER_SET_OWNER, "", 0, -1);
	rig_send(r, VHOST_USER_SET_FEATURES, &features, sizeof(features), -1);
	rig_memory(r);
	rig_record(r, n);
	for (unsigned int q = 0; q < n; q++) {
		const struct vhost_user_vring_addr addr = {
			.index = q,
			.desc = RIG_USER + RIG_DESC(q) - RIG_GPA,
			.avail = RIG_USER + RIG_AVAIL(q) - RIG_GPA,
			.used = RIG_USER + RIG_USED(q) - RIG_GPA,
		};

		value = q;
		rig_state(r, VHOST_USER_SET_VRING_NUM, q, RIG_NUM);
		rig_state(r, VHOST_USER_SET_VRING_BASE, q,
			features & VIRTIO_F_RING_PACKED ? 0x80008000u : 0);
		rig_send(r, VHOST_USER_SET_VRING_ADDR, &addr, sizeof(addr), -1);
		rig_send(r, VHOST_USER_SET_VRING_CALL, &value, sizeof(value), r->call[q]);
		rig_send(r, VHOST_USER_SET_VRING_ERR, &value, sizeof(value), r->err[q]);
		rig_send(r, VHOST_USER_SET_VRING_KICK, &value, sizeof(value), r->kick[q]);
		rig_state(r, VHOST_USER_SET_VRING_ENABLE, q, 1);
	}
}

void *rig_at(struct rig *r, uint64_t gpa)
{
	assert_in_range(gpa, RIG_GPA, RIG_GPA + RIG_SIZE - 1);
	return r->mem + (gpa - RIG_GPA);
}

void rig_desc(struct rig *r, uint64_t table, unsigned int i, struct rig_desc d)
{
	memcpy(rig_at(r, table + 16 * i), &d, sizeof(d));
}

void rig_offer(struct rig *r, unsigned int q, uint16_t head)
{
	uint16_t *avail = rig_at(r, RIG_AVAIL(q));

	avail[2 + avail[1] % RIG_NUM] = head;
	__atomic_store_n(&avail[1], (uint16_t)(avail[1] + 1), __ATOMIC_RELEASE);
}

void rig_offer_packed(
	struct rig *r, uint16_t *at, const struct rig_desc *d, unsigned int n, uint16_t id)
{
	struct vring_packed_desc *ring = rig_at(r, RIG_DESC(0));
	uint16_t first = 0, pos = *at;

	for (unsigned int i = 0; i < n; i++, pos++) {
		uint16_t lap = pos & RIG_NUM ? VRING_DESC_F_USED : VRING_DESC_F_AVAIL;
		uint16_t flags = (uint16_t)(d[i].flags | lap | (i + 1 < n ? RIG_NEXT : 0));

		ring[pos % RIG_NUM] = (struct vring_packed_desc){d[i].addr, d[i].len,
			i + 1 < n ? 0 : id, i ? flags : ring[pos % RIG_NUM].flags};
		first = i ? first : flags;
	}
	__atomic_store_n(&ring[*at % RIG_NUM].flags, first, __ATOMIC_RELEASE);
	*at = pos;
}

bool rig_used_packed(struct rig *r, uint16_t at, struct vring_packed_desc *d)
{
	struct vring_packed_desc *ring = rig_at(r, RIG_DESC(0));
	uint16_t both = at & RIG_NUM ? 0 : VRING_PACKED_DESC_F_BOTH;
	uint16_t flags = __atomic_load_n(&ring[at % RIG_NUM].flags, __ATOMIC_ACQUIRE);

	*d = ring[at % RIG_NUM];
	return (flags & VRING_PACKED_DESC_F_BOTH) == both;
}

void rig_kick(struct rig *r, unsigned int q)
{
	assert_int_equal(eventfd_write(r->kick[q], 1), 0);
	rig_turn(r);
}

uint16_t rig_used(struct rig *r, unsigned int q)
{
	return __atomic_load_n((uint16_t *)rig_at(r, RIG_USED(q) + 2), __ATOMIC_ACQUIRE);
}

uint32_t rig_used_len(struct rig *r, unsigned int q, unsigned int n)
{
	uint32_t len;

	memcpy(&len, rig_at(r, RIG_USED(q) + 4 + 8 * (n % RIG_NUM) + 4), sizeof(len));
	return len;
}

void rig_share(struct rig *r, uint64_t gpa, uint64_t len, bool shared)
{
	uint8_t *bits = r->ledger + PAGE_SIZE;

	for (uint64_t p = gpa >> PAGE_SHIFT; p <= (gpa + len - 1) >> PAGE_SHIFT; p++) {
		uint8_t bit = (uint8_t)(1u << (p % 8));

		bits[p / 8] = (uint8_t)(shared ? bits[p / 8] | bit : bits[p / 8] & ~bit);
	}
}

uint64_t rig_count(int fd)
{
	uint64_t n;

	return eventfd_read(fd, &n) < 0 ? 0 : n;
}
