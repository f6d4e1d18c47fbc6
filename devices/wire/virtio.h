/* SPDX-License-Identifier: Apache-2.0 */
/*
 * virtio 1.2: device ids, device status and feature bits. Rings are in wire/virtio_ring.h, requests
 * of a device type in wire/virtio_<type>.h. "spec" means virtio 1.2 everywhere in devices/.
 */
#ifndef DEVICES_WIRE_VIRTIO_H
#define DEVICES_WIRE_VIRTIO_H

#include <stdint.h>

/* spec 5: device ids. A modern PCI device's device id is 0x1040 plus this. */
enum virtio_id {
	VIRTIO_ID_NET = 1,
	VIRTIO_ID_BLOCK = 2,
	VIRTIO_ID_CONSOLE = 3,
	VIRTIO_ID_RNG = 4,
	VIRTIO_ID_BALLOON = 5,
	VIRTIO_ID_VSOCK = 19,
	VIRTIO_ID_MEM = 24,
	VIRTIO_ID_FS = 26,
};

/* spec 2.1: device status */
#define VIRTIO_STATUS_ACKNOWLEDGE 0x01u
#define VIRTIO_STATUS_DRIVER      0x02u
#define VIRTIO_STATUS_DRIVER_OK   0x04u
#define VIRTIO_STATUS_FEATURES_OK 0x08u
#define VIRTIO_STATUS_NEEDS_RESET 0x40u
#define VIRTIO_STATUS_FAILED      0x80u

#define VIRTIO_BIT(n) (UINT64_C(1) << (n))

/* spec 6: reserved feature bits, as masks */
#define VIRTIO_F_INDIRECT_DESC     VIRTIO_BIT(28)
#define VIRTIO_F_EVENT_IDX         VIRTIO_BIT(29)
#define VIRTIO_F_VERSION_1         VIRTIO_BIT(32)
#define VIRTIO_F_ACCESS_PLATFORM   VIRTIO_BIT(33)
#define VIRTIO_F_RING_PACKED       VIRTIO_BIT(34)
#define VIRTIO_F_IN_ORDER          VIRTIO_BIT(35)
#define VIRTIO_F_ORDER_PLATFORM    VIRTIO_BIT(36)
#define VIRTIO_F_SR_IOV            VIRTIO_BIT(37)
#define VIRTIO_F_NOTIFICATION_DATA VIRTIO_BIT(38)
#define VIRTIO_F_RING_RESET        VIRTIO_BIT(40)

/* Bits that belong to the device type: 0 to 23 and 50 up (spec 2.2). */
#define VIRTIO_F_DEVICE_MASK (UINT64_C(0xffffff) | ~(VIRTIO_BIT(50) - 1))

#define VIRTIO_QUEUE_SIZE_MAX 32768u /* spec 2.7: split rings; always a power of two */

#endif
