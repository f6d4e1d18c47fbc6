/* SPDX-License-Identifier: Apache-2.0 */
/* The SEV hash table; see vmm/load/sev_hashes.h. */
#include "vmm/load/sev_hashes.h"

#include "attestation/digest.h"
#include "base/guid.h"

#include <string.h>

#define ENTRY_LEN (GUID_LEN + 2 + SEV_HASHES_LEN)
#define TABLE_LEN (GUID_LEN + 2 + 3 * ENTRY_LEN)

_Static_assert(TABLE_LEN == 168 && SEV_HASHES_TABLE == (TABLE_LEN + 15) / 16 * 16, "table format");

static const uint8_t table_guid[GUID_LEN] =
	GUID(0x9438d606, 0x4f22, 0x4cc9, 0xb479, 0xa793d411fd21);
static const uint8_t cmdline_guid[GUID_LEN] =
	GUID(0x97d02dd8, 0xbd20, 0x4c94, 0xaa78, 0xe7714d36ab2a);
static const uint8_t initrd_guid[GUID_LEN] =
	GUID(0x44baf731, 0x3a2f, 0x4bd7, 0x9af1, 0x41e29169781d);
static const uint8_t kernel_guid[GUID_LEN] =
	GUID(0x4de79437, 0xabd2, 0x427f, 0xb835, 0xd5b172d2045b);

int sev_hashes_file(uint8_t out[SEV_HASHES_LEN], struct bytes file, struct err *e)
{
	return digest_of(DIGEST_SHA256, file.at, file.left, out, e);
}

/* QEMU target/i386/sev.c: the text with its NUL */
int sev_hashes_cmdline(uint8_t out[SEV_HASHES_LEN], const char *cmdline, struct err *e)
{
	return digest_of(DIGEST_SHA256, cmdline, strlen(cmdline) + 1, out, e);
}

/* sev_hashes_head() - write GUID and length. Return: the address behind them. */
static uint8_t *sev_hashes_head(uint8_t *at, const uint8_t *guid, uint16_t len)
{
	memcpy(at, guid, GUID_LEN);
	store_le16(at + GUID_LEN, len);
	return at + GUID_LEN + 2;
}

void sev_hashes_write(uint8_t table[SEV_HASHES_TABLE], const struct sev_hashes *hashes)
{
	/* QEMU target/i386/sev.c, SevHashTable: the order is part of the format */
	const struct {
		const uint8_t *guid, *hash;
	} rows[] = {
		{cmdline_guid, hashes->cmdline},
		{initrd_guid, hashes->initrd},
		{kernel_guid, hashes->kernel},
	};
	uint8_t *at = sev_hashes_head(table, table_guid, TABLE_LEN);

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		at = sev_hashes_head(at, rows[i].guid, ENTRY_LEN);
		memcpy(at, rows[i].hash, SEV_HASHES_LEN);
		at += SEV_HASHES_LEN;
	}
	memset(at, 0, SEV_HASHES_TABLE - TABLE_LEN);
}
