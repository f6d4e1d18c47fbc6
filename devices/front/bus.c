/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Dispatch of port and MMIO accesses; see devices/front/bus.h.
 *
 * A lookup copies the region under the read lock, so that a handler may change the table. Every
 * call is counted in one of two counters; bus_sync() makes new calls use the other one and waits
 * until the first is empty.
 */
#include "devices/front/bus.h"

#include "base/log.h"
#include "base/num.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#define PORT_END    UINT64_C(0x10000)
#define SYNC_PAUSE  50000 /* ns between two looks at a counter */
#define REGIONS_MAX 512   /* 32 PCI slots of 6 BARs, and the board */

/* Of fixed size: a vCPU that moves a BAR adds a region, and its thread may not allocate. */
struct table {
	struct bus_region regions[REGIONS_MAX]; /* sorted by base */
	size_t n;
};

struct bus {
	pthread_rwlock_t lock;  /* tables and epoch */
	struct table tables[2]; /* by enum bus_space */
	unsigned int epoch;     /* which counter new calls use */
	atomic_uint running[2];
	pthread_mutex_t sync; /* one bus_sync() at a time */
};

int bus_create(struct bus **out, struct err *e)
{
	struct bus *bus = calloc(1, sizeof(*bus));

	*out = NULL;
	if (!bus)
		return err_sys(e, ENOMEM, "bus");
	pthread_rwlock_init(&bus->lock, NULL);
	pthread_mutex_init(&bus->sync, NULL);
	*out = bus;
	return 0;
}

void bus_destroy(struct bus *bus)
{
	if (!bus)
		return;
	pthread_rwlock_destroy(&bus->lock);
	pthread_mutex_destroy(&bus->sync);
	free(bus);
}

/* first_above() - Return: index of the first region that starts above addr. */
static size_t first_above(const struct table *t, uint64_t addr)
{
	size_t lo = 0, hi = t->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (t->regions[mid].base <= addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static bool is_free(const struct table *t, size_t at, const struct bus_region *r)
{
	if (at > 0 && t->regions[at - 1].base + t->regions[at - 1].len > r->base)
		return false;
	return at == t->n || r->base + r->len <= t->regions[at].base;
}

static int table_insert(struct table *t, const struct bus_region *r)
{
	size_t at = first_above(t, r->base);

	if (!is_free(t, at, r))
		return -EEXIST;
	if (t->n == REGIONS_MAX)
		return -ENOSPC;
	memmove(&t->regions[at + 1], &t->regions[at], (t->n - at) * sizeof(*t->regions));
	t->regions[at] = *r;
	t->n++;
	return 0;
}

int bus_add(struct bus *bus, const struct bus_region *region, struct err *e)
{
	uint64_t limit = region->space == BUS_PORT ? PORT_END : UINT64_MAX;
	int rc;

	assert(region->ops && region->ops->read && region->ops->write);
	if (!region->len || !range_in(region->base, region->len, limit))
		return err_set(e, EINVAL, "bus region 0x%llx+0x%llx is out of range",
			(unsigned long long)region->base, (unsigned long long)region->len);
	pthread_rwlock_wrlock(&bus->lock);
	rc = table_insert(&bus->tables[region->space], region);
	pthread_rwlock_unlock(&bus->lock);
	if (rc)
		return err_sys(e, -rc, "bus region 0x%llx+0x%llx", (unsigned long long)region->base,
			(unsigned long long)region->len);
	return 0;
}

void bus_remove(struct bus *bus, const struct bus_region *region)
{
	struct table *t = &bus->tables[region->space];
	struct bus_region *r;
	size_t at;

	pthread_rwlock_wrlock(&bus->lock);
	at = first_above(t, region->base);
	r = at > 0 ? &t->regions[at - 1] : NULL;
	if (r && r->base == region->base && r->len == region->len && r->ctx == region->ctx) {
		memmove(r, r + 1, (t->n - at) * sizeof(*r));
		t->n--;
	}
	pthread_rwlock_unlock(&bus->lock);
}

void bus_sync(struct bus *bus)
{
	const struct timespec pause = {.tv_nsec = SYNC_PAUSE};
	unsigned int old;

	pthread_mutex_lock(&bus->sync);
	pthread_rwlock_wrlock(&bus->lock);
	old = bus->epoch;
	bus->epoch = !old;
	pthread_rwlock_unlock(&bus->lock);
	while (atomic_load(&bus->running[old]))
		nanosleep(&pause, NULL);
	pthread_mutex_unlock(&bus->sync);
}

/*
 * enter() - find who answers and count the call.
 * Return: the counter to decrement after the call, NULL if nobody answers.
 */
static atomic_uint *enter(struct bus *bus, enum bus_space space, uint64_t addr, unsigned int len,
	struct bus_region *found)
{
	const struct table *t = &bus->tables[space];
	atomic_uint *count = NULL;
	size_t at;

	if (len != 1 && len != 2 && len != 4 && len != 8)
		return NULL;
	pthread_rwlock_rdlock(&bus->lock);
	at = first_above(t, addr);
	if (at > 0) {
		*found = t->regions[at - 1];
		if (range_in(addr - found->base, len, found->len)) {
			count = &bus->running[bus->epoch];
			atomic_fetch_add(count, 1);
		}
	}
	pthread_rwlock_unlock(&bus->lock);
	return count;
}

void bus_read(struct bus *bus, enum bus_space space, uint64_t addr, void *data, unsigned int len)
{
	struct bus_region r;
	atomic_uint *count = enter(bus, space, addr, len, &r);
	uint64_t value;

	if (!count) {
		memset(data, 0xff, len);
		log_limited(LOG_DEBUG, "bus", "read of %u bytes at unclaimed %s 0x%llx", len,
			space == BUS_PORT ? "port" : "address", (unsigned long long)addr);
		return;
	}
	value = r.ops->read(r.ctx, addr - r.base, len);
	memcpy(data, &value, len);
	atomic_fetch_sub(count, 1);
}

void bus_write(
	struct bus *bus, enum bus_space space, uint64_t addr, const void *data, unsigned int len)
{
	struct bus_region r;
	atomic_uint *count = enter(bus, space, addr, len, &r);
	uint64_t value = 0;

	if (!count) {
		log_limited(LOG_DEBUG, "bus", "write of %u bytes at unclaimed %s 0x%llx", len,
			space == BUS_PORT ? "port" : "address", (unsigned long long)addr);
		return;
	}
	memcpy(&value, data, len);
	r.ops->write(r.ctx, addr - r.base, len, value);
	atomic_fetch_sub(count, 1);
}
