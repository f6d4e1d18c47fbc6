/* SPDX-License-Identifier: Apache-2.0 */
/*
 * struct serial: a 16550A UART, eight ports and one interrupt line.
 *
 * Output goes into a bounded buffer that the monitor's main thread writes out. When the buffer is
 * full, a vCPU waits at most SERIAL_WAIT_MS for room; then bytes are dropped (and counted in the
 * log) without more waiting until the reader has taken something. Input is read only while there
 * is room for it.
 *
 * Threads: registers from any vCPU; create, destroy and the loop's callbacks in the main thread. A
 * mutex of its own covers all, the interrupt line included, so that line and register agree.
 */
#ifndef DEVICES_FRONT_SERIAL_H
#define DEVICES_FRONT_SERIAL_H

#include "base/loop.h"
#include "devices/front/bus.h"
#include "devices/front/irq.h"

#define SERIAL_PORTS   8
#define SERIAL_OUT_MAX 65536 /* bytes that wait to be written out */
#define SERIAL_WAIT_MS 100

struct serial;

struct serial_desc {
	struct bus *bus;
	struct loop *loop;
	struct irq irq;
	uint16_t port;
	unsigned int gsi;
	int in_fd;  /* -1: no input; a file that can't be polled gives none either */
	int out_fd; /* -1: output is thrown away */
	/* Gets each byte that the guest sends, on a vCPU thread, one call at a time; NULL: none. */
	void (*watch)(void *ctx, uint8_t byte);
	void *watch_ctx;
};

/*
 * serial_create() - claim the ports and watch the input. The descriptors are duplicated; their
 * file status flags stay as they are, unless they are sockets.
 * Return: 0 or -errno.
 */
int serial_create(struct serial **out, const struct serial_desc *desc, struct err *e) MUST_CHECK;

/*
 * serial_destroy() - write out what can be written within SERIAL_WAIT_MS and free. No vCPU may be
 * running in the ports. NULL is allowed.
 */
void serial_destroy(struct serial *serial);

#endif
