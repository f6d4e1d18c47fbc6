/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hostile driver for fuzz targets of devices. Guest memory is 16 pages from address 0; in page q
 * lie the rings of queue q: descriptors at 0, the driver's area at 0x200, the device's at 0x300. An
 * input is one byte of options (RINGS_*), then a program of records: a kind byte, and then for
 *   0-95    write: 16-bit offset, then as many bytes as the kind says, into guest memory;
 *   96      the same, but later: a byte that says at which next use of the view, a byte of length;
 *   97      share or make private later: a byte that says when, a byte: page and direction;
 *   98-127  something happens at the device's other side: 16 bits say what;
 *   128-191 share (even) or make private (odd) the page of that number (kind / 2 % 16);
 *   192 up  kick queue kind % number of queues.
 * "Later" is how memory changes between two fetches: each look-up in the view counts, and the
 * walker makes one before each part of a ring and each buffer (the target is linked with
 * --wrap=view_iov).
 */
#ifndef TESTS_FUZZ_RINGS_H
#define TESTS_FUZZ_RINGS_H

#include "base/bytes.h"
#include "devices/back/device.h"
#include "devices/back/inflight.h"

#define RINGS_EVENT_IDX 1u
#define RINGS_INDIRECT  2u
#define RINGS_PACKED    4u
#define RINGS_RECORD    8u  /* with records of chains in flight */
#define RINGS_GARBAGE   16u /* which a process gone wild has written */
#define RINGS_OWN       5u  /* from this bit on the options are the target's */

#define RINGS_PAGES  16u
#define RINGS_NUM    32u /* entries of a ring */
#define RINGS_QUEUES 6u
#define RINGS_LATER  16u

struct rings_later {
	uint8_t in; /* uses of the view; 0: free */
	bool shares;
	uint16_t off;
	uint8_t len, data[16];
};

struct rings {
	/* The target's. */
	struct back_device *device;
	struct loop *loop;
	void (*event)(uint16_t what); /* may be NULL */
	void (*settle)(void);         /* after each record; may be NULL */
	/* The frame's own. */
	struct view view;
	uint8_t *mem, *ledger;
	bool broken;
	struct virtq q[RINGS_QUEUES];
	struct inflight inflight[RINGS_QUEUES];
	uint64_t records[RINGS_QUEUES][8 * RINGS_NUM];
	struct rings_later later[RINGS_LATER];
};

/* rings_open() - make guest memory and ledger; once. */
void rings_open(struct rings *r);

/* rings_run() - start the queues, run a program, drain the device; aborts if a chain is lost. */
void rings_run(struct rings *r, uint8_t options, struct bytes *program);

#endif
