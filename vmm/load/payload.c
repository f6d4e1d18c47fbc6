/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The payload of a bzImage; see vmm/load/payload.h. Every decoder writes straight into the result
 * and must fill it exactly: a stream that is shorter or longer than the size says is damaged.
 */
#include "vmm/load/payload.h"

#include "base/num.h"
#include "memory/image.h"

#include <errno.h>
#include <lz4.h>
#include <lzma.h>
#include <string.h>
#include <sys/mman.h>
#include <zlib.h>
#include <zstd.h>

#define LZ4_BLOCK       MIB(8) /* of the legacy frame format */
#define LZ4_MAGIC       0x184c2102
#define XZ_MEMORY_LIMIT MIB(256) /* Linux uses dictionaries of up to 128 MiB */
#define SIZE_LEN        4u       /* bytes at the end of the payload */

struct payload_buf {
	uint8_t *at;
	size_t len;
};

struct payload_codec {
	const char *name;
	uint8_t magic[6];
	uint8_t magic_len;
	bool size_in_stream; /* gzip ends with the size by itself */
	/* Fill *out from the stream. Return: true if the stream was sound and filled it exactly. */
	bool (*expand)(struct payload_buf *out, struct bytes in);
};

static bool expand_zstd(struct payload_buf *out, struct bytes in)
{
	/* in one go there is no window to allocate: the result is the window */
	size_t n = ZSTD_decompress(out->at, out->len, in.at, in.left);

	return !ZSTD_isError(n) && n == out->len;
}

static bool expand_gzip(struct payload_buf *out, struct bytes in)
{
	z_stream z = {.next_in = (Bytef *)in.at, .avail_in = (uInt)in.left};
	bool ok;

	if (inflateInit2(&z, MAX_WBITS + 16) != Z_OK)
		return false;
	z.next_out = out->at;
	z.avail_out = (uInt)out->len;
	ok = inflate(&z, Z_FINISH) == Z_STREAM_END && z.total_out == out->len;
	inflateEnd(&z);
	return ok;
}

static bool expand_xz(struct payload_buf *out, struct bytes in)
{
	uint64_t limit = XZ_MEMORY_LIMIT;
	size_t in_pos = 0, out_pos = 0;

	return lzma_stream_buffer_decode(&limit, 0, NULL, in.at, &in_pos, in.left, out->at,
		       &out_pos, out->len) == LZMA_OK &&
		out_pos == out->len;
}

static bool expand_lz4(struct payload_buf *out, struct bytes in)
{
	size_t done = 0;

	while (in.left >= 4) {
		uint32_t len = bytes_u32(&in);
		const uint8_t *block;
		int n;

		if (len == LZ4_MAGIC) /* streams may follow each other */
			continue;
		block = len <= (uint32_t)LZ4_COMPRESSBOUND(LZ4_BLOCK) ? bytes_take(&in, len) : NULL;
		if (!block)
			return false;
		n = LZ4_decompress_safe((const char *)block, (char *)out->at + done, (int)len,
			(int)min_u64(LZ4_BLOCK, out->len - done));
		if (n <= 0)
			return false;
		done += (size_t)n;
	}
	return !in.left && done == out->len;
}

static const struct payload_codec codecs[] = {
	{"zstd", {0x28, 0xb5, 0x2f, 0xfd}, 4, false, expand_zstd},
	{"gzip", {0x1f, 0x8b}, 2, true, expand_gzip},
	{"xz", {0xfd, '7', 'z', 'X', 'Z', 0}, 6, false, expand_xz},
	{"lz4", {0x02, 0x21, 0x4c, 0x18}, 4, false, expand_lz4},
	{"bzip2", {'B', 'Z', 'h'}, 3, false, NULL},
	{"lzma", {0x5d, 0x00, 0x00}, 3, false, NULL},
	{"lzo", {0x89, 'L', 'Z', 'O'}, 4, false, NULL},
};

static const struct payload_codec *payload_codec(struct bytes payload)
{
	for (size_t i = 0; i < ARRAY_SIZE(codecs); i++)
		if (payload.left >= codecs[i].magic_len &&
			!memcmp(payload.at, codecs[i].magic, codecs[i].magic_len))
			return &codecs[i];
	return NULL;
}

const char *payload_name(struct bytes payload)
{
	const struct payload_codec *codec = payload_codec(payload);

	return codec ? codec->name : "unknown";
}

int payload_expand(
	struct bytes *out, struct bytes payload, uint64_t max, struct image *image, struct err *e)
{
	const struct payload_codec *codec = payload_codec(payload);
	struct payload_buf buf;

	if (!codec || !codec->expand)
		return err_set(e, ENOTSUP, "payload compression %s is not supported",
			payload_name(payload));
	if (payload.left < SIZE_LEN + codec->magic_len)
		return err_set(e, EINVAL, "the %s payload is truncated", codec->name);
	buf.len = load_le32(payload.at + payload.left - SIZE_LEN);
	if (!buf.len)
		return err_set(e, EINVAL, "the %s payload is empty", codec->name);
	if (buf.len > PAYLOAD_MAX_SIZE)
		return err_set(
			e, E2BIG, "the kernel claims to have %zu bytes uncompressed", buf.len);
	if (buf.len > max)
		return err_set(e, E2BIG,
			"the kernel has %zu bytes uncompressed, but --memory has only %llu for it",
			buf.len, (unsigned long long)max);
	buf.at = mmap(NULL, buf.len, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (buf.at == MAP_FAILED)
		return err_sys(e, ENOMEM, "room for the uncompressed kernel");
	madvise(buf.at, buf.len, MADV_HUGEPAGE); /* a hint: 14,000 page faults less */
	if (image_own_map(image, buf.at, buf.len, e))
		return -e->code;
	if (!codec->size_in_stream)
		payload.left -= SIZE_LEN;
	if (!codec->expand(&buf, payload))
		return err_set(e, EINVAL, "the %s payload is damaged", codec->name);
	*out = bytes_of(buf.at, buf.len);
	return 0;
}
