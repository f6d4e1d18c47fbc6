/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A board for tests of virtio_pci: bus, PCI, 16 MiB of RAM in a memfd, recording interrupts; and
 * what a driver does: capabilities, registers, negotiation, queue setup.
 */
#ifndef TESTS_UNIT_DEVICES_BOARD_H
#define TESTS_UNIT_DEVICES_BOARD_H

#include "devices/front/virtio_pci.h"
#include "devices/wire/virtio_pci.h"
#include "tests/unit/devices/fake_irq.h"

#define BOARD_RAM    UINT64_C(0x1000000)
#define BOARD_ECAM   UINT64_C(0xe0000000)
#define BOARD_WINDOW UINT64_C(0xc0000000)

struct board {
	struct bus *bus;
	struct loop *loop;
	struct fake_irq irq;
	struct pci_bus *pci;
	struct layout layout;
	int ram_fd;
	uint8_t *ram;
	struct vhost_user_memory memory;
	struct virtio_pci *dev;
	uint64_t bar, common, isr, notify, config,
		window;    /* addresses; window: in configuration space */
	unsigned int msix; /* offset of the capability */
};

/* board_init() - everything but the device. */
void board_init(struct board *b);
void board_fini(struct board *b);

/* board_desc() - Return: a device of n queues of 64 entries, 16 bytes of configuration. */
struct virtio_pci_desc board_desc(struct board *b, int sock, uint16_t n_queues);

/* board_probe() - after b->dev was made: enable memory, find the registers by their capabilities.
 */
void board_probe(struct board *b);

uint64_t board_cfg_read(struct board *b, unsigned int off, unsigned int len);
void board_cfg_write(struct board *b, unsigned int off, unsigned int len, uint64_t v);
uint64_t board_read(struct board *b, uint64_t addr, unsigned int len);
void board_write(struct board *b, uint64_t addr, unsigned int len, uint64_t v);

#define REG(field)       offsetof(struct virtio_pci_common, field)
#define REG_LEN(field)   sizeof(((struct virtio_pci_common *)0)->field)
#define GET(b, field)    board_read(b, (b)->common + REG(field), REG_LEN(field))
#define PUT(b, field, v) board_write(b, (b)->common + REG(field), REG_LEN(field), v)

/* board_offered() - Return: the 64 feature bits offered. */
uint64_t board_offered(struct board *b);

/* board_negotiate() - reset, ACKNOWLEDGE, DRIVER, features, FEATURES_OK. Return: the status. */
uint8_t board_negotiate(struct board *b, uint64_t features);

/* board_queue() - set queue q up with its areas at 0x100000 * (q + 1) + 0, 0x2000, 0x4000. */
void board_queue(struct board *b, uint16_t q, uint16_t size);

/* board_start() - negotiate VERSION_1 and ACCESS_PLATFORM, one queue, DRIVER_OK. Return: status. */
uint8_t board_start(struct board *b);

/* board_turn() - let the main thread's loop do what is ready. */
void board_turn(struct board *b);

#endif
