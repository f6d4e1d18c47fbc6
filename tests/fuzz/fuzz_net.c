/* SPDX-License-Identifier: Apache-2.0 */
/*
 * virtio-net under a hostile driver whose rings change between kicks, with frames that come in
 * between. The input is a program of records: kind byte, then for
 *   0-99    write: 16-bit offset, then as many bytes as the kind says, into guest memory;
 *   100-127 a frame comes: 16-bit length, header included;
 *   128-191 share (even) or make private (odd) the page of that number (kind / 2 % 16);
 *   192 up  kick queue kind % 3.
 * The first two bytes choose the features. Guest memory is 16 pages from address 0: in page q the
 * rings of queue q, descriptors at 0, the available ring at 0x200, the used ring at 0x300.
 */
#include "base/bytes.h"
#include "base/fd.h"
#include "base/log.h"
#include "devices/back/net.h"
#include "devices/wire/virtio_net.h"
#include "tests/fuzz/fuzz.h"

#include <assert.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define PAGES  16u
#define NUM    32u
#define QUEUES 3u

struct world {
	struct loop *loop;
	struct net *net;
	struct view view;
	uint8_t *mem, *ledger;
	int host; /* the other end of the tap */
	bool broken;
	struct virtq q[QUEUES];
};

static void world_map(struct world *w)
{
	const struct view_spec spec = {0, PAGES * PAGE_SIZE, 0, 0};
	const struct ledger_header header = {.magic = LEDGER_MAGIC, .n_pages = PAGES};
	int mem = memfd_create("guest", 0), ledger = memfd_create("ledger", 0);
	struct err e = ERR_INIT;
	int rc = ftruncate(mem, PAGES * PAGE_SIZE) | ftruncate(ledger, 2 * PAGE_SIZE);

	w->mem = mmap(NULL, PAGES * PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, mem, 0);
	w->ledger = mmap(NULL, 2 * PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, ledger, 0);
	assert(!rc && w->mem != MAP_FAILED && w->ledger != MAP_FAILED);
	memcpy(w->ledger, &header, sizeof(header));
	rc = view_init(&w->view, ledger, &e) | view_add(&w->view, &spec, mem, &e);
	assert(!rc);
	close(mem);
	close(ledger);
}

static struct world *world_get(void)
{
	static struct world w; /* made once */
	struct net_config config = {.name = "fuzz", .n_pairs = 1, .mtu = 1400};
	struct err e = ERR_INIT;
	int pair[2], rc;

	if (w.loop)
		return &w;
	log_set_level(LOG_ERROR);
	world_map(&w);
	rc = loop_create(&w.loop, &e);
	rc |= socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair);
	assert(!rc);
	w.host = pair[0];
	config.loop = w.loop;
	config.taps = &pair[1];
	rc = net_create(&w.net, &config, &e);
	assert(!rc);
	return &w;
}

static void share(struct world *w, unsigned int page, bool shared)
{
	uint8_t *byte = w->ledger + PAGE_SIZE + page / 8, bit = (uint8_t)(1u << page % 8);

	*byte = (uint8_t)(shared ? *byte | bit : *byte & ~bit);
}

/* settle() - what the loop would do, and the host's end takes all frames. */
static void settle(struct world *w)
{
	static uint8_t frame[1 << 17];

	for (int i = 0; i < 4; i++) {
		while (recv(w->host, frame, sizeof(frame), MSG_DONTWAIT) > 0)
			continue;
		(void)!loop_run_once(w->loop, 0);
	}
	for (unsigned int i = 0; i < QUEUES; i++)
		assert(!w->q[i].in_flight); /* nothing stays popped between two calls */
}

/* step() - run one record. Return: false at the end of the program. */
static bool step(struct world *w, struct bytes *in)
{
	static const uint8_t frame[UINT16_MAX];
	uint8_t kind = bytes_u8(in);
	uint16_t off;
	size_t len;

	if (in->failed)
		return false;
	if (kind >= 192) {
		net_device(w->net)->ops->kicked(&w->q[kind % QUEUES], 0);
	} else if (kind >= 128) {
		share(w, kind / 2 % PAGES, !(kind & 1));
	} else if (kind >= 100) {
		len = bytes_u16(in);
		(void)!send(w->host, frame, len, MSG_DONTWAIT);
	} else {
		off = bytes_u16(in) % (PAGES * PAGE_SIZE);
		len = (size_t)min_u64(min_u64(kind, in->left), PAGES * PAGE_SIZE - off);
		bytes_copy(in, w->mem + off, len);
	}
	settle(w);
	return true;
}

static void start(struct world *w, uint16_t chosen)
{
	struct back_device *device = net_device(w->net);
	/* Bits of the input for what changes paths. */
	uint64_t features = (chosen & 1 ? VIRTIO_NET_F_MRG_RXBUF : 0) |
		(chosen & 2 ? VIRTIO_NET_F_CTRL_VQ | VIRTIO_NET_F_CTRL_RX : 0) |
		(chosen & 4 ? VIRTIO_NET_F_CTRL_MAC_ADDR : 0);
	uint64_t rings = (uint64_t)(chosen >> 3 & 3) << 28;

	w->broken = false;
	memset(w->mem, 0, PAGES * PAGE_SIZE);
	memset(w->ledger + PAGE_SIZE, 0xff, PAGES / 8);
	device->ops->set_features(device, features);
	for (unsigned int i = 0; i < QUEUES; i++) {
		struct virtq *q = &w->q[i];
		int rc;

		*q = (struct virtq){
			.view = &w->view,
			.tag = "fuzz",
			.device = device,
			.broken = &w->broken,
			.index = (uint16_t)i,
			.num = NUM,
			.desc = gpa_of(i * PAGE_SIZE),
			.avail = gpa_of(i * PAGE_SIZE + 0x200),
			.used = gpa_of(i * PAGE_SIZE + 0x300),
			.call_fd = -1,
			.err_fd = -1,
			.kick = {.fd = -1},
		};
		rc = virtq_start(q, rings);
		assert(!rc);
		device->ops->kicked(q, 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct world *w = world_get();
	struct bytes in = bytes_of(data, len);

	start(w, bytes_u16(&in));
	while (step(w, &in) && !w->broken)
		continue;
	for (unsigned int i = 0; i < QUEUES; i++) {
		struct virtq *q = &w->q[i];

		net_device(w->net)->ops->drain(q);
		/* Every chain was used once or given back, unless the ring broke. */
		assert(!q->in_flight && (w->broken || q->next_used == q->next_avail));
		virtq_stop(q);
	}
	settle(w);
	return 0;
}
