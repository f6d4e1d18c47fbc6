/* SPDX-License-Identifier: Apache-2.0 */
/*
 * virtio-balloon under a hostile driver (tests/fuzz/rings.h), with reports of free pages if the
 * target's own option says so. What a driver gives is handed back before the kick ends: nothing
 * stays in flight. An event is another size that the monitor wants.
 */
#include "base/fd.h"
#include "devices/back/balloon.h"
#include "devices/wire/virtio_balloon.h"
#include "memory/shared_area.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/rings.h"

#include <assert.h>
#include <stdlib.h>

static struct rings rings;
static struct balloon_state *state;

static void event(uint16_t what)
{
	state->wanted = what;
}

static void settle(void)
{
	for (unsigned int i = 0; i < RINGS_QUEUES; i++)
		assert(!rings.q[i].in_flight);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct balloon_config config = {.name = "fuzz"};
	struct bytes in = bytes_of(data, len);
	uint8_t options = bytes_u8(&in);
	struct balloon *balloon;
	struct shared_area area;
	struct err e = ERR_INIT;

	if (!rings.mem) {
		rings_open(&rings);
		if (loop_create(&rings.loop, &e))
			abort();
	}
	config.loop = rings.loop;
	if (shared_area_open(&area, sizeof(*state), &config.state_fd, &e) ||
		fd_event(&config.changed_fd, &e))
		abort();
	state = area.at;
	state->report = options >> RINGS_OWN & 1;
	if (balloon_create(&balloon, &config, &e))
		abort();
	rings.device = balloon_device(balloon);
	rings.event = event;
	rings.settle = settle;
	rings_run(&rings, options, &in);
	balloon_destroy(balloon);
	shared_area_close(&area);
	return 0;
}
