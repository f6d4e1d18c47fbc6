/* SPDX-License-Identifier: Apache-2.0 */
/* Registers for processors that come and go; see devices/front/cpu_plug.h. */
#include "devices/front/cpu_plug.h"

#include "devices/front/ged.h"

#include <assert.h>
#include <errno.h>
#include <stdatomic.h>

enum set { PRESENT, ADDED, ASKED, SETS };
#define EJECT (SETS * 8) /* offset of the register behind the sets */

struct cpu_plug {
	struct cpu_plug_desc desc;
	struct bus_region region;
	_Atomic uint64_t set[SETS];
	_Atomic uint64_t leaving; /* the guest was asked, and has not ejected it */
	_Atomic uint64_t ejected; /* nobody has taken note of it */
};

static uint64_t bit_of(unsigned int n)
{
	assert(n < CPU_PLUG_MAX);
	return UINT64_C(1) << n;
}

/* Whole registers only: half a read would clear what nobody saw. */
static uint64_t cpu_plug_read(void *ctx, uint64_t off, unsigned int len)
{
	struct cpu_plug *c = ctx;
	unsigned int shift = off % 8 * 8;
	uint64_t half = UINT64_C(0xffffffff) << shift;

	if (len != 4 || off % 4 || off >= EJECT)
		return 0;
	if (off / 8 == PRESENT)
		return (atomic_load(&c->set[PRESENT]) & half) >> shift;
	return (atomic_fetch_and(&c->set[off / 8], ~half) & half) >> shift;
}

static void cpu_plug_write(void *ctx, uint64_t off, unsigned int len, uint64_t value)
{
	struct cpu_plug *c = ctx;
	uint64_t bit = value < CPU_PLUG_MAX ? UINT64_C(1) << value : 0;

	if (len != 4 || off != EJECT || !(atomic_fetch_and(&c->leaving, ~bit) & bit))
		return;
	atomic_fetch_and(&c->set[PRESENT], ~bit);
	atomic_fetch_or(&c->ejected, bit);
	c->desc.ejected(c->desc.ctx);
}

static const struct bus_ops cpu_plug_ops = {.read = cpu_plug_read, .write = cpu_plug_write};

int cpu_plug_create(struct cpu_plug **out, const struct cpu_plug_desc *desc, struct err *e)
{
	cleanup_free struct cpu_plug *c = calloc(1, sizeof(*c));

	*out = NULL;
	if (!c)
		return err_sys(e, ENOMEM, "processors");
	c->desc = *desc;
	for (unsigned int n = 0; n < desc->n_present; n++)
		c->set[PRESENT] |= bit_of(n);
	c->region = (struct bus_region){BUS_PORT, desc->port, CPU_PLUG_PORTS, &cpu_plug_ops, c};
	if (bus_add(desc->bus, &c->region, e))
		return err_context(e, "processors");
	*out = take_ptr(c);
	return 0;
}

void cpu_plug_destroy(struct cpu_plug *c)
{
	if (!c)
		return;
	bus_remove(c->desc.bus, &c->region);
	free(c);
}

void cpu_plug_add(struct cpu_plug *c, unsigned int n)
{
	atomic_fetch_or(&c->set[PRESENT], bit_of(n));
	atomic_fetch_or(&c->set[ADDED], bit_of(n));
	ged_edge(c->desc.ged);
}

void cpu_plug_ask(struct cpu_plug *c, unsigned int n)
{
	atomic_fetch_or(&c->leaving, bit_of(n));
	atomic_fetch_or(&c->set[ASKED], bit_of(n));
	ged_edge(c->desc.ged);
}

bool cpu_plug_keep(struct cpu_plug *c, unsigned int n)
{
	atomic_fetch_and(&c->set[ASKED], ~bit_of(n));
	return atomic_fetch_and(&c->leaving, ~bit_of(n)) & bit_of(n);
}

uint64_t cpu_plug_take_ejected(struct cpu_plug *c)
{
	return atomic_exchange(&c->ejected, 0);
}
