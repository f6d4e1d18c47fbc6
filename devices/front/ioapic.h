/* SPDX-License-Identifier: Apache-2.0 */
/*
 * struct ioapic: an I/O APIC (Intel 82093AA) of 24 pins whose interrupts leave as MSIs, for VMs
 * whose KVM has none.
 *
 * Every pin is edge-triggered whatever the guest writes, and the trigger mode reads so: nobody
 * tells a VMM of the end of an interrupt in a TD. An edge at a masked pin is kept until it is
 * unmasked.
 *
 * Threads: any; a mutex of its own, under which it calls desc.send.
 */
#ifndef DEVICES_FRONT_IOAPIC_H
#define DEVICES_FRONT_IOAPIC_H

#include "devices/front/bus.h"

#include <stdbool.h>

#define IOAPIC_PINS 24
#define IOAPIC_LEN  UINT64_C(0x1000)

struct ioapic;

struct ioapic_desc {
	struct bus *bus;
	uint64_t base; /* of its registers, IOAPIC_LEN bytes of MMIO */
	/* Send an MSI. Return: 0 or -errno. Takes no lock of the front layer. */
	int (*send)(void *ctx, uint64_t address, uint32_t data);
	void *ctx;
};

/* ioapic_create() - all pins masked. Return: 0, -errno of bus_add(), -ENOMEM. */
int ioapic_create(struct ioapic **out, const struct ioapic_desc *desc, struct err *e) MUST_CHECK;

/* ioapic_destroy() - give the registers back; no vCPU may be running. NULL is allowed. */
void ioapic_destroy(struct ioapic *io);

/* ioapic_set_line() - drive a pin. Return: 0, -EINVAL for no pin, -errno of desc.send. */
int ioapic_set_line(struct ioapic *io, unsigned int pin, bool high);

#endif
