/* SPDX-License-Identifier: Apache-2.0 */
/*
 * struct cpu_plug: the registers by which processors come to a running guest and go. The DSDT's
 * methods read and write them at a range of ports, 4 bytes at a time; sets of processors are two
 * registers each, the lower 32 first:
 *
 *   +0  +4   present  reading only
 *   +8  +12  added    processors that came; reading clears
 *   +16 +20  asked    processors that the guest is asked to let go of; reading clears
 *   +24      eject    writing n: the guest has let go of processor n; reads as 0
 *
 * Invariants: 1. a processor leaves only after the guest was asked; 2. it is not present any more
 * when the write that ejects it is over.
 *
 * Threads: any; the callback comes from the vCPU thread that wrote. Nothing waits.
 */
#ifndef DEVICES_FRONT_CPU_PLUG_H
#define DEVICES_FRONT_CPU_PLUG_H

#include "devices/front/bus.h"

#include <stdbool.h>

#define CPU_PLUG_PORTS 32
#define CPU_PLUG_MAX   64 /* processors */

struct cpu_plug;
struct ged;

struct cpu_plug_desc {
	struct bus *bus;
	struct ged *ged; /* its edge tells the guest to look */
	uint16_t port;
	unsigned int n_present; /* processors 0 to n_present - 1 are there, at most CPU_PLUG_MAX */
	void (*ejected)(void *ctx); /* cpu_plug_take_ejected() has something */
	void *ctx;
};

/* cpu_plug_create() - claim the ports. Return: 0, -errno of bus_add(), -ENOMEM. */
int cpu_plug_create(
	struct cpu_plug **out, const struct cpu_plug_desc *desc, struct err *e) MUST_CHECK;

/* cpu_plug_destroy() - give them back; no vCPU may be running in them. NULL is allowed. */
void cpu_plug_destroy(struct cpu_plug *c);

/* cpu_plug_add() - tell the guest that processor n has come. */
void cpu_plug_add(struct cpu_plug *c, unsigned int n);

/* cpu_plug_ask() - ask the guest to let go of processor n; it may take its time, or not do it. */
void cpu_plug_ask(struct cpu_plug *c, unsigned int n);

/*
 * cpu_plug_keep() - take back what cpu_plug_ask() asked for; the guest may have begun.
 * Return: false if it has let go of it already.
 */
bool cpu_plug_keep(struct cpu_plug *c, unsigned int n);

/* cpu_plug_take_ejected() - Return: a bit per processor that was ejected since the last call. */
uint64_t cpu_plug_take_ejected(struct cpu_plug *c);

#endif
