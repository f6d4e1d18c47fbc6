/* SPDX-License-Identifier: Apache-2.0 */
/*
 * MRTD: the digest of how a TD was built, one running SHA-384 that the TDX module feeds on each
 * TDH.MEM.PAGE.ADD and TDH.MR.EXTEND.
 *
 * Intel TDX module base architecture specification (348549), section "TD Measurement". Which pages
 * are added and extended comes from the launch image; the order of the two calls from the VMM.
 */
#ifndef ATTESTATION_MRTD_H
#define ATTESTATION_MRTD_H

#include "attestation/digest.h"
#include "attestation/trace.h"
#include "memory/image.h"

#include <stdint.h>

#define MRTD_LEN DIGEST_SHA384_LEN

enum mrtd_order {
	MRTD_PAGE_BY_PAGE, /* add a page, extend it, next page: upstream KVM, td-shim */
	MRTD_TWO_PASS,     /* per part all adds, then all extends: older QEMU */
};

/*
 * mrtd_of_image() - predict MRTD. NORMAL pages are added and extended, UNMEASURED ones added.
 * @trace: NULL if nobody looks
 * Return: 0, -EINVAL for a page type that TDX does not have, -ENOMEM, -EIO.
 */
int mrtd_of_image(const struct image *image, enum mrtd_order order, const struct trace *trace,
	uint8_t out[MRTD_LEN], struct err *e) MUST_CHECK;

#endif
