/* SPDX-License-Identifier: Apache-2.0 */
/*
 * QEMU's firmware configuration device on I/O ports, which OVMF reads kernel, ACPI tables and the
 * map of RAM from. QEMU, docs/specs/fw_cfg.rst.
 *
 * Invariants: 1. items are read-only and do not change once a guest runs; 2. DMA reads and writes
 * shared pages alone; 3. what lies behind the end of an item is zeros.
 *
 * Threads: items are added before vCPUs run; accesses come from all vCPU threads, one at a time.
 */
#ifndef DEVICES_FRONT_FW_CFG_H
#define DEVICES_FRONT_FW_CFG_H

#include "base/err.h"
#include "memory/guest_io.h"

#include <stdint.h>

struct bus;
struct fw_cfg;

/* Items that are no files. */
enum fw_cfg_key {
	FW_CFG_SIGNATURE = 0x00,
	FW_CFG_ID = 0x01,
	FW_CFG_N_CPUS = 0x05, /* 16 bits */
	FW_CFG_KERNEL_SIZE = 0x08,
	FW_CFG_INITRD_SIZE = 0x0b,
	FW_CFG_MAX_CPUS = 0x0f, /* 16 bits: the largest APIC id + 1 */
	FW_CFG_KERNEL_DATA = 0x11,
	FW_CFG_INITRD_DATA = 0x12,
	FW_CFG_CMDLINE_SIZE = 0x14, /* with the NUL */
	FW_CFG_CMDLINE_DATA = 0x15,
	FW_CFG_SETUP_SIZE = 0x17,
	FW_CFG_SETUP_DATA = 0x18,
	FW_CFG_FILE_DIR = 0x19,
	FW_CFG_FILE_FIRST = 0x20,
};

#define FW_CFG_PORT_SELECT 0 /* 2 bytes, from desc->port on */
#define FW_CFG_PORT_DATA   1
#define FW_CFG_PORT_DMA    4 /* 8 bytes, big endian */
#define FW_CFG_PORTS       12

#define FW_CFG_NAME_MAX  55 /* characters of a file's name */
#define FW_CFG_MAX_ITEMS 48

struct fw_cfg_desc {
	struct bus *bus;
	uint16_t port;
	struct guest_io io; /* for DMA */
};

/* fw_cfg_create() - a device without items but those of every device. Return: 0 or -errno. */
int fw_cfg_create(struct fw_cfg **out, const struct fw_cfg_desc *desc, struct err *e) MUST_CHECK;

/* fw_cfg_destroy() - free; no vCPU runs. NULL is allowed. */
void fw_cfg_destroy(struct fw_cfg *f);

/*
 * fw_cfg_add() - an item. The bytes are borrowed for the device's life.
 * Return: 0, -EEXIST, or -ENOSPC: too many.
 */
int fw_cfg_add(struct fw_cfg *f, enum fw_cfg_key key, const void *data, size_t len,
	struct err *e) MUST_CHECK;

/* fw_cfg_add_number() - an item of `len` bytes, 2 or 4, little endian; the rest as fw_cfg_add(). */
int fw_cfg_add_number(struct fw_cfg *f, enum fw_cfg_key key, uint32_t value, size_t len,
	struct err *e) MUST_CHECK;

/* fw_cfg_add_file() - a file in the directory; the rest as fw_cfg_add(). */
int fw_cfg_add_file(
	struct fw_cfg *f, const char *name, const void *data, size_t len, struct err *e) MUST_CHECK;

#endif
