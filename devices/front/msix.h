/* SPDX-License-Identifier: Apache-2.0 */
/*
 * struct msix: table, pending bits and delivery of MSI-X (PCI 3.0, 6.8.2).
 *
 * A source is an eventfd that somebody signals, a device process mostly. While the source's vector
 * is enabled and not masked the eventfd is an irqfd: the signal becomes an interrupt without the
 * monitor. Otherwise nobody reads the eventfd, so its count is the pending bit; unmasking delivers
 * what is pending.
 *
 * Invariants: 1. a vector has a GSI while a source is bound to it, no longer; 2. an irqfd is
 * assigned only while its vector can deliver.
 * Threads: any; one mutex, under which struct irq_ops is called.
 */
#ifndef DEVICES_FRONT_MSIX_H
#define DEVICES_FRONT_MSIX_H

#include "base/err.h"
#include "devices/front/irq.h"
#include "devices/wire/pci.h"

#define MSIX_NONE 0xffffu /* no vector */

struct msix;

struct msix_desc {
	struct irq irq;
	unsigned int n_vectors; /* 1 to PCI_MSIX_MAX */
	const int *fds; /* n_sources non-blocking eventfds; they stay the caller's, outlive msix */
	unsigned int n_sources;
};

/* msix_create() - disabled, all vectors masked, no source bound. Return: 0 or -ENOMEM. */
int msix_create(struct msix **out, const struct msix_desc *desc, struct err *e) MUST_CHECK;

/* msix_destroy() - undo all routes. NULL is allowed. */
void msix_destroy(struct msix *m);

/* msix_set_control() - the guest wrote the capability's control register. */
void msix_set_control(struct msix *m, uint16_t control);

/* msix_enabled() - Return: true if MSI-X is on (the function mask may be set all the same). */
bool msix_enabled(struct msix *m);

/*
 * msix_bind() - let a source raise vector, MSIX_NONE for none.
 * Return: the vector bound: MSIX_NONE if it is out of range or no GSI could be had.
 */
uint16_t msix_bind(struct msix *m, unsigned int source, uint16_t vector);

/* msix_table_read() - len bytes at off of the table; beyond it zeros. Return: the value. */
uint64_t msix_table_read(struct msix *m, uint64_t off, unsigned int len);

/* msix_table_write() - aligned accesses of 4 or 8 bytes; others and those beyond it are ignored. */
void msix_table_write(struct msix *m, uint64_t off, unsigned int len, uint64_t value);

/* msix_pba_read() - len bytes at off of the pending bits; beyond them zeros. Return: the value. */
uint64_t msix_pba_read(struct msix *m, uint64_t off, unsigned int len);

#endif
