/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes as hexadecimal text: written in lower case, read in either. No "0x", no separators. */
#ifndef BASE_HEX_H
#define BASE_HEX_H

#include "base/attr.h"

#include <stddef.h>

#define HEX_TEXT_LEN(n) (2 * (n) + 1) /* characters for n bytes, with the NUL */

/* hex_encode() - write len bytes as text; out has room for HEX_TEXT_LEN(len) characters. */
void hex_encode(char *out, const void *data, size_t len);

/*
 * hex_decode() - read exactly len bytes, that is 2 * len digits and the NUL.
 * Return: 0, or -EINVAL for another length or character; out is partly written then.
 */
int hex_decode(const char *text, void *out, size_t len) MUST_CHECK;

#endif
