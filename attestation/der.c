/* SPDX-License-Identifier: Apache-2.0 */
/* DER elements; see attestation/der.h. */
#include "attestation/der.h"

#include <errno.h>
#include <string.h>

/* der_len() - read a length of X.690 section 10.1: as few octets as it takes. Return: 0, -EINVAL.
 */
static int der_len(struct bytes *b, size_t *len)
{
	uint8_t first = bytes_u8(b), octets = first & 0x7f;

	*len = first;
	if (first < 0x80)
		return b->failed ? -EINVAL : 0;
	if (octets < 1 || octets > 3)
		return -EINVAL;
	*len = 0;
	for (uint8_t i = 0; i < octets; i++)
		*len = *len << 8 | bytes_u8(b);
	if (b->failed || *len < 0x80 || *len >> (8 * (octets - 1)) == 0)
		return -EINVAL;
	return 0;
}

int der_take(struct bytes *b, uint8_t tag, struct bytes *content)
{
	const uint8_t *at;
	size_t len;

	if (bytes_u8(b) != tag || b->failed || der_len(b, &len))
		return -EINVAL;
	at = bytes_take(b, len);
	if (b->failed)
		return -EINVAL;
	*content = bytes_of(at, len);
	return 0;
}

int der_uint(struct bytes *b, uint32_t max, uint32_t *out)
{
	struct bytes c;
	uint64_t v = 0;

	if (der_take(b, DER_INTEGER, &c) || !c.left || c.left > 5 || c.at[0] & 0x80)
		return -EINVAL;
	if (c.left > 1 && !c.at[0] && !(c.at[1] & 0x80))
		return -EINVAL; /* X.690 section 8.3.2: no octet more than needed */
	while (c.left)
		v = v << 8 | bytes_u8(&c);
	if (v > max)
		return -EINVAL;
	*out = (uint32_t)v;
	return 0;
}

int der_octets(struct bytes *b, void *out, size_t len)
{
	struct bytes c;

	if (der_take(b, DER_OCTETS, &c) || c.left != len)
		return -EINVAL;
	memcpy(out, c.at, len);
	return 0;
}
