/* SPDX-License-Identifier: Apache-2.0 */
/* virtio-blk (spec 5.2): feature bits, configuration and requests as they go over the wire. */
#ifndef DEVICES_WIRE_VIRTIO_BLK_H
#define DEVICES_WIRE_VIRTIO_BLK_H

#include "devices/wire/virtio.h"

#include <assert.h>
#include <stdint.h>

#define VIRTIO_BLK_SECTOR 512u /* the unit of all sector numbers */

/* spec 5.2.3, as masks */
#define VIRTIO_BLK_F_SIZE_MAX     VIRTIO_BIT(1)
#define VIRTIO_BLK_F_SEG_MAX      VIRTIO_BIT(2)
#define VIRTIO_BLK_F_GEOMETRY     VIRTIO_BIT(4)
#define VIRTIO_BLK_F_RO           VIRTIO_BIT(5)
#define VIRTIO_BLK_F_BLK_SIZE     VIRTIO_BIT(6)
#define VIRTIO_BLK_F_FLUSH        VIRTIO_BIT(9)
#define VIRTIO_BLK_F_TOPOLOGY     VIRTIO_BIT(10)
#define VIRTIO_BLK_F_CONFIG_WCE   VIRTIO_BIT(11)
#define VIRTIO_BLK_F_MQ           VIRTIO_BIT(12)
#define VIRTIO_BLK_F_DISCARD      VIRTIO_BIT(13)
#define VIRTIO_BLK_F_WRITE_ZEROES VIRTIO_BIT(14)

struct virtio_blk_config { /* spec 5.2.4 */
	uint64_t capacity; /* sectors of 512 bytes */
	uint32_t size_max;
	uint32_t seg_max; /* data segments of a request */
	uint16_t cylinders;
	uint8_t heads;
	uint8_t sectors;
	uint32_t blk_size;
	uint8_t physical_block_exp;
	uint8_t alignment_offset;
	uint16_t min_io_size;
	uint32_t opt_io_size;
	uint8_t writeback;
	uint8_t unused0;
	uint16_t num_queues;
	uint32_t max_discard_sectors;
	uint32_t max_discard_seg;
	uint32_t discard_sector_alignment;
	uint32_t max_write_zeroes_sectors;
	uint32_t max_write_zeroes_seg;
	uint8_t write_zeroes_may_unmap;
	uint8_t unused1[3];
} __attribute__((packed));
static_assert(sizeof(struct virtio_blk_config) == 60, "spec 5.2.4");

/* spec 5.2.6: request types */
#define VIRTIO_BLK_T_IN           0u
#define VIRTIO_BLK_T_OUT          1u
#define VIRTIO_BLK_T_FLUSH        4u
#define VIRTIO_BLK_T_GET_ID       8u
#define VIRTIO_BLK_T_DISCARD      11u
#define VIRTIO_BLK_T_WRITE_ZEROES 13u

struct virtio_blk_header { /* readable; then data; then one writable status byte */
	uint32_t type;
	uint32_t reserved;
	uint64_t sector;
};
static_assert(sizeof(struct virtio_blk_header) == 16, "spec 5.2.6");

#define VIRTIO_BLK_ID_BYTES 20u /* answer to GET_ID; padded with NUL, not ended by one */

#define VIRTIO_BLK_UNMAP 1u /* flags, WRITE_ZEROES only */
struct virtio_blk_range {   /* data of DISCARD and WRITE_ZEROES */
	uint64_t sector;
	uint32_t num_sectors;
	uint32_t flags;
};
static_assert(sizeof(struct virtio_blk_range) == 16, "spec 5.2.6");

#define VIRTIO_BLK_S_OK     0u
#define VIRTIO_BLK_S_IOERR  1u
#define VIRTIO_BLK_S_UNSUPP 2u

#endif
