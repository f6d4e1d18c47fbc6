/* SPDX-License-Identifier: Apache-2.0 */
/* The hypervisor's interrupts as the front layer wants them. */
#ifndef VMM_IRQ_H
#define VMM_IRQ_H

#include "devices/front/irq.h"

struct hv;
struct ioapic;

/* What drives interrupt lines and routes MSIs. */
struct irq_controller {
	struct hv *hv;
	struct ioapic *ioapic; /* NULL: KVM has one */
};

/* irq_of() - Return: the ops over a controller, which must outlive their use. */
struct irq irq_of(struct irq_controller *c);

#endif
