/* SPDX-License-Identifier: Apache-2.0 */
/* Base64 of RFC 4648 section 4: the standard alphabet, padded, without line breaks. */
#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include "base/attr.h"

#include <stddef.h>

#define BASE64_TEXT_LEN(n) (((n) + 2) / 3 * 4 + 1) /* characters for n bytes, with the NUL */

/* base64_encode() - write len bytes as text; out has room for BASE64_TEXT_LEN(len) characters. */
void base64_encode(char *out, const void *data, size_t len);

/*
 * base64_encode_url() - the same in the alphabet that is safe in URLs, without padding (RFC 4648
 * section 5, as RFC 7515 wants it).
 */
void base64_encode_url(char *out, const void *data, size_t len);

/*
 * base64_decode() - read text of text_len characters; padding is needed and its bits are zeros.
 * @size: room in out, in bytes
 * @len: the number of bytes read
 * Return: 0, or -EINVAL if it is not Base64, or is longer than size; out is partly written then.
 */
int base64_decode(
	const char *text, size_t text_len, void *out, size_t size, size_t *len) MUST_CHECK;

#endif
