/* SPDX-License-Identifier: Apache-2.0 */
/* The end of copying in; see vmm/copyin_port.h. */
#include "vmm/copyin_port.h"

#include "base/log.h"
#include "devices/front/bus.h"
#include "memory/ram.h"
#include "vmm/x86/map.h"

#include <errno.h>

struct copyin_port {
	struct bus *bus;
	struct bus_region region;
	struct ram *ram;
	bool done; /* atomic */
};

static uint64_t copyin_port_read(void *ctx, uint64_t off, unsigned int len)
{
	(void)ctx, (void)off, (void)len;
	return UINT64_MAX;
}

static void copyin_port_write(void *ctx, uint64_t off, unsigned int len, uint64_t value)
{
	struct copyin_port *port = ctx;
	const struct layout *layout = &port->ram->layout;

	(void)off, (void)len, (void)value;
	if (__atomic_exchange_n(&port->done, true, __ATOMIC_ACQ_REL))
		return;
	/* No page is shared yet: the kernel has not begun. */
	for (unsigned int i = 0; i < layout->n_ranges; i++) {
		int rc =
			ram_discard(port->ram, layout->ranges[i].gpa, layout->ranges[i].len, false);

		if (rc)
			log_error("load", "the copy in shared memory could not be freed: error %d",
				-rc);
	}
}

static const struct bus_ops ops = {.read = copyin_port_read, .write = copyin_port_write};

int copyin_port_create(struct copyin_port **out, struct bus *bus, struct ram *ram, struct err *e)
{
	struct copyin_port *port = calloc(1, sizeof(*port));
	int rc;

	*out = NULL;
	if (!port)
		return err_sys(e, ENOMEM, "copy-in port");
	port->bus = bus;
	port->ram = ram;
	port->region = (struct bus_region){BUS_PORT, MAP_PORT_COPYIN, 1, &ops, port};
	rc = bus_add(bus, &port->region, e);
	if (rc) {
		free(port);
		return rc;
	}
	*out = port;
	return 0;
}

void copyin_port_destroy(struct copyin_port *port)
{
	if (!port)
		return;
	bus_remove(port->bus, &port->region);
	free(port);
}
