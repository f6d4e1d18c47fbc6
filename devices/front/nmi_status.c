/* SPDX-License-Identifier: Apache-2.0 */
/* The port of NMI reasons; see devices/front/nmi_status.h. */
#include "devices/front/nmi_status.h"

#include <errno.h>

/* Bits 7 and 6, the errors, are clear. Bit 5, a timer's output, is set: nobody waits for it. */
#define STATUS 0x20

struct nmi_status {
	struct bus *bus;
	struct bus_region region;
};

static uint64_t nmi_status_read(void *ctx, uint64_t off, unsigned int len)
{
	(void)ctx, (void)off, (void)len;
	return STATUS;
}

static void nmi_status_write(void *ctx, uint64_t off, unsigned int len, uint64_t value)
{
	(void)ctx, (void)off, (void)len, (void)value;
}

static const struct bus_ops nmi_status_ops = {.read = nmi_status_read, .write = nmi_status_write};

int nmi_status_create(struct nmi_status **out, struct bus *bus, uint16_t port, struct err *e)
{
	cleanup_free struct nmi_status *s = calloc(1, sizeof(*s));

	*out = NULL;
	if (!s)
		return err_sys(e, ENOMEM, "NMI status");
	s->bus = bus;
	s->region = (struct bus_region){BUS_PORT, port, 1, &nmi_status_ops, s};
	if (bus_add(bus, &s->region, e))
		return err_context(e, "NMI status");
	*out = take_ptr(s);
	return 0;
}

void nmi_status_destroy(struct nmi_status *s)
{
	if (!s)
		return;
	bus_remove(s->bus, &s->region);
	free(s);
}
