/* SPDX-License-Identifier: Apache-2.0 */
/* Memory for records of chains in flight; see devices/back/inflight_store.h. */
#include "devices/back/inflight_store.h"

#include "base/fd.h"
#include "devices/back/inflight_packed.h"

#include <errno.h>
#include <string.h>

int inflight_store_init(
	struct inflight_store *s, uint16_t n_queues, uint16_t queue_size, struct err *e)
{
	*s = (struct inflight_store){.max_queues = n_queues, .max_size = queue_size};
	return shared_area_open(
		&s->fresh, n_queues * inflight_packed_bytes(queue_size), &s->fresh_fd, e);
}

void inflight_store_fini(struct inflight_store *s)
{
	shared_area_close(&s->fresh);
	shared_area_close(&s->used);
	fd_drop(&s->fresh_fd);
}

static int check_sizes(
	const struct inflight_store *s, const struct vhost_user_inflight *m, struct err *e)
{
	if (!m->num_queues || m->num_queues > s->max_queues || !m->queue_size ||
		m->queue_size > s->max_size)
		return err_set(e, EINVAL, "record of %u queues of %u entries", m->num_queues,
			m->queue_size);
	return 0;
}

int inflight_store_offer(struct inflight_store *s, struct vhost_user_inflight *m, struct err *e)
{
	if (check_sizes(s, m, e) < 0)
		return -e->code;
	/* What is enough for both kinds of ring. */
	m->mmap_size = m->num_queues * inflight_packed_bytes(m->queue_size);
	m->mmap_offset = 0;
	memset(s->fresh.at, 0, (size_t)m->mmap_size);
	return s->fresh_fd;
}

int inflight_store_take(
	struct inflight_store *s, const struct vhost_user_inflight *m, int fd, struct err *e)
{
	shared_area_close(&s->used);
	if (check_sizes(s, m, e) < 0)
		return -e->code;
	if (m->mmap_size < m->num_queues * inflight_bytes(m->queue_size))
		return err_set(e, EINVAL, "record of %llu bytes for %u queues",
			(unsigned long long)m->mmap_size, m->num_queues);
	s->n_queues = m->num_queues;
	s->queue_size = m->queue_size;
	return shared_area_map(&s->used, fd, m->mmap_offset, m->mmap_size, e);
}

/* store_part() - Return: the part of a queue, if each has `bytes` for queue_size entries. */
static void *store_part(const struct inflight_store *s, uint16_t index, uint16_t num, size_t bytes)
{
	if (!s->used.at || index >= s->n_queues || num > s->queue_size ||
		(index + 1u) * bytes > s->used.len)
		return NULL;
	return (uint8_t *)s->used.at + index * bytes;
}

struct vhost_user_inflight_queue *inflight_store_split(
	const struct inflight_store *s, uint16_t index, uint16_t num)
{
	return store_part(s, index, num, inflight_bytes(s->queue_size));
}

struct vhost_user_inflight_packed *inflight_store_packed(
	const struct inflight_store *s, uint16_t index, uint16_t num)
{
	return store_part(s, index, num, inflight_packed_bytes(s->queue_size));
}
