/* SPDX-License-Identifier: Apache-2.0 */
/* The registers behind the generic event device; see devices/front/ged.h. */
#include "devices/front/ged.h"

#include "base/log.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>

enum { ADDED, ASKED, EJECT, EVENTS, REGISTERS };

struct ged {
	struct ged_desc desc;
	struct bus_region region;
	_Atomic uint32_t reg[REGISTERS]; /* EJECT stays 0 */
};

/* Whole registers only: half a read would clear what nobody saw. */
static uint64_t ged_read(void *ctx, uint64_t off, unsigned int len)
{
	struct ged *ged = ctx;

	return len == 4 && off % 4 == 0 ? atomic_exchange(&ged->reg[off / 4], 0) : 0;
}

static void ged_write(void *ctx, uint64_t off, unsigned int len, uint64_t value)
{
	struct ged *ged = ctx;

	if (len == 4 && off == 4 * EJECT)
		ged->desc.eject(ged->desc.ctx, (uint32_t)value);
}

static const struct bus_ops ged_ops = {.read = ged_read, .write = ged_write};

int ged_create(struct ged **out, const struct ged_desc *desc, struct err *e)
{
	cleanup_free struct ged *ged = calloc(1, sizeof(*ged));

	*out = NULL;
	if (!ged)
		return err_sys(e, ENOMEM, "event device");
	ged->desc = *desc;
	ged->region = (struct bus_region){BUS_PORT, desc->port, GED_PORTS, &ged_ops, ged};
	if (bus_add(desc->bus, &ged->region, e))
		return err_context(e, "event device");
	*out = take_ptr(ged);
	return 0;
}

void ged_destroy(struct ged *ged)
{
	if (!ged)
		return;
	bus_remove(ged->desc.bus, &ged->region);
	free(ged);
}

void ged_edge(struct ged *ged)
{
	const struct irq *irq = &ged->desc.irq;
	int rc;

	rc = irq->ops->set_line(irq->ctx, ged->desc.gsi, true);
	if (!rc)
		rc = irq->ops->set_line(irq->ctx, ged->desc.gsi, false);
	if (rc)
		log_limited(LOG_WARN, "ged", "interrupt: %s", strerror(-rc));
}

/* ged_raise() - note what happened, then an edge */
static void ged_raise(struct ged *ged, unsigned int reg, uint32_t bit)
{
	atomic_fetch_or(&ged->reg[reg], bit);
	ged_edge(ged);
}

void ged_added(struct ged *ged, unsigned int slot)
{
	ged_raise(ged, ADDED, UINT32_C(1) << slot);
}

void ged_ask(struct ged *ged, unsigned int slot)
{
	ged_raise(ged, ASKED, UINT32_C(1) << slot);
}

void ged_push_button(struct ged *ged)
{
	ged_raise(ged, EVENTS, GED_EVENT_BUTTON);
}
