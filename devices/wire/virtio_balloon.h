/* SPDX-License-Identifier: Apache-2.0 */
/*
 * virtio-balloon (spec 5.5): queue 0 inflates, queue 1 deflates, the next one reports free pages if
 * that feature is offered (queues of features that are not are left out, as all drivers and devices
 * have it). And what monitor and device process share of a balloon.
 */
#ifndef DEVICES_WIRE_VIRTIO_BALLOON_H
#define DEVICES_WIRE_VIRTIO_BALLOON_H

#include "devices/wire/virtio.h"

#include <assert.h>
#include <stdint.h>

#define VIRTIO_BALLOON_F_DEFLATE_ON_OOM VIRTIO_BIT(2)
#define VIRTIO_BALLOON_F_REPORTING      VIRTIO_BIT(5)

#define VIRTIO_BALLOON_QUEUE_INFLATE 0u
#define VIRTIO_BALLOON_QUEUE_DEFLATE 1u
#define VIRTIO_BALLOON_QUEUE_REPORT  2u

#define VIRTIO_BALLOON_PAGE 4096u /* spec 5.5.6: whatever the guest's pages are */

struct virtio_balloon_config { /* spec 5.5.4 */
	uint32_t num_pages; /* what the balloon should have */
	uint32_t actual;    /* what it has, as the driver writes it */
};
static_assert(sizeof(struct virtio_balloon_config) == 8, "spec 5.5.4");

/*
 * A memfd of the monitor's: the device process that comes after one that died goes on with it.
 * Each field has one writer; atomic.
 */
struct balloon_state {
	uint32_t wanted; /* pages; the monitor's */
	uint32_t actual; /* the device process's */
	uint32_t report; /* the monitor's, before the process starts: offer free page reporting */
	uint32_t deflate_on_oom; /* likewise */
};
static_assert(sizeof(struct balloon_state) == 16, "balloon");

#endif
