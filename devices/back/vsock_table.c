/* SPDX-License-Identifier: Apache-2.0 */
/* The table of vsock connections; see devices/back/vsock_table.h. */
#include "devices/back/vsock_table.h"

#include "base/num.h"

#include <assert.h>
#include <errno.h>
#include <stddef.h>

#define BUCKETS 512u

struct vsock_table {
	struct vsock_conn conns[VSOCK_CONNS];
	struct vsock_conn *buckets[BUCKETS];
	struct vsock_conn *free; /* linked by hash_next */
	struct vsock_link ready, dispensable;
	unsigned int n, n_of_guest;
	uint8_t *rings;
};

static void list_init(struct vsock_link *head)
{
	head->next = head->prev = head;
}

static void list_remove(struct vsock_link *l)
{
	if (!l->next)
		return;
	l->next->prev = l->prev;
	l->prev->next = l->next;
	l->next = l->prev = NULL;
}

/* list_set() - in the list, at its end if it was not there, or not in the list */
static void list_set(struct vsock_link *head, struct vsock_link *l, bool in)
{
	if (!in)
		list_remove(l);
	if (!in || l->next)
		return;
	l->prev = head->prev;
	l->next = head;
	head->prev->next = l;
	head->prev = l;
}

static struct vsock_conn *list_first(const struct vsock_link *head, size_t offset)
{
	return head->next == head ? NULL
				  : (struct vsock_conn *)(void *)((char *)head->next - offset);
}

static struct vsock_conn **bucket_of(struct vsock_table *t, uint32_t guest_port, uint32_t host_port)
{
	uint64_t key = ((uint64_t)guest_port << 32 | host_port) * UINT64_C(0x9e3779b97f4a7c15);

	return &t->buckets[key >> 55];
}
static_assert(BUCKETS == 1u << (64 - 55), "the hash has as many values as there are buckets");

int vsock_table_create(struct vsock_table **out, void *owner, struct err *e)
{
	struct vsock_table *t = calloc(1, sizeof(*t));
	uint8_t *rings = aligned_alloc(PAGE_SIZE, (size_t)VSOCK_CONNS * VSOCK_RING);

	*out = NULL;
	if (!t || !rings) {
		free(t);
		free(rings);
		return err_sys(e, ENOMEM, "vsock");
	}
	t->rings = rings;
	list_init(&t->ready);
	list_init(&t->dispensable);
	for (unsigned int i = VSOCK_CONNS; i-- > 0;) {
		struct vsock_conn *c = &t->conns[i];

		c->owner = owner;
		c->source.fd = -1;
		c->ring.bytes = rings + (size_t)i * VSOCK_RING;
		c->hash_next = t->free;
		t->free = c;
	}
	*out = t;
	return 0;
}

void vsock_table_destroy(struct vsock_table *t)
{
	if (!t)
		return;
	assert(!t->n);
	free(t->rings);
	free(t);
}

bool vsock_table_has_room(const struct vsock_table *t, bool of_guest)
{
	return t->free && (!of_guest || t->n_of_guest < VSOCK_CONNS_GUEST);
}

struct vsock_conn *vsock_table_new(struct vsock_table *t, bool of_guest)
{
	struct vsock_conn *c = t->free;

	if (!vsock_table_has_room(t, of_guest))
		return NULL;
	t->free = c->hash_next;
	t->n++;
	t->n_of_guest += of_guest;
	*c = (struct vsock_conn){
		.source = {.fd = -1},
		.of_guest = of_guest,
		.ring = {.bytes = c->ring.bytes},
		.owner = c->owner,
	};
	return c;
}

void vsock_table_free(struct vsock_table *t, struct vsock_conn *c)
{
	assert(c->state != VSOCK_FREE && c->source.fd < 0);
	vsock_table_unbind(t, c);
	list_remove(&c->ready);
	list_remove(&c->dispensable);
	vsock_ring_clear(&c->ring);
	c->state = VSOCK_FREE;
	c->hash_next = t->free;
	t->free = c;
	t->n--;
	t->n_of_guest -= c->of_guest;
}

void vsock_table_bind(
	struct vsock_table *t, struct vsock_conn *c, uint32_t guest_port, uint32_t host_port)
{
	struct vsock_conn **at = bucket_of(t, guest_port, host_port);

	assert(!vsock_table_find(t, guest_port, host_port));
	c->guest_port = guest_port;
	c->host_port = host_port;
	c->hash_next = *at;
	*at = c;
}

void vsock_table_unbind(struct vsock_table *t, struct vsock_conn *c)
{
	struct vsock_conn **at = bucket_of(t, c->guest_port, c->host_port);

	while (*at && *at != c)
		at = &(*at)->hash_next;
	if (*at)
		*at = c->hash_next;
}

struct vsock_conn *vsock_table_find(struct vsock_table *t, uint32_t guest_port, uint32_t host_port)
{
	struct vsock_conn *c = *bucket_of(t, guest_port, host_port);

	while (c && (c->guest_port != guest_port || c->host_port != host_port))
		c = c->hash_next;
	return c;
}

void vsock_table_ready(struct vsock_table *t, struct vsock_conn *c, bool ready)
{
	list_set(&t->ready, &c->ready, ready);
}

struct vsock_conn *vsock_table_first_ready(struct vsock_table *t)
{
	return list_first(&t->ready, offsetof(struct vsock_conn, ready));
}

void vsock_table_dispensable(struct vsock_table *t, struct vsock_conn *c, bool can)
{
	list_set(&t->dispensable, &c->dispensable, can);
}

struct vsock_conn *vsock_table_oldest(struct vsock_table *t)
{
	return list_first(&t->dispensable, offsetof(struct vsock_conn, dispensable));
}

struct vsock_conn *vsock_table_at(struct vsock_table *t, unsigned int i)
{
	return &t->conns[i];
}

unsigned int vsock_table_index(const struct vsock_table *t, const struct vsock_conn *c)
{
	return (unsigned int)(c - t->conns);
}
