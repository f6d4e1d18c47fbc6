/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A synthetic firmware image for tests: two pages of a pattern, with every table that a real image
 * has. Offsets of its parts are named, so that a test can break one field at a time.
 */
#ifndef TESTS_UNIT_FIRMWARE_H
#define TESTS_UNIT_FIRMWARE_H

#include "base/bytes.h"
#include "base/guid.h"

#include <string.h>

#define FW_LEN        0x2000
#define FW_BASE       (UINT64_C(0x100000000) - FW_LEN)
#define FW_ASEV       (FW_LEN - 0x400) /* SEV metadata */
#define FW_ASEV_N     6
#define FW_SECTION(n) (FW_ASEV + 16 + 12 * (n)) /* u32 gpa, u32 size, u32 type */
#define FW_TDVF       (FW_LEN - 0x600)          /* TDX metadata, its GUID in front */
#define FW_TDVF_N     4
#define FW_TD(n)      (FW_TDVF + 16 + 32 * (n)) /* u32 offset, raw; u64 gpa, size; u32 type, attr */
#define FW_FOOTER     (FW_LEN - 50)             /* u16 size of the table, GUID */
#define FW_ENTRIES    (3 * 22 + 26 + 22)        /* bytes of all entries */

/* fw_entry() - write an entry that ends at offset `end`. Return: where it begins. */
static inline size_t fw_entry(
	uint8_t *fw, size_t end, const uint8_t guid[GUID_LEN], const uint32_t *data, size_t n)
{
	size_t len = 18 + 4 * n;

	memcpy(fw + end - 16, guid, GUID_LEN);
	store_le16(fw + end - 18, (uint16_t)len);
	memcpy(fw + end - len, data, 4 * n);
	return end - len;
}

static inline void fw_words(uint8_t *at, const uint32_t *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		store_le32(at + 4 * i, words[i]);
}

/* fw_build() - write the whole image into fw[FW_LEN]. */
static inline void fw_build(uint8_t *fw)
{
	static const uint8_t footer[] = GUID(0x96b582de, 0x1fb2, 0x45f7, 0xbaea, 0xa366c55a082d);
	static const uint8_t reset[] = GUID(0x00f771de, 0x1a7e, 0x4fcb, 0x890e, 0x68c77e2fb44e);
	static const uint8_t hashes[] = GUID(0x7255371f, 0x3a3b, 0x4b04, 0x927b, 0x1da6efa8d454);
	static const uint8_t sev[] = GUID(0xdc886566, 0x984a, 0x4798, 0xa75e, 0x5585a7bf67cc);
	static const uint8_t tdx[] = GUID(0xe47a6535, 0x984a, 0x4798, 0x865e, 0x4685a7bf8ec2);
	static const uint8_t svsm[] = GUID(0xa789a612, 0x0597, 0x4c4b, 0xa49f, 0xcbb1fe9d1ddd);
	static const uint8_t tdvf[] = GUID(0xe9eaf9f3, 0x168e, 0x44d5, 0xa8eb, 0x7f4d8738f6ae);
	static const uint32_t asev[] = {0x56455341, 16 + 12 * FW_ASEV_N, 1, FW_ASEV_N, 0x800000,
		0x2000, 1, 0x803000, 0x1000, 3, 0x802000, 0x1000, 2, 0, 0, 4, 0x804000, 0x1000, 4,
		0x805000, 0x1000, 0x10};
	static const uint32_t td[] = {0x46564454, 16 + 32 * FW_TDVF_N, 1, FW_TDVF_N, 0x1000, 0x1000,
		0xfffff000, 0, 0x1000, 0, 0, 1, 0, 0x800, 0xffffe000, 0, 0x1000, 0, 1, 0, 0, 0,
		0x809000, 0, 0x2000, 0, 2, 0, 0, 0, 0x810000, 0, 0x1000, 0, 3, 0};
	size_t end = FW_FOOTER;

	for (size_t i = 0; i < FW_LEN; i++)
		fw[i] = (uint8_t)(i * 13 + (i >> 8) * 7);
	fw_words(fw + FW_ASEV, asev, sizeof(asev) / 4);
	fw_words(fw + FW_TDVF, td, sizeof(td) / 4);
	memcpy(fw + FW_TDVF - GUID_LEN, tdvf, GUID_LEN);
	memcpy(fw + FW_FOOTER + 2, footer, GUID_LEN);
	store_le16(fw + FW_FOOTER, 18 + FW_ENTRIES);
	end = fw_entry(fw, end, reset, (const uint32_t[]){0x80b004}, 1);
	end = fw_entry(fw, end, hashes, (const uint32_t[]){0x805c00, 0x400}, 2);
	end = fw_entry(fw, end, sev, (const uint32_t[]){FW_LEN - FW_ASEV}, 1);
	end = fw_entry(fw, end, tdx, (const uint32_t[]){FW_LEN - FW_TDVF}, 1);
	fw_entry(fw, end, svsm, (const uint32_t[]){0x40}, 1);
}

#endif
