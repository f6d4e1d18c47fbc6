/* SPDX-License-Identifier: Apache-2.0 */
/* A struct irq_ops that records: line levels, MSI routes, irqfds and ioeventfds. */
#ifndef TESTS_UNIT_DEVICES_FAKE_IRQ_H
#define TESTS_UNIT_DEVICES_FAKE_IRQ_H

#include "devices/front/irq.h"

#include <pthread.h>

#define FAKE_GSIS 64

struct fake_io {
	uint64_t addr;
	int fd;
};

struct fake_irq {
	pthread_mutex_t lock; /* all zeros will do */
	bool level[FAKE_GSIS];
	unsigned int rises[FAKE_GSIS];
	bool allocated[FAKE_GSIS];
	struct irq_msi msg[FAKE_GSIS];
	unsigned int irqfds[FAKE_GSIS]; /* assigned now */
	int last_fd[FAKE_GSIS];
	struct fake_io io[FAKE_GSIS];
	unsigned int n_io;
	bool no_more_gsis; /* msi_alloc() fails */
};

/* fake_irq_of() - Return: ops and context to hand to the code under test. */
struct irq fake_irq_of(struct fake_irq *f);

/* fake_irq_total() - Return: GSIs allocated, irqfds and ioeventfds assigned; 0 when all is undone.
 */
unsigned int fake_irq_total(const struct fake_irq *f);

#endif
