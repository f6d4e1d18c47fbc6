/* SPDX-License-Identifier: Apache-2.0 */
/* The hypervisor's interrupts as the front layer wants them. */
#ifndef VMM_IRQ_H
#define VMM_IRQ_H

#include "devices/front/irq.h"

struct hv;

/* irq_of() - Return: the ops over a VM, which must outlive their use. */
struct irq irq_of(struct hv *hv);

#endif
