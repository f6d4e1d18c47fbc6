/* SPDX-License-Identifier: Apache-2.0 */
/*
 * virtio-blk requests over one page of headers and one of data, both on the shared side.
 * Virtio 1.2, section 5.2.6.
 */
#ifndef GUESTS_LIB_DISK_H
#define GUESTS_LIB_DISK_H

#include "guests/lib/virtio.h"

#define SECTOR 512u

#define DISK_F_RO    5
#define DISK_F_FLUSH 9

enum disk_type { DISK_IN = 0, DISK_OUT = 1, DISK_FLUSH = 4, DISK_GET_ID = 8 };
enum disk_status { DISK_OK = 0, DISK_IOERR = 1, DISK_UNSUPP = 2, DISK_NOTHING = 0xff };

/* Three pages that the device can reach: rings, header and status, data. */
#define DISK_AREA   0x900000ull
#define DISK_RINGS  DISK_AREA
#define DISK_HEADER (DISK_AREA + 0x1000)
#define DISK_STATUS (DISK_AREA + 0x1800)
#define DISK_DATA   (DISK_AREA + 0x2000)
#define DISK_PAGES  3

struct disk_header {
	uint32_t type, reserved;
	uint64_t sector;
};

/* disk_share() - convert the three pages, if there is a C-bit. */
void disk_share(void);

/* disk_chain() - fill descriptors 0..2 with one request; len 0: a request without data. */
void disk_chain(struct virtio *v, uint32_t type, uint64_t sector, uint32_t len);

/* disk_request() - do one request. Return: its status byte, DISK_NOTHING if it never came. */
uint8_t disk_request(struct virtio *v, uint32_t type, uint64_t sector, uint32_t len);

#endif
