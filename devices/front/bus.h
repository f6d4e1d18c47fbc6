/* SPDX-License-Identifier: Apache-2.0 */
/*
 * struct bus: who answers a guest's access to an I/O port or to an address outside RAM.
 *
 * Threads: bus_read() and bus_write() come from all vCPU threads at once; regions may be added and
 * removed meanwhile, also by a handler (a BAR that moves). A handler runs without any lock of the
 * bus. After bus_remove() a call that began before may still be running: bus_sync() waits for it.
 *
 * Invariants: 1. regions of one space don't overlap; 2. a handler sees only accesses of 1, 2, 4 or
 * 8 bytes that lie wholly within its region.
 *
 * Lock order of the front layer, outermost first: virtio device operation, PCI configuration,
 * virtio device state, MSI-X, PCI interrupt lines, bus table. Callbacks of struct irq_ops may be
 * made under any of them and must take none.
 */
#ifndef DEVICES_FRONT_BUS_H
#define DEVICES_FRONT_BUS_H

#include "base/err.h"

#include <stdint.h>

struct bus;

enum bus_space { BUS_PORT, BUS_MMIO };

/* Values are little endian numbers; len is 1, 2, 4 or 8 and off + len lies within the region. */
struct bus_ops {
	uint64_t (*read)(void *ctx, uint64_t off, unsigned int len);
	void (*write)(void *ctx, uint64_t off, unsigned int len, uint64_t value);
};

struct bus_region {
	enum bus_space space;
	uint64_t base, len;        /* len is not 0; base + len does not wrap */
	const struct bus_ops *ops; /* both slots filled */
	void *ctx;
};

/* bus_create() - Return: 0 and an empty bus in *out that the caller destroys, or -errno. */
int bus_create(struct bus **out, struct err *e) MUST_CHECK;

/* bus_destroy() - free a bus; nobody may use it any more. NULL is allowed. */
void bus_destroy(struct bus *bus);

/*
 * bus_add() - claim a range. The region is copied; ops and ctx must live until it is removed and,
 * where vCPUs run, until bus_sync() after that.
 * Return: 0, -EINVAL (empty or wraps; ports end at 65536), -EEXIST (overlaps), -ENOMEM.
 */
int bus_add(struct bus *bus, const struct bus_region *region, struct err *e) MUST_CHECK;

/* bus_remove() - give a range back: same space, base, len and ctx. Unknown: does nothing. */
void bus_remove(struct bus *bus, const struct bus_region *region);

/* bus_sync() - wait for handlers that began before this call. Never call it from a handler. */
void bus_sync(struct bus *bus);

/*
 * bus_read() - a guest reads len bytes at addr into data. Sizes other than 1, 2, 4, 8 and
 * addresses that nobody claims give all ones.
 */
void bus_read(struct bus *bus, enum bus_space space, uint64_t addr, void *data, unsigned int len);

/* bus_write() - a guest writes; what nobody claims is dropped. */
void bus_write(
	struct bus *bus, enum bus_space space, uint64_t addr, const void *data, unsigned int len);

#endif
