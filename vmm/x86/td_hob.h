/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hand-off blocks (HOBs) by which a TD's firmware learns where its RAM is: UEFI PI
 * specification 1.8, volume 3, chapter 5; Intel TDVF design guide (344991), section 4.2.
 *
 * Pages that the launch image adds are RAM that the TD has; the rest it must accept first.
 */
#ifndef VMM_X86_TD_HOB_H
#define VMM_X86_TD_HOB_H

#include "base/err.h"
#include "memory/gpa.h"

#include <stddef.h>

struct image;
struct layout;

/* Where the list goes. */
struct td_hob {
	uint8_t *bytes; /* len of them, zeros */
	size_t len;
	gpa_t at; /* where the guest will find them */
};

/*
 * td_hob_fill() - write the list for an image that lies in RAM or, its firmware, above all RAM
 * below 4 GiB.
 * Return: 0; -EINVAL: a part of the image begins in RAM and ends beyond; -ENOSPC: it does not fit.
 */
int td_hob_fill(const struct td_hob *hob, const struct layout *layout, const struct image *image,
	struct err *e) MUST_CHECK;

#endif
