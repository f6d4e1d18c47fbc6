/* SPDX-License-Identifier: Apache-2.0 */
/*
 * struct copyin_port: the port by which the stub of vmm/x86/copyin.h says that the launch image is in
 * private memory. The first write frees the shared side, where the image had been put; later ones
 * do nothing. Threads: any vCPU.
 */
#ifndef VMM_COPYIN_PORT_H
#define VMM_COPYIN_PORT_H

#include "base/err.h"

struct bus;
struct copyin_port;
struct ram;

/* copyin_port_create() - claim the port. Return: 0 or -errno. */
int copyin_port_create(struct copyin_port **out, struct bus *bus, struct ram *ram,
	struct err *e) MUST_CHECK;

/* copyin_port_destroy() - give it back; NULL is allowed. */
void copyin_port_destroy(struct copyin_port *port);

#endif
