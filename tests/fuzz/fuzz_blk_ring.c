/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The virtqueue walker and virtio-blk under a hostile driver whose ring changes between kicks. The
 * input is a program of records: kind byte, then for
 *   0-127  write: 16-bit offset, then as many bytes as the kind says, into guest memory;
 *   128-191 share (even) or make private (odd) the page of that number (kind / 2 % 16);
 *   192 up kick.
 * The first byte chooses the features. Guest memory is 16 pages from address 0: descriptors at 0,
 * the available ring at 0x200, the used ring at 0x300.
 */
#include "base/bytes.h"
#include "base/fd.h"
#include "base/log.h"
#include "devices/back/blk.h"
#include "tests/fuzz/fuzz.h"

#include <assert.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGES 16u
#define NUM   32u

struct world {
	struct loop *loop;
	struct blk *blk;
	struct view view;
	uint8_t *mem, *ledger;
};

static struct world *world_get(void)
{
	static struct world w; /* made once: a ring of io_uring is dear */
	const struct view_spec spec = {0, PAGES * PAGE_SIZE, 0, 0};
	const struct ledger_header header = {.magic = LEDGER_MAGIC, .n_pages = PAGES};
	struct blk_config config = {.name = "fuzz", .n_queues = 1, .serial = "serial"};
	int mem = memfd_create("guest", 0), ledger = memfd_create("ledger", 0);
	struct err e = ERR_INIT;
	int rc;

	if (w.loop)
		return close(mem), close(ledger), &w;
	log_set_level(LOG_ERROR);
	rc = ftruncate(mem, PAGES * PAGE_SIZE) | ftruncate(ledger, 2 * PAGE_SIZE);
	w.mem = mmap(NULL, PAGES * PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, mem, 0);
	w.ledger = mmap(NULL, 2 * PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, ledger, 0);
	assert(!rc && w.mem != MAP_FAILED && w.ledger != MAP_FAILED);
	memcpy(w.ledger, &header, sizeof(header));
	config.image_fd = memfd_create("image", 0);
	rc = ftruncate(config.image_fd, 65536) | loop_create(&w.loop, &e);
	config.loop = w.loop;
	rc |= blk_create(&w.blk, &config, &e) | view_init(&w.view, ledger, &e) |
		view_add(&w.view, &spec, mem, &e);
	assert(!rc);
	close(mem);
	close(ledger);
	return &w;
}

static void share(struct world *w, unsigned int page, bool shared)
{
	uint8_t *byte = w->ledger + PAGE_SIZE + page / 8, bit = (uint8_t)(1u << page % 8);

	*byte = (uint8_t)(shared ? *byte | bit : *byte & ~bit);
}

/* step() - run one record. Return: false at the end of the program. */
static bool step(struct world *w, struct virtq *q, struct bytes *in)
{
	const struct back_device_ops *ops = blk_device(w->blk)->ops;
	uint8_t kind = bytes_u8(in);
	uint16_t off;
	size_t len;

	if (in->failed)
		return false;
	if (kind >= 192) {
		ops->kicked(q, 0);
		assert(q->in_flight <= q->num);
	} else if (kind >= 128) {
		share(w, kind / 2 % PAGES, !(kind & 1));
	} else {
		off = bytes_u16(in) % (PAGES * PAGE_SIZE);
		len = (size_t)min_u64(min_u64(kind, in->left), PAGES * PAGE_SIZE - off);
		bytes_copy(in, w->mem + off, len);
	}
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct world *w = world_get();
	struct back_device *device = blk_device(w->blk);
	struct bytes in = bytes_of(data, len);
	bool broken = false;
	struct virtq q = {
		.view = &w->view,
		.tag = "fuzz",
		.device = device,
		.broken = &broken,
		.num = NUM,
		.desc = gpa_of(0),
		.avail = gpa_of(0x200),
		.used = gpa_of(0x300),
		.call_fd = -1,
		.err_fd = -1,
		.kick = {.fd = -1},
	};
	uint8_t features = bytes_u8(&in);
	int rc;

	memset(w->mem, 0, PAGES * PAGE_SIZE);
	memset(w->ledger + PAGE_SIZE, 0xff, PAGES / 8);
	device->ops->set_features(device, features & 1 ? UINT64_C(1) << 9 : 0);
	rc = virtq_start(&q, (uint64_t)(features >> 1 & 3) << 28);
	assert(!rc);
	while (step(w, &q, &in) && !broken)
		continue;
	device->ops->drain(&q);
	assert(!q.in_flight);
	/* Every chain was used once, unless the ring broke. */
	assert(broken || q.next_used == q.next_avail);
	virtq_stop(&q);
	return 0;
}
