/* SPDX-License-Identifier: Apache-2.0 */
/* Power-off and reset; see devices/front/power.h. */
#include "devices/front/power.h"

#include <errno.h>

enum { SLEEP_CONTROL, SLEEP_STATUS, RESET };

#define KEYBOARD_PULSE_RESET 0xfe

#define SLP_EN        (1u << 5)
#define SLP_TYP(type) ((type) << 2)
#define SLP_TYP_MASK  SLP_TYP(7u)

struct power {
	struct power_desc desc;
	struct bus_region region, keyboard;
};

/*
 * Sleep control reads as 0 (SLP_EN is write-only), sleep status as "never slept", the keyboard
 * controller as ready for a command.
 */
static uint64_t power_read(void *ctx, uint64_t off, unsigned int len)
{
	(void)ctx;
	(void)off;
	(void)len;
	return 0;
}

static void power_write(void *ctx, uint64_t off, unsigned int len, uint64_t value)
{
	struct power *p = ctx;

	if (len != 1)
		return;
	if (off == RESET && value == POWER_RESET_VALUE)
		p->desc.event(p->desc.ctx, POWER_RESET);
	if (off == SLEEP_CONTROL && (value & SLP_EN) &&
		(value & SLP_TYP_MASK) == SLP_TYP(POWER_SLP_TYP_S5))
		p->desc.event(p->desc.ctx, POWER_OFF);
}

static void power_keyboard_write(void *ctx, uint64_t off, unsigned int len, uint64_t value)
{
	struct power *p = ctx;

	(void)off;
	if (len == 1 && value == KEYBOARD_PULSE_RESET)
		p->desc.event(p->desc.ctx, POWER_RESET);
}

static const struct bus_ops power_ops = {.read = power_read, .write = power_write};
static const struct bus_ops power_keyboard_ops = {
	.read = power_read, .write = power_keyboard_write};

int power_create(struct power **out, const struct power_desc *desc, struct err *e)
{
	cleanup_free struct power *p = calloc(1, sizeof(*p));

	*out = NULL;
	if (!p)
		return err_sys(e, ENOMEM, "power");
	p->desc = *desc;
	p->region = (struct bus_region){.space = BUS_PORT,
		.base = desc->port,
		.len = POWER_PORTS,
		.ops = &power_ops,
		.ctx = p};
	p->keyboard = (struct bus_region){.space = BUS_PORT,
		.base = POWER_KEYBOARD,
		.len = 1,
		.ops = &power_keyboard_ops,
		.ctx = p};
	if (bus_add(desc->bus, &p->region, e))
		return err_context(e, "power");
	if (bus_add(desc->bus, &p->keyboard, e)) {
		bus_remove(desc->bus, &p->region);
		return err_context(e, "power");
	}
	*out = take_ptr(p);
	return 0;
}

void power_destroy(struct power *power)
{
	if (!power)
		return;
	bus_remove(power->desc.bus, &power->keyboard);
	bus_remove(power->desc.bus, &power->region);
	free(power);
}
