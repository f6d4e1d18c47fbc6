/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads 4 KiB from a disk as a stock guest asks for it (one indirect descriptor, EVENT_IDX, a
 * ledger, a record of chains in flight, counters), and prints the address of each function of
 * Cloister that is entered between kick and interrupt, in their order. Built with
 * -finstrument-functions; path.py gives them their names. Argument: "split" or "packed".
 */
#include "base/fd.h"
#include "devices/back/blk.h"
#include "devices/back/inflight.h"
#include "devices/back/queue_stats.h"
#include "devices/wire/virtio_blk.h"
#include "devices/wire/virtio_ring.h"

#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGES   16u
#define NUM     256u
#define AVAIL   0x2000u
#define USED    0x3000u
#define TABLE   0x5000u
#define HEADER  0x6000u
#define DATA    0x7000u
#define STATUS  0x8000u
#define ENTERED 4096u

static struct {
	bool on;
	unsigned int n;
	void *at[ENTERED];
} entered;

void __cyg_profile_func_enter(void *fn, void *site);
void __cyg_profile_func_exit(void *fn, void *site);

__attribute__((no_instrument_function)) void __cyg_profile_func_enter(void *fn, void *site)
{
	(void)site;
	if (entered.on && entered.n < ENTERED)
		entered.at[entered.n++] = fn;
}

__attribute__((no_instrument_function)) void __cyg_profile_func_exit(void *fn, void *site)
{
	(void)fn, (void)site;
}

struct world {
	struct loop *loop;
	struct blk *blk;
	struct view view;
	struct virtq q;
	struct inflight inflight;
	struct queue_counters counters;
	struct queue_stats stats;
	bool broken, packed;
	uint8_t *mem;
	uint64_t record[2 * NUM * 4];
};

static int file_of(const char *name, size_t len)
{
	int fd = memfd_create(name, MFD_CLOEXEC);

	return fd < 0 || ftruncate(fd, (off_t)len) < 0 ? -1 : fd;
}

static int world_open(struct world *w, bool packed)
{
	const struct view_spec spec = {0, PAGES * PAGE_SIZE, 0, 0};
	const struct ledger_header header = {.magic = LEDGER_MAGIC, .n_pages = PAGES};
	int mem = file_of("guest", PAGES * PAGE_SIZE), ledger = file_of("ledger", 2 * PAGE_SIZE);
	struct blk_config config = {.name = "disk0", .n_queues = 1, .serial = "serial"};
	const uint8_t shared[PAGES / 8] = {0xff, 0xff};
	struct err e = ERR_INIT;

	w->mem = mmap(NULL, PAGES * PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, mem, 0);
	config.image_fd = file_of("image", 65536);
	if (pwrite(config.image_fd, "data", 4, 4096) != 4 ||
		pwrite(ledger, &header, sizeof(header), 0) < 0 ||
		pwrite(ledger, shared, sizeof(shared), PAGE_SIZE) < 0 ||
		loop_create(&w->loop, &e) < 0)
		return -1;
	config.loop = w->loop;
	w->packed = packed;
	w->stats.counters = &w->counters;
	w->inflight.split = packed ? NULL : (void *)w->record;
	w->inflight.packed = packed ? (void *)w->record : NULL;
	if (blk_create(&w->blk, &config, &e) < 0 || view_init(&w->view, ledger, &e) < 0 ||
		view_add(&w->view, &spec, mem, &e) < 0)
		return -1;
	w->q = (struct virtq){.view = &w->view,
		.tag = "disk0",
		.device = blk_device(w->blk),
		.broken = &w->broken,
		.num = NUM,
		.base = packed ? 0x80008000u : 0,
		.desc = gpa_of(0),
		.avail = gpa_of(AVAIL),
		.used = gpa_of(USED),
		.call_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC),
		.err_fd = -1,
		.inflight = &w->inflight,
		.stats = &w->stats};
	w->q.kick = (struct loop_source){.fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC),
		.fn = blk_device(w->blk)->ops->kicked,
		.ctx = &w->q};
	if (virtq_start(&w->q,
		    VIRTIO_F_EVENT_IDX | VIRTIO_F_INDIRECT_DESC |
			    (packed ? VIRTIO_F_RING_PACKED : 0)) < 0)
		return -1;
	return loop_add(w->loop, &w->q.kick, EPOLLIN | EPOLLET, &e);
}

/* offer_read() - make the n-th read of 4 KiB available. */
static void offer_read(struct world *w, uint16_t n)
{
	const struct virtio_blk_header h = {.type = VIRTIO_BLK_T_IN, .sector = 8};
	struct vring_desc *table = (void *)(w->mem + TABLE), *ring = (void *)w->mem;
	struct vring_packed_desc *packed = (void *)w->mem;
	struct vring_avail *avail = (void *)(w->mem + AVAIL);
	uint16_t flags[3] = {
		VRING_DESC_F_NEXT, VRING_DESC_F_NEXT | VRING_DESC_F_WRITE, VRING_DESC_F_WRITE};

	memcpy(w->mem + HEADER, &h, sizeof(h));
	w->mem[STATUS] = 0xee;
	for (uint16_t i = 0; i < 3; i++) {
		const uint64_t addr[3] = {HEADER, DATA, STATUS};
		const uint32_t len[3] = {sizeof(h), 4096, 1};

		table[i] = (struct vring_desc){addr[i], len[i], flags[i], (uint16_t)(i + 1)};
		if (w->packed)
			((struct vring_packed_desc *)table)[i] = (struct vring_packed_desc){
				addr[i], len[i], 0, flags[i] & VRING_DESC_F_WRITE};
	}
	if (w->packed) {
		packed[n] = (struct vring_packed_desc){
			TABLE, 48, n, VRING_DESC_F_INDIRECT | VRING_DESC_F_AVAIL};
		return;
	}
	ring[n] = (struct vring_desc){TABLE, 48, VRING_DESC_F_INDIRECT, 0};
	avail->ring[n] = n;
	*VRING_USED_EVENT(avail, NUM) = n; /* an interrupt is wanted for it */
	avail->idx = (uint16_t)(n + 1);
}

int main(int argc, char **argv)
{
	static struct world w;
	uint64_t calls = 0;

	if (argc != 2 || world_open(&w, !strcmp(argv[1], "packed")) < 0)
		return 2;
	for (uint16_t n = 0; n < 3; n++) {
		bool done;

		w.mem[DATA] = 0;
		offer_read(&w, n);
		if (eventfd_write(w.q.kick.fd, 1) < 0)
			return 2;
		entered.n = 0;
		do {
			entered.on = true;
			done = loop_run_once(w.loop, 1000) < 0;
			entered.on = false;
			done |= eventfd_read(w.q.call_fd, &calls) == 0;
		} while (!done);
		if (w.mem[STATUS] || memcmp(w.mem + DATA, "data", 4) || w.broken)
			return 3;
	}
	for (unsigned int i = 0; i < entered.n; i++)
		printf("%ld\n", (long)((char *)entered.at[i] - (char *)(void *)main));
	return 0;
}
