/* SPDX-License-Identifier: Apache-2.0 */
/* Base64; see base/base64.h. */
#include "base/base64.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_encode(char *out, const void *data, size_t len)
{
	const uint8_t *in = data;

	for (size_t i = 0; i < len; i += 3) {
		size_t n = len - i < 3 ? len - i : 3;
		uint32_t v = (uint32_t)in[i] << 16;

		v |= n > 1 ? (uint32_t)in[i + 1] << 8 : 0;
		v |= n > 2 ? (uint32_t)in[i + 2] : 0;
		*out++ = alphabet[v >> 18];
		*out++ = alphabet[v >> 12 & 63];
		*out++ = n > 1 ? alphabet[v >> 6 & 63] : '=';
		*out++ = n > 2 ? alphabet[v & 63] : '=';
	}
	*out = '\0';
}

void base64_encode_url(char *out, const void *data, size_t len)
{
	base64_encode(out, data, len);
	for (; *out && *out != '='; out++) {
		if (*out == '+')
			*out = '-';
		else if (*out == '/')
			*out = '_';
	}
	*out = '\0';
}

/* base64_quad() - decode four characters with n data characters. Return: 24 bits, or -1. */
static int32_t base64_quad(const char *text, size_t n)
{
	int32_t v = 0;

	for (size_t i = 0; i < 4; i++) {
		const char *at = i < n ? memchr(alphabet, text[i], 64) : alphabet;

		if (!at)
			return -1;
		v = v << 6 | (int32_t)(at - alphabet);
	}
	return v;
}

int base64_decode(const char *text, size_t text_len, void *out, size_t size, size_t *len)
{
	uint8_t *to = out;
	size_t pad = 0;

	*len = 0;
	if (text_len % 4)
		return -EINVAL;
	while (pad < 2 && pad < text_len && text[text_len - 1 - pad] == '=')
		pad++;
	if (text_len / 4 * 3 - pad > size)
		return -EINVAL;
	for (size_t i = 0; i < text_len; i += 4) {
		size_t n = i + 4 == text_len ? 4 - pad : 4;
		int32_t v = base64_quad(text + i, n);

		/* RFC 4648 section 3.5: bits that the padding leaves over are zeros */
		if (v < 0 || (n == 3 && v & 0xff) || (n == 2 && v & 0xffff))
			return -EINVAL;
		for (size_t k = 0; k < n - 1; k++)
			to[(*len)++] = (uint8_t)(v >> (16 - 8 * k));
	}
	return 0;
}
