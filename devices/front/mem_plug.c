/* SPDX-License-Identifier: Apache-2.0 */
/* Registers for memory that comes; see devices/front/mem_plug.h. */
#include "devices/front/mem_plug.h"

#include "devices/front/ged.h"

#include <assert.h>
#include <errno.h>
#include <stdatomic.h>

enum { PRESENT, ADDED, SELECT, PIECE, REGISTERS = MEM_PLUG_PORTS / 4 };

/* first, last, length: as the registers have them */
struct piece {
	uint64_t half[3];
};

struct mem_plug {
	struct mem_plug_desc desc;
	struct bus_region region;
	_Atomic uint32_t present, added;
	_Atomic uint32_t select;
	struct piece pieces[MEM_PLUG_MAX]; /* those that are present don't change */
};

static uint32_t mem_plug_piece(struct mem_plug *m, unsigned int reg)
{
	uint32_t n = atomic_load(&m->select);
	const struct piece *p = &m->pieces[n % MEM_PLUG_MAX];

	if (n >= MEM_PLUG_MAX || !(atomic_load(&m->present) >> n & 1))
		return 0;
	return (uint32_t)(p->half[(reg - PIECE) / 2] >> ((reg - PIECE) % 2 * 32));
}

/* Whole registers only: half a read would clear what nobody saw. */
static uint64_t mem_plug_read(void *ctx, uint64_t off, unsigned int len)
{
	struct mem_plug *m = ctx;

	if (len != 4 || off % 4)
		return 0;
	switch (off / 4) {
	case PRESENT:
		return atomic_load(&m->present);
	case ADDED:
		return atomic_exchange(&m->added, 0);
	case SELECT:
		return 0;
	default:
		return mem_plug_piece(m, (unsigned int)off / 4);
	}
}

static void mem_plug_write(void *ctx, uint64_t off, unsigned int len, uint64_t value)
{
	struct mem_plug *m = ctx;

	if (len == 4 && off == 4 * SELECT)
		atomic_store(&m->select, (uint32_t)value);
}

static const struct bus_ops mem_plug_ops = {.read = mem_plug_read, .write = mem_plug_write};

int mem_plug_create(struct mem_plug **out, const struct mem_plug_desc *desc, struct err *e)
{
	cleanup_free struct mem_plug *m = calloc(1, sizeof(*m));

	*out = NULL;
	if (!m)
		return err_sys(e, ENOMEM, "memory to come");
	m->desc = *desc;
	m->region = (struct bus_region){BUS_PORT, desc->port, MEM_PLUG_PORTS, &mem_plug_ops, m};
	if (bus_add(desc->bus, &m->region, e))
		return err_context(e, "memory to come");
	*out = take_ptr(m);
	return 0;
}

void mem_plug_destroy(struct mem_plug *m)
{
	if (!m)
		return;
	bus_remove(m->desc.bus, &m->region);
	free(m);
}

unsigned int mem_plug_room(const struct mem_plug *m)
{
	unsigned int n = 0;

	while (n < MEM_PLUG_MAX && atomic_load(&m->present) >> n & 1)
		n++;
	return MEM_PLUG_MAX - n;
}

void mem_plug_add(struct mem_plug *m, gpa_t first, uint64_t len)
{
	unsigned int n = MEM_PLUG_MAX - mem_plug_room(m);

	assert(n < MEM_PLUG_MAX && len);
	m->pieces[n] = (struct piece){{first.v, first.v + len - 1, len}};
	atomic_fetch_or(&m->present, UINT32_C(1) << n);
	atomic_fetch_or(&m->added, UINT32_C(1) << n);
	ged_edge(m->desc.ged);
}
