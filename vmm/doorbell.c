/* SPDX-License-Identifier: Apache-2.0 */
/* Conversions by I/O port; see vmm/doorbell.h. */
#include "vmm/doorbell.h"

#include "devices/front/bus.h"
#include "memory/convert.h"
#include "vmm/x86/map.h"

#include <errno.h>
#include <pthread.h>

enum { DOORBELL_PAGE = 0, DOORBELL_COUNT = 4, DOORBELL_COMMAND = 8, DOORBELL_LEN = 12 };

struct doorbell {
	struct bus *bus;
	struct bus_region region;
	const struct converter *converter;
	pthread_mutex_t lock; /* guards what follows */
	uint32_t page, count, result;
};

static uint64_t doorbell_read(void *ctx, uint64_t off, unsigned int len)
{
	struct doorbell *d = ctx;
	uint32_t result;

	if (off != DOORBELL_COMMAND || len != 4)
		return UINT64_MAX;
	pthread_mutex_lock(&d->lock);
	result = d->result;
	pthread_mutex_unlock(&d->lock);
	return result;
}

static void doorbell_write(void *ctx, uint64_t off, unsigned int len, uint64_t value)
{
	struct doorbell *d = ctx;

	if (len != 4)
		return;
	pthread_mutex_lock(&d->lock);
	if (off == DOORBELL_PAGE)
		d->page = (uint32_t)value;
	else if (off == DOORBELL_COUNT)
		d->count = (uint32_t)value;
	else if (off == DOORBELL_COMMAND)
		d->result = (uint32_t)-convert(d->converter,
			gpa_of((uint64_t)d->page << PAGE_SHIFT), (uint64_t)d->count << PAGE_SHIFT,
			value == 0);
	pthread_mutex_unlock(&d->lock);
}

static const struct bus_ops ops = {.read = doorbell_read, .write = doorbell_write};

int doorbell_create(struct doorbell **out, struct bus *bus, const struct converter *converter,
	struct err *e)
{
	struct doorbell *d = calloc(1, sizeof(*d));
	int rc;

	*out = NULL;
	if (!d)
		return err_sys(e, ENOMEM, "doorbell");
	d->bus = bus;
	d->converter = converter;
	d->region = (struct bus_region){BUS_PORT, MAP_PORT_DOORBELL, DOORBELL_LEN, &ops, d};
	pthread_mutex_init(&d->lock, NULL);
	rc = bus_add(bus, &d->region, e);
	if (rc) {
		pthread_mutex_destroy(&d->lock);
		free(d);
		return rc;
	}
	*out = d;
	return 0;
}

void doorbell_destroy(struct doorbell *d)
{
	if (!d)
		return;
	bus_remove(d->bus, &d->region);
	pthread_mutex_destroy(&d->lock);
	free(d);
}
