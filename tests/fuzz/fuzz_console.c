/* SPDX-License-Identifier: Apache-2.0 */
/*
 * virtio-console under a hostile driver (tests/fuzz/rings.h). An event gives input, or lets the
 * reader of the output take some: it is slow.
 */
#include "devices/back/console.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/rings.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static struct rings rings;
static int host;

static void event(uint16_t what)
{
	static uint8_t bytes[8192];

	if (what & 1)
		(void)!send(host, bytes, what / 2 % 512, MSG_DONTWAIT);
	else
		(void)!recv(host, bytes, what / 2 % sizeof(bytes), MSG_DONTWAIT);
	(void)!loop_run_once(rings.loop, 0);
}

static void settle(void)
{
	for (unsigned int i = 0; i < rings.device->n_queues; i++)
		assert(!rings.q[i].in_flight); /* no reader is waited for */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct console *console; /* made once */
	struct console_config config = {.name = "fuzz"};
	struct bytes in = bytes_of(data, len);
	uint8_t options = bytes_u8(&in);
	struct err e = ERR_INIT;
	int pair[2];

	if (!console) {
		rings_open(&rings);
		if (loop_create(&rings.loop, &e) ||
			socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair))
			abort();
		host = pair[0];
		config.loop = rings.loop;
		config.input_fd = pair[1];
		config.output_fd = dup(pair[1]);
		if (console_create(&console, &config, &e))
			abort();
	}
	rings.device = console_device(console);
	rings.event = event;
	rings.settle = settle;
	rings_run(&rings, options, &in);
	return 0;
}
