/* SPDX-License-Identifier: Apache-2.0 */
/*
 * struct ged: what the board has to say to a running guest: PCI functions that came or are to go,
 * and the power button. The DSDT's generic event device (ACPI 6.5, 5.6.9) gets an edge and reads
 * four registers of 4 bytes at a range of ports:
 *
 *   +0  added   bit s: a function came into slot s; reading clears
 *   +4  asked   bit s: the guest is asked to let go of slot s; reading clears
 *   +8  eject   writing bit s: the guest has let go of it; reads as 0
 *   +12 events  bit 0: the power button was pushed; reading clears
 *
 * Threads: any; the callback comes from the vCPU thread that wrote. Nothing waits.
 */
#ifndef DEVICES_FRONT_GED_H
#define DEVICES_FRONT_GED_H

#include "devices/front/bus.h"
#include "devices/front/irq.h"

#define GED_PORTS        16
#define GED_EVENT_BUTTON 1u

struct ged;

struct ged_desc {
	struct bus *bus;
	struct irq irq;
	uint16_t port;
	unsigned int gsi; /* an IOAPIC pin, edge, active high */
	/* The guest has let go of the slots of a mask; any bits may be set. */
	void (*eject)(void *ctx, uint32_t slots);
	void *ctx;
};

/* ged_create() - claim the ports. Return: 0, -errno of bus_add(), -ENOMEM. */
int ged_create(struct ged **out, const struct ged_desc *desc, struct err *e) MUST_CHECK;

/* ged_destroy() - give them back; no vCPU may be running in them. NULL is allowed. */
void ged_destroy(struct ged *ged);

/* ged_added() - tell the guest of a new function in a slot, 1 to 31. */
void ged_added(struct ged *ged, unsigned int slot);

/* ged_ask() - ask the guest to let go of a slot, 1 to 31; it may take its time, or not do it. */
void ged_ask(struct ged *ged, unsigned int slot);

/* ged_push_button() - tell it that the power button was pushed. */
void ged_push_button(struct ged *ged);

/* ged_edge() - have the guest look at all registers, also those of devices that share the pin. */
void ged_edge(struct ged *ged);

#endif
