/* SPDX-License-Identifier: Apache-2.0 */
/*
 * struct nmi_status: the PC's port of NMI reasons (0x61). It says that neither a bus nor a memory
 * error is behind an NMI, so a guest takes one for what it is: somebody pushed the button. Writes
 * do nothing. Threads: any; no state.
 */
#ifndef DEVICES_FRONT_NMI_STATUS_H
#define DEVICES_FRONT_NMI_STATUS_H

#include "devices/front/bus.h"

struct nmi_status;

/* nmi_status_create() - claim the port. Return: 0, -errno of bus_add(), -ENOMEM. */
int nmi_status_create(
	struct nmi_status **out, struct bus *bus, uint16_t port, struct err *e) MUST_CHECK;

/* nmi_status_destroy() - give it back; no vCPU may be running in it. NULL is allowed. */
void nmi_status_destroy(struct nmi_status *s);

#endif
