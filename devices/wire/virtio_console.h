/* SPDX-License-Identifier: Apache-2.0 */
/*
 * virtio-console (spec 5.3): queue 0 receives (device to guest), queue 1 transmits; the control
 * queues 2 and 3 exist only with VIRTIO_CONSOLE_F_MULTIPORT. virtio-rng (spec 5.4) has one queue of
 * writable buffers, no feature bits and no configuration.
 */
#ifndef DEVICES_WIRE_VIRTIO_CONSOLE_H
#define DEVICES_WIRE_VIRTIO_CONSOLE_H

#include "devices/wire/virtio.h"

#include <assert.h>
#include <stdint.h>

#define VIRTIO_CONSOLE_F_SIZE        VIRTIO_BIT(0)
#define VIRTIO_CONSOLE_F_MULTIPORT   VIRTIO_BIT(1)
#define VIRTIO_CONSOLE_F_EMERG_WRITE VIRTIO_BIT(2)

#define VIRTIO_CONSOLE_QUEUE_RX 0u
#define VIRTIO_CONSOLE_QUEUE_TX 1u

struct virtio_console_config { /* spec 5.3.4 */
	uint16_t cols;
	uint16_t rows;
	uint32_t max_nr_ports;
	uint32_t emerg_wr;
};
static_assert(sizeof(struct virtio_console_config) == 12, "spec 5.3.4");

#endif
