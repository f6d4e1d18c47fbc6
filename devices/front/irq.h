/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the front layer needs of the hypervisor: interrupt lines, MSI routes, irqfds, ioeventfds.
 *
 * Called from vCPU threads and from the monitor's main thread, under locks of the front layer (see
 * devices/front/bus.h): an implementation must be thread-safe and must not call back. A GSI is an
 * index into the routing table of the VM; 0 to 23 are pins of the IOAPIC.
 */
#ifndef DEVICES_FRONT_IRQ_H
#define DEVICES_FRONT_IRQ_H

#include <stdbool.h>
#include <stdint.h>

struct irq_msi {
	uint64_t address;
	uint32_t data;
};

/* All return 0 or -errno, unless said otherwise. */
struct irq_ops {
	/* Drive an IOAPIC pin high (true) or low. */
	int (*set_line)(void *ctx, unsigned int gsi, bool level);
	/* Reserve a GSI for an MSI; it goes nowhere until msi_update(). */
	int (*msi_alloc)(void *ctx, unsigned int *gsi);
	/* Route a reserved GSI to msg, from now on. */
	int (*msi_update)(void *ctx, unsigned int gsi, const struct irq_msi *msg);
	/* Give a reserved GSI back; no irqfd is on it any more. */
	void (*msi_free)(void *ctx, unsigned int gsi);
	/* Every signal of eventfd raises gsi and clears the eventfd's count. */
	int (*irqfd_assign)(void *ctx, unsigned int gsi, int eventfd);
	int (*irqfd_deassign)(void *ctx, unsigned int gsi, int eventfd);
	/* A guest's write to addr, any value, signals eventfd. len in bytes; 0: of any length. */
	int (*ioeventfd_assign)(void *ctx, uint64_t addr, unsigned int len, int eventfd);
	int (*ioeventfd_deassign)(void *ctx, uint64_t addr, unsigned int len, int eventfd);
};

/* The ops with what they work on; copied by value. */
struct irq {
	const struct irq_ops *ops;
	void *ctx;
};

#endif
