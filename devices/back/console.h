/* SPDX-License-Identifier: Apache-2.0 */
/*
 * virtio-console (spec 5.3) with one port: what `input` gives goes to the driver, what the driver
 * sends goes to `output`.
 *
 * Invariants:
 * 1. The driver never waits for a reader: bytes that `output` does not take wait in a buffer of
 *    CONSOLE_BUFFER bytes; what does not fit there either is dropped and counted in the log.
 * 2. Input is read only when the driver has given a buffer for it; nothing is kept here.
 * Both descriptors become non-blocking, which all who share their file description see: give the
 * device a description of its own (a tty is opened again for it).
 */
#ifndef DEVICES_BACK_CONSOLE_H
#define DEVICES_BACK_CONSOLE_H

#include "devices/back/device.h"

#define CONSOLE_BUFFER 65536u

struct console;

struct console_config {
	struct loop *loop;
	const char *name;        /* for log lines; must outlive the device */
	int input_fd, output_fd; /* the device's from now on, also on failure; -1: no input */
};

/* console_create() - Return: 0 and *out, or -errno. */
int console_create(
	struct console **out, const struct console_config *config, struct err *e) MUST_CHECK;

/* console_destroy() - all queues are stopped; what is still buffered is lost. NULL is allowed. */
void console_destroy(struct console *console);

/* console_device() - Return: what the vhost-user server takes. */
struct back_device *console_device(struct console *console);

#endif
