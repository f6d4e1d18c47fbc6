/* SPDX-License-Identifier: Apache-2.0 */
/*
 * struct power: the registers by which a guest switches itself off or resets, three ports:
 * +0 sleep control and +1 sleep status of hardware-reduced ACPI (ACPI 6.5, section 4.8.3.7), +2
 * the reset register that the FADT names; and of a keyboard controller the one command that many
 * command lines ask for (reboot=k): 0xfe to port 0x64 pulls the reset line. Owner and threads: the
 * callback comes from the vCPU thread that wrote; nothing here has state or locks.
 */
#ifndef DEVICES_FRONT_POWER_H
#define DEVICES_FRONT_POWER_H

#include "devices/front/bus.h"

#define POWER_PORTS       3
#define POWER_SLP_TYP_S5  5 /* what the \_S5 object in the DSDT must say */
#define POWER_RESET_VALUE 0x01
#define POWER_KEYBOARD    0x64 /* port: status when read, commands when written */

struct power;

enum power_event { POWER_OFF, POWER_RESET };

struct power_desc {
	struct bus *bus;
	uint16_t port; /* of the sleep control register */
	void (*event)(void *ctx, enum power_event event);
	void *ctx;
};

/* power_create() - claim the ports, POWER_KEYBOARD too. Return: 0, -errno of bus_add(), -ENOMEM. */
int power_create(struct power **out, const struct power_desc *desc, struct err *e) MUST_CHECK;

/* power_destroy() - give them back; no vCPU may be running in them. NULL is allowed. */
void power_destroy(struct power *power);

#endif
