/* SPDX-License-Identifier: Apache-2.0 */
/*
 * virtio-blk under a hostile driver (tests/fuzz/rings.h). Option RINGS_OWN: the driver can flush;
 * the next one: the image is direct, with unaligned requests going by way of a buffer; the next
 * one: limited to a few requests. An event lets the loop run.
 */
#include "devices/back/blk.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/rings.h"

#include <assert.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static struct rings rings;

static void event(uint16_t what)
{
	(void)what;
	(void)!loop_run_once(rings.loop, 0);
}

/* open_image() - of 64 KiB, on a file system that takes O_DIRECT if it is asked for. */
static int open_image(bool direct)
{
	char path[] = "/var/tmp/cloister-fuzz-XXXXXX";
	int fd = direct ? mkostemp(path, O_DIRECT) : memfd_create("image", 0);

	if (direct && fd >= 0)
		unlink(path);
	if (fd < 0)
		fd = memfd_create("image", 0);
	return ftruncate(fd, 65536) < 0 ? -1 : fd;
}

static struct blk *make(unsigned int kind)
{
	struct blk_config config = {
		.name = "fuzz", .n_queues = 2, .serial = "serial", .loop = rings.loop};
	struct err e = ERR_INIT;
	struct blk *blk;
	int rc;

	if (kind & 2)
		config.limits.ops = (struct spawn_limit){.size = 20, .refill_ms = 1};
	config.image_fd = open_image(kind & 1);
	rc = blk_create(&blk, &config, &e);
	assert(!rc);
	return blk;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct blk *blk[4]; /* made once: a ring of io_uring is dear */
	struct bytes in = bytes_of(data, len);
	uint8_t options = bytes_u8(&in);
	unsigned int kind = options >> (RINGS_OWN + 1);
	struct err e = ERR_INIT;

	if (!rings.mem) {
		rings_open(&rings);
		if (loop_create(&rings.loop, &e))
			abort();
	}
	kind %= 4;
	if (!blk[kind])
		blk[kind] = make(kind);
	rings.device = blk_device(blk[kind]);
	rings.device->ops->set_features(
		rings.device, options & 1u << RINGS_OWN ? UINT64_C(1) << 9 : 0);
	rings.event = event;
	rings_run(&rings, options, &in);
	return 0;
}
