/* SPDX-License-Identifier: Apache-2.0 */
/* What the init of any guest of ours does first, and how it is told what to do. */
#ifndef GUESTS_DEMO_USERLAND_H
#define GUESTS_DEMO_USERLAND_H

/* userland_failed() - say "demo: FAILED WHAT: " and errno's text on the console. */
void userland_failed(const char *what);

/* userland_mount() - /proc, /sys, /dev and /tmp; what can't be mounted is said. */
void userland_mount(void);

/* userland_modules() - load what is in /modules; the names are in the order of loading. */
void userland_modules(void);

/*
 * userland_value() - Return: what follows "name=" on the kernel command line, NULL if it is not
 * there; valid until called again.
 */
const char *userland_value(const char *name);

/* userland_number() - the same as a number. Return: it, or fallback. */
int userland_number(const char *name, int fallback);

#endif
