/* SPDX-License-Identifier: Apache-2.0 */
/*
 * struct mem_plug: the registers by which a running guest learns of memory that came. The DSDT's
 * methods read and write them at a range of ports, 4 bytes at a time. Pieces of memory are numbered
 * from 0 in the order in which they came; each is a memory device of the DSDT.
 *
 *   +0       present  bit n: piece n is there; reading only
 *   +4       added    bit n: piece n came; reading clears
 *   +8       select   writing n: what follows is of piece n; reads as 0
 *   +12 +16  first    address of its first byte, the lower half first
 *   +20 +24  last     address of its last byte, likewise
 *   +28 +32  length   bytes, likewise
 *
 * Pieces never go. Threads: any. Nothing waits.
 */
#ifndef DEVICES_FRONT_MEM_PLUG_H
#define DEVICES_FRONT_MEM_PLUG_H

#include "devices/front/bus.h"
#include "memory/gpa.h"

#define MEM_PLUG_PORTS 36
#define MEM_PLUG_MAX   32 /* pieces */

struct ged;
struct mem_plug;

struct mem_plug_desc {
	struct bus *bus;
	struct ged *ged; /* its edge tells the guest to look */
	uint16_t port;
};

/* mem_plug_create() - claim the ports; no piece is there. Return: 0, -errno of bus_add(), -ENOMEM.
 */
int mem_plug_create(
	struct mem_plug **out, const struct mem_plug_desc *desc, struct err *e) MUST_CHECK;

/* mem_plug_destroy() - give them back; no vCPU may be running in them. NULL is allowed. */
void mem_plug_destroy(struct mem_plug *m);

/* mem_plug_room() - Return: how many pieces can still come. Main thread, as the next one. */
unsigned int mem_plug_room(const struct mem_plug *m);

/* mem_plug_add() - tell the guest of a piece that it can access from now on; there must be room. */
void mem_plug_add(struct mem_plug *m, gpa_t first, uint64_t len);

#endif
