/* SPDX-License-Identifier: Apache-2.0 */
/* The front layer's interrupts on the hypervisor; see vmm/irq.h. */
#include "vmm/irq.h"

#include "devices/front/ioapic.h"
#include "vmm/hv/hv.h"

static int irq_set_line(void *ctx, unsigned int gsi, bool level)
{
	const struct irq_controller *c = ctx;

	return c->ioapic ? ioapic_set_line(c->ioapic, gsi, level) : hv_irq_line(c->hv, gsi, level);
}

static struct hv *irq_hv(void *ctx)
{
	return ((struct irq_controller *)ctx)->hv;
}

static int irq_msi_alloc(void *ctx, unsigned int *gsi)
{
	int got = hv_msi_alloc(irq_hv(ctx));

	*gsi = got < 0 ? 0 : (unsigned int)got;
	return got < 0 ? got : 0;
}

static int irq_msi_update(void *ctx, unsigned int gsi, const struct irq_msi *msg)
{
	return hv_msi_set(irq_hv(ctx), gsi, msg->address, msg->data);
}

static void irq_msi_free(void *ctx, unsigned int gsi)
{
	hv_msi_free(irq_hv(ctx), gsi);
}

static int irq_irqfd_assign(void *ctx, unsigned int gsi, int eventfd)
{
	return hv_irqfd(irq_hv(ctx), gsi, eventfd, true);
}

static int irq_irqfd_deassign(void *ctx, unsigned int gsi, int eventfd)
{
	return hv_irqfd(irq_hv(ctx), gsi, eventfd, false);
}

static int irq_ioeventfd_assign(void *ctx, uint64_t addr, unsigned int len, int eventfd)
{
	return hv_ioeventfd(irq_hv(ctx), addr, len, eventfd, true);
}

static int irq_ioeventfd_deassign(void *ctx, uint64_t addr, unsigned int len, int eventfd)
{
	return hv_ioeventfd(irq_hv(ctx), addr, len, eventfd, false);
}

static const struct irq_ops ops = {
	.set_line = irq_set_line,
	.msi_alloc = irq_msi_alloc,
	.msi_update = irq_msi_update,
	.msi_free = irq_msi_free,
	.irqfd_assign = irq_irqfd_assign,
	.irqfd_deassign = irq_irqfd_deassign,
	.ioeventfd_assign = irq_ioeventfd_assign,
	.ioeventfd_deassign = irq_ioeventfd_deassign,
};

struct irq irq_of(struct irq_controller *c)
{
	return (struct irq){.ops = &ops, .ctx = c};
}
