/* SPDX-License-Identifier: Apache-2.0 */
/*
 * virtio over PCI, stateful: each record of the input is one access of a guest to the registers, to
 * configuration space or to the ports of mechanism 1, all on one device. A thread plays the back
 * end and checks that what it is given obeys the rules, whatever else the guest wrote.
 *
 * A record: one byte (bit 0: write; bits 1-2: log2 of the length; bits 3-4: where), two bytes of
 * offset, and for a write the bytes of the value.
 */
#include "devices/front/virtio_pci.h"

#include "base/bytes.h"
#include "base/fd.h"
#include "base/log.h"
#include "devices/wire/vhost_user.h"
#include "devices/wire/virtio.h"
#include "devices/wire/virtio_ring.h"
#include "tests/fuzz/fuzz.h"

#include <assert.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>

#define RAM       MIB(16)
#define ECAM      UINT64_C(0xe0000000)
#define WINDOW    UINT64_C(0xc0000000)
#define QUEUES    2
#define MAX_SIZE  64
#define MAX_STEPS 400

static int irq_line(void *ctx, unsigned int gsi, bool level)
{
	(void)ctx;
	(void)level;
	assert(gsi >= 16 && gsi < 24);
	return 0;
}

static int irq_alloc(void *ctx, unsigned int *gsi)
{
	unsigned int *used = ctx;

	assert(*used <= QUEUES + 1);
	++*used;
	*gsi = 24;
	return 0;
}

static int irq_update(void *ctx, unsigned int gsi, const struct irq_msi *msg)
{
	(void)ctx;
	(void)msg;
	assert(gsi == 24);
	return 0;
}

static void irq_free(void *ctx, unsigned int gsi)
{
	unsigned int *used = ctx;

	(void)gsi;
	assert(*used > 0);
	--*used;
}

static int irq_fd(void *ctx, unsigned int gsi, int fd)
{
	(void)ctx;
	assert(gsi == 24 && fd >= 0);
	return 0;
}

static int irq_io(void *ctx, uint64_t addr, unsigned int len, int fd)
{
	(void)ctx;
	(void)len;
	assert(addr >= WINDOW && addr < ECAM && fd >= 0);
	return 0;
}

static const struct irq_ops irq_ops = {
	irq_line, irq_alloc, irq_update, irq_free, irq_fd, irq_fd, irq_io, irq_io};

static void check_area(uint64_t user_addr, uint64_t len, uint64_t align)
{
	uint64_t at = user_addr - VHOST_USER_CLIENT_BASE;

	assert(is_aligned(at, align) && range_in(at, len, RAM));
}

/* check() - the ring state that the back end gets; num is that of the queue spoken of last. */
static void check(
	const struct vhost_user_header *h, const union vhost_user_payload *p, uint32_t *num)
{
	if (h->request == VHOST_USER_SET_VRING_NUM) {
		*num = p->state.num;
		assert(p->state.index < QUEUES && *num && *num <= MAX_SIZE && !(*num & (*num - 1)));
	} else if (h->request == VHOST_USER_SET_VRING_ADDR) {
		check_area(p->addr.desc, VRING_DESC_BYTES(*num), 16);
		check_area(p->addr.avail, VRING_AVAIL_BYTES(*num), 2);
		check_area(p->addr.used, VRING_USED_BYTES(*num), 4);
	} else if (h->request == VHOST_USER_SET_FEATURES) {
		assert(p->u64 & VIRTIO_F_VERSION_1 && !(p->u64 & VIRTIO_F_ACCESS_PLATFORM));
	}
}

/* reply() - make the payload the answer. Return: its length, 0 for none. */
static uint32_t reply(const struct vhost_user_header *h, union vhost_user_payload *p)
{
	switch (h->request) {
	case VHOST_USER_GET_FEATURES:
		p->u64 = VIRTIO_F_VERSION_1 | VHOST_USER_F_PROTOCOL_FEATURES | VIRTIO_F_EVENT_IDX;
		return 8;
	case VHOST_USER_GET_PROTOCOL_FEATURES:
		p->u64 = VHOST_USER_PROTOCOL_F_REPLY_ACK | VHOST_USER_PROTOCOL_F_CONFIG;
		return 8;
	case VHOST_USER_GET_VRING_BASE:
	case VHOST_USER_GET_CONFIG:
		return h->size;
	default:
		p->u64 = 0;
		return h->flags & VHOST_USER_NEED_REPLY ? 8 : 0;
	}
}

static void *back_end(void *ctx)
{
	struct vhost_user_header h;
	union vhost_user_payload p;
	int sock = *(int *)ctx, fds[FD_PASS_MAX];
	size_t n_fds = FD_PASS_MAX;
	uint32_t num = 0;

	while (fd_recv(sock, &h, sizeof(h), fds, &n_fds) == (ssize_t)sizeof(h)) {
		for (; n_fds; n_fds--)
			fd_drop(&fds[n_fds - 1]);
		n_fds = FD_PASS_MAX;
		assert(h.size <= sizeof(p) && (!h.size || !fd_read_full(sock, &p, h.size)));
		check(&h, &p, &num);
		h.size = reply(&h, &p);
		h.flags = VHOST_USER_VERSION | VHOST_USER_REPLY;
		if (h.size &&
			(fd_write_full(sock, &h, sizeof(h)) || fd_write_full(sock, &p, h.size)))
			break;
	}
	fd_drop(&sock);
	return NULL;
}

/* step() - one access. Return: false at the end of the input. */
static bool step(struct bus *bus, struct bytes *in)
{
	static const struct {
		enum bus_space space;
		uint64_t base, len;
	} places[] = {{BUS_MMIO, WINDOW, 64}, {BUS_MMIO, WINDOW, 0x8000},
		{BUS_MMIO, ECAM + 0x8000, 256}, {BUS_PORT, 0xcf8, 8}};
	uint8_t op = bytes_u8(in), value[8] = {0};
	uint64_t off = bytes_u16(in);
	unsigned int len = 1u << (op >> 1 & 3), where = op >> 3 & 3;
	uint64_t addr = places[where].base + off % places[where].len;

	if (!(op & 1)) {
		bus_read(bus, places[where].space, addr, value, len);
	} else {
		bytes_copy(in, value, len);
		bus_write(bus, places[where].space, addr, value, len);
	}
	return !in->failed && in->left;
}

static void drive(struct bus *bus, struct loop *loop, const uint8_t *data, size_t len)
{
	const uint32_t memory = PCI_COMMAND_MEMORY;
	struct bytes in = bytes_of(data, len);

	bus_write(bus, BUS_MMIO, ECAM + 0x8000 + PCI_COMMAND, &memory, 2);
	for (unsigned int i = 0; i < MAX_STEPS && step(bus, &in); i++)
		assert(!loop_run_once(loop, 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	unsigned int used = 0;
	struct irq irq = {&irq_ops, &used};
	struct pci_bus_desc pd = {.irq = irq,
		.window = {WINDOW, MIB(1)},
		.ecam = ECAM,
		.port = 0xcf8,
		.gsi_base = 16};
	struct virtio_pci_desc vd = {.irq = irq,
		.name = "fuzz",
		.virtio_id = VIRTIO_ID_BLOCK,
		.n_queues = QUEUES,
		.max_queue_size = MAX_SIZE,
		.config_len = 60,
		.pidfd = -1};
	struct err e = ERR_INIT;
	struct virtio_pci *dev;
	struct layout layout;
	pthread_t thread;
	int pair[2];

	log_set_level(LOG_ERROR);
	assert(!layout_init(&layout, RAM, &e) && !bus_create(&pd.bus, &e) &&
		!loop_create(&vd.loop, &e));
	assert(!pci_bus_create(&vd.pci, &pd, &e));
	assert(!socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	assert(!pthread_create(&thread, NULL, back_end, &pair[1]));
	vd.layout = &layout;
	vd.sock = pair[0];
	assert(!virtio_pci_create(&dev, &vd, &e));
	drive(pd.bus, vd.loop, data, len);
	virtio_pci_destroy(dev);
	assert(!used);
	pthread_join(thread, NULL);
	pci_bus_destroy(vd.pci);
	loop_destroy(vd.loop);
	bus_destroy(pd.bus);
	return 0;
}
