/* SPDX-License-Identifier: Apache-2.0 */
/* GUIDs as firmware stores them: 16 bytes, the first three fields little endian. */
#ifndef BASE_GUID_H
#define BASE_GUID_H

#include <stdint.h>

#define GUID_LEN 16

/*
 * GUID() - initialiser of a uint8_t[GUID_LEN], from the text's parts: 7255371f-3a3b-4b04-927b-
 * 1da6efa8d454 is GUID(0x7255371f, 0x3a3b, 0x4b04, 0x927b, 0x1da6efa8d454).
 */
#define GUID(a, b, c, d, e)                                                                        \
	{                                                                                          \
		(a) & 255, (a) >> 8 & 255, (a) >> 16 & 255, (a) >> 24 & 255, (b)&255, (b) >> 8,    \
			(c)&255, (c) >> 8, (d) >> 8, (d)&255, (e) >> 40 & 255, (e) >> 32 & 255,    \
			(e) >> 24 & 255, (e) >> 16 & 255, (e) >> 8 & 255, (e)&255,                 \
	}

#endif
