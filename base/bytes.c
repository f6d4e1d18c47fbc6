/* SPDX-License-Identifier: Apache-2.0 */
/* Bounded reading; see base/bytes.h. */
#include "base/bytes.h"

#include "base/num.h"

#include <string.h>

struct bytes bytes_slice(const struct bytes *b, uint64_t off, uint64_t len)
{
	if (b->failed || !range_in(off, len, b->left))
		return (struct bytes){.failed = true};
	return bytes_of(b->at + off, (size_t)len);
}

const uint8_t *bytes_take(struct bytes *b, size_t len)
{
	const uint8_t *p = b->at;

	if (b->failed || len > b->left) {
		b->failed = true;
		b->left = 0;
		return NULL;
	}
	b->at += len;
	b->left -= len;
	return p;
}

void bytes_copy(struct bytes *b, void *dst, size_t len)
{
	const uint8_t *p = bytes_take(b, len);

	if (p && len)
		memcpy(dst, p, len);
	else if (len)
		memset(dst, 0, len);
}

uint8_t bytes_u8(struct bytes *b)
{
	const uint8_t *p = bytes_take(b, 1);

	return p ? *p : 0;
}

uint16_t bytes_u16(struct bytes *b)
{
	const uint8_t *p = bytes_take(b, 2);

	return p ? load_le16(p) : 0;
}

uint32_t bytes_u32(struct bytes *b)
{
	const uint8_t *p = bytes_take(b, 4);

	return p ? load_le32(p) : 0;
}

uint64_t bytes_u64(struct bytes *b)
{
	const uint8_t *p = bytes_take(b, 8);

	return p ? load_le64(p) : 0;
}

uint16_t bytes_u16_be(struct bytes *b)
{
	return __builtin_bswap16(bytes_u16(b));
}

uint32_t bytes_u32_be(struct bytes *b)
{
	return __builtin_bswap32(bytes_u32(b));
}
