/* SPDX-License-Identifier: Apache-2.0 */
/* The debug port; see devices/front/debug_port.h. */
#include "devices/front/debug_port.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

struct debug_port {
	struct debug_port_desc desc;
	struct bus_region region;
	pthread_mutex_t lock; /* one call at a time */
};

static uint64_t debug_port_read(void *ctx, uint64_t off, unsigned int len)
{
	(void)ctx, (void)off, (void)len;
	return UINT64_MAX;
}

static void debug_port_write(void *ctx, uint64_t off, unsigned int len, uint64_t value)
{
	struct debug_port *p = ctx;

	(void)off, (void)len;
	pthread_mutex_lock(&p->lock);
	p->desc.told(p->desc.ctx, (uint8_t)value);
	pthread_mutex_unlock(&p->lock);
}

static const struct bus_ops debug_port_ops = {.read = debug_port_read, .write = debug_port_write};

int debug_port_create(struct debug_port **out, const struct debug_port_desc *desc, struct err *e)
{
	struct debug_port *p = calloc(1, sizeof(*p));

	*out = NULL;
	if (!p)
		return err_sys(e, ENOMEM, "debug port");
	p->desc = *desc;
	p->region = (struct bus_region){BUS_PORT, desc->port, 1, &debug_port_ops, p};
	pthread_mutex_init(&p->lock, NULL);
	*out = p;
	if (!bus_add(desc->bus, &p->region, e))
		return 0;
	debug_port_destroy(p);
	*out = NULL;
	return err_context(e, "debug port");
}

void debug_port_destroy(struct debug_port *p)
{
	if (!p)
		return;
	bus_remove(p->desc.bus, &p->region);
	pthread_mutex_destroy(&p->lock);
	free(p);
}
