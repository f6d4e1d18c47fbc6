/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/devices/board.h"

#include "base/fd.h"
#include "devices/wire/virtio.h"
#include "tests/unit/unit.h"

#include <string.h>
#include <sys/mman.h>

#define OK_BITS (VIRTIO_STATUS_ACKNOWLEDGE | VIRTIO_STATUS_DRIVER | VIRTIO_STATUS_FEATURES_OK)

void board_init(struct board *b)
{
	struct pci_bus_desc d = {.window = {BOARD_WINDOW, 0x1000000},
		.ecam = BOARD_ECAM,
		.port = 0xcf8,
		.gsi_base = 16};
	struct err e = ERR_INIT;

	memset(b, 0, sizeof(*b));
	assert_int_equal(bus_create(&b->bus, &e), 0);
	assert_int_equal(loop_create(&b->loop, &e), 0);
	assert_int_equal(layout_init(&b->layout, BOARD_RAM, &e), 0);
	b->ram_fd = memfd_create("ram", MFD_CLOEXEC);
	assert_true(b->ram_fd >= 0);
	assert_int_equal(ftruncate(b->ram_fd, (off_t)BOARD_RAM), 0);
	b->ram = mmap(NULL, BOARD_RAM, PROT_READ | PROT_WRITE, MAP_SHARED, b->ram_fd, 0);
	assert_ptr_not_equal(b->ram, MAP_FAILED);
	b->memory = (struct vhost_user_memory){gpa_of(0), BOARD_RAM, b->ram_fd, 0};
	d.bus = b->bus;
	d.irq = fake_irq_of(&b->irq);
	assert_int_equal(pci_bus_create(&b->pci, &d, &e), 0);
}

void board_fini(struct board *b)
{
	virtio_pci_destroy(b->dev);
	assert_int_equal(fake_irq_total(&b->irq), 0);
	pci_bus_destroy(b->pci);
	bus_destroy(b->bus);
	loop_destroy(b->loop);
	munmap(b->ram, BOARD_RAM);
	fd_drop(&b->ram_fd);
}

struct virtio_pci_desc board_desc(struct board *b, int sock, uint16_t n_queues)
{
	return (struct virtio_pci_desc){.pci = b->pci,
		.loop = b->loop,
		.irq = fake_irq_of(&b->irq),
		.layout = &b->layout,
		.name = "disk0",
		.virtio_id = VIRTIO_ID_BLOCK,
		.class_code = PCI_CLASS_STORAGE,
		.n_queues = n_queues,
		.max_queue_size = 64,
		.config_len = 16,
		.require_access_platform = true,
		.sock = sock,
		.pidfd = -1,
		.memory = &b->memory,
		.n_memory = 1,
		.timeout_ms = 10000};
}

uint64_t board_read(struct board *b, uint64_t addr, unsigned int len)
{
	uint64_t v = 0;

	bus_read(b->bus, BUS_MMIO, addr, &v, len);
	return v;
}

void board_write(struct board *b, uint64_t addr, unsigned int len, uint64_t v)
{
	bus_write(b->bus, BUS_MMIO, addr, &v, len);
}

static uint64_t cfg_addr(const struct board *b, unsigned int off)
{
	return BOARD_ECAM + ((uint64_t)virtio_pci_slot(b->dev) << 15) + off;
}

uint64_t board_cfg_read(struct board *b, unsigned int off, unsigned int len)
{
	return board_read(b, cfg_addr(b, off), len);
}

void board_cfg_write(struct board *b, unsigned int off, unsigned int len, uint64_t v)
{
	board_write(b, cfg_addr(b, off), len, v);
}

static void probe_virtio_cap(struct board *b, unsigned int cap)
{
	uint64_t at = b->bar + board_cfg_read(b, cap + 8, 4);

	assert_int_equal(board_cfg_read(b, cap + 4, 1), 0);
	switch (board_cfg_read(b, cap + 3, 1)) {
	case VIRTIO_PCI_CFG_COMMON:
		assert_int_equal(board_cfg_read(b, cap + 12, 4), sizeof(struct virtio_pci_common));
		b->common = at;
		break;
	case VIRTIO_PCI_CFG_NOTIFY:
		assert_int_equal(board_cfg_read(b, cap + 16, 4), 4);
		b->notify = at;
		break;
	case VIRTIO_PCI_CFG_ISR:
		b->isr = at;
		break;
	case VIRTIO_PCI_CFG_DEVICE:
		b->config = at;
		break;
	case VIRTIO_PCI_CFG_ACCESS:
		b->window = cap;
		break;
	default:
		fail_msg("unknown capability");
	}
}

void board_probe(struct board *b)
{
	board_cfg_write(b, PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	b->bar = board_cfg_read(b, PCI_BAR(0), 4);
	for (unsigned int cap = (unsigned int)board_cfg_read(b, PCI_CAP_PTR, 1); cap;
		cap = (unsigned int)board_cfg_read(b, cap + 1, 1)) {
		if (board_cfg_read(b, cap, 1) == PCI_CAP_MSIX)
			b->msix = cap;
		else
			probe_virtio_cap(b, cap);
	}
	assert_true(b->common && b->notify && b->isr && b->config && b->window && b->msix);
}

uint64_t board_offered(struct board *b)
{
	uint64_t low;

	PUT(b, device_feature_select, 0);
	low = GET(b, device_feature);
	PUT(b, device_feature_select, 1);
	return GET(b, device_feature) << 32 | low;
}

uint8_t board_negotiate(struct board *b, uint64_t features)
{
	PUT(b, device_status, 0);
	assert_int_equal(GET(b, device_status), 0);
	PUT(b, device_status, VIRTIO_STATUS_ACKNOWLEDGE);
	PUT(b, device_status, VIRTIO_STATUS_ACKNOWLEDGE | VIRTIO_STATUS_DRIVER);
	PUT(b, driver_feature_select, 0);
	PUT(b, driver_feature, features & UINT32_MAX);
	PUT(b, driver_feature_select, 1);
	PUT(b, driver_feature, features >> 32);
	PUT(b, device_status, OK_BITS);
	return (uint8_t)GET(b, device_status);
}

void board_queue(struct board *b, uint16_t q, uint16_t size)
{
	uint64_t at = 0x100000u * (q + 1u);

	PUT(b, queue_select, q);
	PUT(b, queue_size, size);
	board_write(b, b->common + REG(queue_desc), 4, at);
	board_write(b, b->common + REG(queue_desc) + 4, 4, 0);
	PUT(b, queue_driver, at + 0x2000);
	PUT(b, queue_device, at + 0x4000);
	PUT(b, queue_enable, 1);
}

uint8_t board_start(struct board *b)
{
	assert_int_equal(
		board_negotiate(b, VIRTIO_F_VERSION_1 | VIRTIO_F_ACCESS_PLATFORM), OK_BITS);
	board_queue(b, 0, 64);
	PUT(b, device_status, OK_BITS | VIRTIO_STATUS_DRIVER_OK);
	return (uint8_t)GET(b, device_status);
}

void board_turn(struct board *b)
{
	for (int i = 0; i < 4; i++)
		assert_int_equal(loop_run_once(b->loop, 0), 0);
}
