/* SPDX-License-Identifier: Apache-2.0 */
/*
 * struct doorbell: conversions by I/O port, for a KVM that can't pass on the hypercall
 * KVM_HC_MAP_GPA_RANGE (one without hardware virtualization: see guests/README.md).
 *
 * Ports, 32 bits each: +0 page number, +4 number of pages, +8 write: command, 0 to shared, 1 to
 * private; read: result of the last command, 0 or a positive errno. Threads: a mutex of its own;
 * two vCPUs must not interleave their writes, which is the guest's business.
 */
#ifndef VMM_DOORBELL_H
#define VMM_DOORBELL_H

#include "base/err.h"

struct bus;
struct converter;
struct doorbell;

/* doorbell_create() - claim the ports. Return: 0 or -errno. */
int doorbell_create(struct doorbell **out, struct bus *bus, const struct converter *converter,
	struct err *e) MUST_CHECK;

/* doorbell_destroy() - give them back; NULL is allowed. */
void doorbell_destroy(struct doorbell *doorbell);

#endif
