/* SPDX-License-Identifier: Apache-2.0 */
/*
 * struct debug_port: the port where firmware and kernels have always said how far they are, one
 * byte at a time; 0x80 on PCs. What is written goes to a callback; reads give all ones. A board
 * has one only if somebody listens.
 */
#ifndef DEVICES_FRONT_DEBUG_PORT_H
#define DEVICES_FRONT_DEBUG_PORT_H

#include "devices/front/bus.h"

struct debug_port;

struct debug_port_desc {
	struct bus *bus;
	uint16_t port;
	void (*told)(void *ctx, uint8_t code); /* on a vCPU thread, one call at a time */
	void *ctx;
};

/* debug_port_create() - claim the port. Return: 0 or -errno. */
int debug_port_create(
	struct debug_port **out, const struct debug_port_desc *desc, struct err *e) MUST_CHECK;

/* debug_port_destroy() - no vCPU may be running. NULL is allowed. */
void debug_port_destroy(struct debug_port *p);

#endif
