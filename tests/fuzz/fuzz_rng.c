/* SPDX-License-Identifier: Apache-2.0 */
/*
 * virtio-rng under a hostile driver (tests/fuzz/rings.h). Its source is a pipe; an event puts some
 * bytes into it.
 */
#include "devices/back/rng.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/rings.h"

#include <assert.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static struct rings rings;
static int source[2];

static void event(uint16_t what)
{
	static const uint8_t bytes[512];

	(void)!write(source[1], bytes, what % sizeof(bytes));
	(void)!loop_run_once(rings.loop, 0);
}

static void settle(void)
{
	assert(!rings.q[0].in_flight); /* what can't be filled now is given back */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct rng *rng; /* made once */
	struct rng_config config = {.name = "fuzz"};
	struct bytes in = bytes_of(data, len);
	uint8_t options = bytes_u8(&in);
	struct err e = ERR_INIT;

	if (!rng) {
		rings_open(&rings);
		if (loop_create(&rings.loop, &e) || pipe2(source, O_NONBLOCK))
			abort();
		config.loop = rings.loop;
		config.source_fd = source[0];
		if (rng_create(&rng, &config, &e))
			abort();
	}
	rings.device = rng_device(rng);
	rings.event = event;
	rings.settle = settle;
	rings_run(&rings, options, &in);
	return 0;
}
