/* SPDX-License-Identifier: Apache-2.0 */
/* virtio 1.2 over PCI (spec 4.1): capabilities and the common configuration registers. */
#ifndef DEVICES_WIRE_VIRTIO_PCI_H
#define DEVICES_WIRE_VIRTIO_PCI_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#define VIRTIO_PCI_VENDOR      0x1af4u
#define VIRTIO_PCI_DEVICE_BASE 0x1040u /* spec 4.1.2: plus the virtio device id */
#define VIRTIO_PCI_SUB_ID      0x0040u /* spec 4.1.2.1: 0x40 or above says "not transitional" */
#define VIRTIO_PCI_NO_VECTOR   0xffffu

enum virtio_pci_cfg { /* cfg_type, spec 4.1.4 */
	VIRTIO_PCI_CFG_COMMON = 1,
	VIRTIO_PCI_CFG_NOTIFY,
	VIRTIO_PCI_CFG_ISR,
	VIRTIO_PCI_CFG_DEVICE,
	VIRTIO_PCI_CFG_ACCESS, /* VIRTIO_PCI_CAP_PCI_CFG */
};

/* The capability after its id and next bytes; the last field is the notify capability's alone. */
struct virtio_pci_cap {
	uint8_t cap_len; /* with id and next */
	uint8_t cfg_type;
	uint8_t bar;
	uint8_t id;
	uint8_t padding[2];
	uint32_t offset;
	uint32_t length;
	uint32_t extra; /* notify_off_multiplier; of the access capability: pci_cfg_data */
} __attribute__((packed));
static_assert(sizeof(struct virtio_pci_cap) == 18, "spec 4.1.4");
#define VIRTIO_PCI_CAP_LEN       16u
#define VIRTIO_PCI_CAP_EXTRA_LEN 20u /* notify and access */

/* ISR status, spec 4.1.4.5 */
#define VIRTIO_PCI_ISR_QUEUE  0x1u
#define VIRTIO_PCI_ISR_CONFIG 0x2u

struct virtio_pci_common { /* spec 4.1.4.3 */
	uint32_t device_feature_select;
	uint32_t device_feature;
	uint32_t driver_feature_select;
	uint32_t driver_feature;
	uint16_t config_msix_vector;
	uint16_t num_queues;
	uint8_t device_status;
	uint8_t config_generation;
	uint16_t queue_select;
	uint16_t queue_size;
	uint16_t queue_msix_vector;
	uint16_t queue_enable;
	uint16_t queue_notify_off;
	uint64_t queue_desc;
	uint64_t queue_driver;
	uint64_t queue_device;
};
static_assert(sizeof(struct virtio_pci_common) == 56, "spec 4.1.4.3");
static_assert(offsetof(struct virtio_pci_common, queue_desc) == 32, "spec 4.1.4.3");

#endif
