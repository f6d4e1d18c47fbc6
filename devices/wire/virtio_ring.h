/* SPDX-License-Identifier: Apache-2.0 */
/*
 * virtio 1.2 rings: split (spec 2.7) and packed (spec 2.8), as they lie in guest memory, little
 * endian. Only devices/back/virtq.c walks them.
 */
#ifndef DEVICES_WIRE_VIRTIO_RING_H
#define DEVICES_WIRE_VIRTIO_RING_H

#include <assert.h>
#include <stdint.h>

/* Descriptor flags; NEXT, WRITE and INDIRECT mean the same in both kinds of ring. */
#define VRING_DESC_F_NEXT     0x0001u
#define VRING_DESC_F_WRITE    0x0002u /* the device writes this buffer */
#define VRING_DESC_F_INDIRECT 0x0004u
#define VRING_DESC_F_AVAIL    0x0080u /* packed only */
#define VRING_DESC_F_USED     0x8000u /* packed only */

#define VRING_AVAIL_F_NO_INTERRUPT 1u /* struct vring_avail.flags */
#define VRING_USED_F_NO_NOTIFY     1u /* struct vring_used.flags */

struct vring_desc { /* spec 2.7.5; align 16 */
	uint64_t addr;
	uint32_t len;
	uint16_t flags;
	uint16_t next;
};
static_assert(sizeof(struct vring_desc) == 16, "spec 2.7.5");

struct vring_avail { /* spec 2.7.6; align 2; after ring[num]: uint16_t used_event */
	uint16_t flags;
	uint16_t idx;
	uint16_t ring[];
};
static_assert(sizeof(struct vring_avail) == 4, "spec 2.7.6");

struct vring_used_elem { /* spec 2.7.8 */
	uint32_t id;     /* head of the chain */
	uint32_t len;    /* bytes written to it */
};
static_assert(sizeof(struct vring_used_elem) == 8, "spec 2.7.8");

struct vring_used { /* spec 2.7.8; align 4; after ring[num]: uint16_t avail_event */
	uint16_t flags;
	uint16_t idx;
	struct vring_used_elem ring[];
};
static_assert(sizeof(struct vring_used) == 4, "spec 2.7.8");

/* Sizes of the three parts of a split ring of num entries, with their event fields (spec 2.7). */
#define VRING_DESC_BYTES(num)  (16u * (uint32_t)(num))
#define VRING_AVAIL_BYTES(num) (6u + 2u * (uint32_t)(num))
#define VRING_USED_BYTES(num)  (6u + 8u * (uint32_t)(num))
/* The event fields: which used entry the driver, which available one the device waits for. */
#define VRING_USED_EVENT(avail, num) ((uint16_t *)(avail) + 2 + (num))
#define VRING_AVAIL_EVENT(used, num) ((uint16_t *)(used) + 2 + 4 * (num))

struct vring_packed_desc { /* spec 2.8.13; align 16 */
	uint64_t addr;
	uint32_t len;
	uint16_t id;
	uint16_t flags;
};
static_assert(sizeof(struct vring_packed_desc) == 16, "spec 2.8.13");

#define VRING_PACKED_DESC_F_BOTH (VRING_DESC_F_AVAIL | VRING_DESC_F_USED)

#define VRING_PACKED_EVENT_MASK    0x3u
#define VRING_PACKED_EVENT_ENABLE  0x0u
#define VRING_PACKED_EVENT_DISABLE 0x1u
#define VRING_PACKED_EVENT_DESC    0x2u /* only with VIRTIO_F_EVENT_IDX */

#define VRING_PACKED_WRAP 0x8000u
struct vring_packed_event { /* spec 2.8.14; driver and device area of a packed ring; align 4 */
	uint16_t off_wrap;  /* bits 0-14 offset, bit 15 (VRING_PACKED_WRAP) wrap counter */
	uint16_t flags;     /* VRING_PACKED_EVENT_* in bits 0-1 */
};
static_assert(sizeof(struct vring_packed_event) == 4, "spec 2.8.14");

#endif
