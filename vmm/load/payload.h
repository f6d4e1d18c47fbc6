/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The payload of a bzImage: a compressed vmlinux. It is expanded once, into one mapping that the
 * launch image owns; the parts of the image point into that.
 */
#ifndef VMM_LOAD_PAYLOAD_H
#define VMM_LOAD_PAYLOAD_H

#include "base/bytes.h"
#include "base/err.h"

struct image;

#define PAYLOAD_MAX_SIZE (UINT64_C(1) << 30) /* of a vmlinux */

/* payload_name() - Return: name of the compression that the payload starts with, or "unknown". */
const char *payload_name(struct bytes payload);

/*
 * payload_expand() - decompress.
 * @payload: as it is in the bzImage: stream, then the size of the result (32 bits)
 * @max: bytes that the result may have
 * @out: the result, owned by the image
 * Return: 0; -ENOTSUP (compression not supported); -EINVAL (damaged, size does not fit);
 * -E2BIG (larger than max); -ENOMEM.
 */
int payload_expand(struct bytes *out, struct bytes payload, uint64_t max, struct image *image,
	struct err *e) MUST_CHECK;

#endif
