/* SPDX-License-Identifier: Apache-2.0 */
/*
 * struct bytes: a bounded reader over bytes that nobody vouches for.
 *
 * A parser takes a `struct bytes` by value or pointer, reads fields and checks `failed` once at
 * the end: after a read beyond the end every further read gives zeros and `failed` stays set
 * (sticky). The bytes belong to the caller and must outlive the reader. Integers are little
 * endian unless the name says _be.
 */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bytes {
	const uint8_t *at; /* next unread byte */
	size_t left; /* unread bytes */
	bool failed; /* something was read past the end */
};

static inline struct bytes bytes_of(const void *data, size_t len)
{
	return (struct bytes){.at = data, .left = len};
}

/*
 * bytes_slice() - a reader over [off, off+len) of what is still unread; the original is not moved.
 * Return: the reader; failed and empty if the range is not inside.
 */
struct bytes bytes_slice(const struct bytes *b, uint64_t off, uint64_t len);

/* bytes_take() - step over len bytes. Return: pointer to them, or NULL (and failed) if too few. */
const uint8_t *bytes_take(struct bytes *b, size_t len);

/* bytes_copy() - read len bytes into dst; zeros (and failed) if too few. */
void bytes_copy(struct bytes *b, void *dst, size_t len);

/* bytes_u8() and so on - read one integer. Return: it, or 0 (and failed) past the end. */
uint8_t bytes_u8(struct bytes *b);
uint16_t bytes_u16(struct bytes *b);
uint32_t bytes_u32(struct bytes *b);
uint64_t bytes_u64(struct bytes *b);
uint16_t bytes_u16_be(struct bytes *b);
uint32_t bytes_u32_be(struct bytes *b);

/* Loads and stores at an address of any alignment. */
static inline uint16_t load_le16(const void *p)
{
	uint16_t v;

	__builtin_memcpy(&v, p, sizeof(v));
	return v;
}

static inline uint32_t load_le32(const void *p)
{
	uint32_t v;

	__builtin_memcpy(&v, p, sizeof(v));
	return v;
}

static inline uint64_t load_le64(const void *p)
{
	uint64_t v;

	__builtin_memcpy(&v, p, sizeof(v));
	return v;
}

static inline void store_le16(void *p, uint16_t v)
{
	__builtin_memcpy(p, &v, sizeof(v));
}

static inline void store_le32(void *p, uint32_t v)
{
	__builtin_memcpy(p, &v, sizeof(v));
}

static inline void store_le64(void *p, uint64_t v)
{
	__builtin_memcpy(p, &v, sizeof(v));
}

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the loads above are for little endian");

#endif
