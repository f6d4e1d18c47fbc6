/* SPDX-License-Identifier: Apache-2.0 */
/*
 * virtio-mem under a hostile driver (tests/fuzz/rings.h). Its region is no guest memory here, so
 * that unplugging fails, except for blocks that the driver names outside of it; what is plugged
 * must be counted rightly at each step. An event is another size that the monitor wants.
 */
#include "base/fd.h"
#include "devices/back/mem.h"
#include "devices/wire/virtio_mem.h"
#include "memory/shared_area.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/rings.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define BLOCKS 16u

static struct rings rings;
static struct mem_state *state;

static void event(uint16_t what)
{
	state->wanted = what % (BLOCKS + 2) * (uint64_t)VIRTIO_MEM_BLOCK;
}

static void settle(void)
{
	uint64_t n = 0;

	for (unsigned int i = 0; i < BLOCKS; i++)
		n += state->blocks[i];
	assert(n * VIRTIO_MEM_BLOCK == state->plugged);
	assert(!rings.q[0].in_flight);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct mem_config config = {.name = "fuzz"};
	struct bytes in = bytes_of(data, len);
	uint8_t options = bytes_u8(&in);
	struct shared_area area;
	struct err e = ERR_INIT;
	struct mem *mem;

	if (!rings.mem) {
		rings_open(&rings);
		if (loop_create(&rings.loop, &e))
			abort();
	}
	config.loop = rings.loop;
	if (shared_area_open(&area, sizeof(*state) + BLOCKS, &config.state_fd, &e) ||
		fd_event(&config.changed_fd, &e))
		abort();
	state = area.at;
	state->addr = GIB(4);
	state->region = BLOCKS * (uint64_t)VIRTIO_MEM_BLOCK;
	state->wanted = BLOCKS / 2 * (uint64_t)VIRTIO_MEM_BLOCK;
	if (mem_create(&mem, &config, &e))
		abort();
	rings.device = mem_device(mem);
	rings.event = event;
	rings.settle = settle;
	rings_run(&rings, options, &in);
	mem_destroy(mem);
	shared_area_close(&area);
	return 0;
}
