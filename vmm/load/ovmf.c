/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Firmware tables; see vmm/load/ovmf.h.
 *
 * The layout is that of edk2's OvmfPkg/ResetVector/Ia16/ResetVectorVtf0.asm: the table grows
 * downwards from 32 bytes before the end of the file, each entry as data, u16 length, GUID.
 */
#include "vmm/load/ovmf.h"

#include "base/guid.h"

#include <errno.h>
#include <string.h>

#define ENTRY_HEADER_LEN 18 /* u16 length and GUID, behind the data */
#define FOOTER_FROM_END  32 /* the footer's GUID ends here: the reset vector follows */

static const uint8_t footer_guid[GUID_LEN] =
	GUID(0x96b582de, 0x1fb2, 0x45f7, 0xbaea, 0xa366c55a082d);

enum entry { ENTRY_HASHES, ENTRY_RESET, ENTRY_SEV, ENTRY_TDX, ENTRY_SVSM, ENTRIES };

static const struct {
	const char *name;
	size_t min_len;
	uint8_t guid[GUID_LEN];
} entries[ENTRIES] = {
	[ENTRY_HASHES] = {"SEV hash table", 8,
		GUID(0x7255371f, 0x3a3b, 0x4b04, 0x927b, 0x1da6efa8d454)},
	[ENTRY_RESET] = {"SEV-ES reset block", 4,
		GUID(0x00f771de, 0x1a7e, 0x4fcb, 0x890e, 0x68c77e2fb44e)},
	[ENTRY_SEV] = {"SEV metadata", 4, GUID(0xdc886566, 0x984a, 0x4798, 0xa75e, 0x5585a7bf67cc)},
	[ENTRY_TDX] = {"TDX metadata", 4, GUID(0xe47a6535, 0x984a, 0x4798, 0x865e, 0x4685a7bf8ec2)},
	[ENTRY_SVSM] = {"SVSM info", 4, GUID(0xa789a612, 0x0597, 0x4c4b, 0xa49f, 0xcbb1fe9d1ddd)},
};

bool ovmf_has_footer(struct bytes file)
{
	return file.left >= FOOTER_FROM_END + ENTRY_HEADER_LEN &&
		!memcmp(file.at + file.left - FOOTER_FROM_END - GUID_LEN, footer_guid, GUID_LEN);
}

/* ovmf_note() - remember the data of an entry that we know. Return: 0 or -EINVAL. */
static int ovmf_note(struct bytes *found, const uint8_t *guid, struct bytes data, struct err *e)
{
	for (size_t i = 0; i < ENTRIES; i++) {
		if (memcmp(guid, entries[i].guid, GUID_LEN) != 0)
			continue;
		if (found[i].at)
			return err_set(e, EINVAL, "firmware: two entries '%s'", entries[i].name);
		if (data.left < entries[i].min_len)
			return err_set(
				e, EINVAL, "firmware: entry '%s' is too short", entries[i].name);
		found[i] = data;
	}
	return 0;
}

/* ovmf_walk() - collect the data of the entries that we know. Return: 0 or -EINVAL. */
static int ovmf_walk(struct bytes file, struct bytes *found, struct err *e)
{
	size_t end = file.left - FOOTER_FROM_END, left; /* of the unread part of the table */
	uint16_t total = load_le16(file.at + end - ENTRY_HEADER_LEN);

	if (total < ENTRY_HEADER_LEN || total > end)
		return err_set(e, EINVAL, "firmware: bad size of the footer table: %u", total);
	left = total - ENTRY_HEADER_LEN;
	end -= ENTRY_HEADER_LEN;
	while (left) {
		const uint8_t *at = file.at + end;
		size_t len = left < ENTRY_HEADER_LEN ? 0 : load_le16(at - ENTRY_HEADER_LEN);
		int ret;

		if (len < ENTRY_HEADER_LEN || len > left)
			return err_set(e, EINVAL, "firmware: bad size of a footer entry");
		ret = ovmf_note(
			found, at - GUID_LEN, bytes_of(at - len, len - ENTRY_HEADER_LEN), e);
		if (ret)
			return ret;
		left -= len;
		end -= len;
	}
	return 0;
}

int ovmf_parse(struct ovmf *fw, struct bytes file, struct err *e)
{
	struct bytes found[ENTRIES] = {{NULL}};
	int ret;

	memset(fw, 0, sizeof(*fw));
	fw->file = file;
	if (file.left > OVMF_FILE_MAX)
		return err_set(e, EINVAL, "firmware: %zu bytes are too many", file.left);
	if (!ovmf_has_footer(file))
		return err_set(e, EINVAL, "firmware: no footer table, not an OVMF image");
	ret = ovmf_walk(file, found, e);
	if (ret)
		return ret;
	fw->has_reset = found[ENTRY_RESET].at;
	fw->has_metadata = found[ENTRY_SEV].at;
	fw->has_tdx = found[ENTRY_TDX].at;
	fw->has_svsm = found[ENTRY_SVSM].at;
	fw->reset_eip = bytes_u32(&found[ENTRY_RESET]);
	fw->hashes_gpa = bytes_u32(&found[ENTRY_HASHES]);
	fw->hashes_size = bytes_u32(&found[ENTRY_HASHES]);
	fw->metadata_offset = bytes_u32(&found[ENTRY_SEV]);
	fw->tdx_offset = bytes_u32(&found[ENTRY_TDX]);
	fw->svsm_launch = bytes_u32(&found[ENTRY_SVSM]);
	return 0;
}

/* ovmf_section_known() - Return: true for a type that the launch commands have a page type for. */
static bool ovmf_section_known(uint64_t type)
{
	return (type >= OVMF_SEC_MEM && type <= OVMF_SVSM_CAA) || type == OVMF_KERNEL_HASHES;
}

int ovmf_add_section(struct ovmf *fw, uint64_t gpa, uint64_t size, uint64_t type, struct err *e)
{
	if (!ovmf_section_known(type))
		return err_set(e, EINVAL, "SEV metadata: unknown section type %#llx",
			(unsigned long long)type);
	if (!size)
		return 0; /* real images have empty sections: no page, no error */
	if (!is_aligned(gpa, PAGE_SIZE) || !is_aligned(size, PAGE_SIZE))
		return err_set(e, EINVAL, "SEV metadata: section at %#llx is not whole pages",
			(unsigned long long)gpa);
	if (!range_in(gpa, size, OVMF_TOP - fw->file.left))
		return err_set(e, EINVAL,
			"SEV metadata: section at %#llx runs past RAM below 4 GiB",
			(unsigned long long)gpa);
	/* SNP firmware ABI 8.17: SECRETS and CPUID are single pages of a fixed layout */
	if ((type == OVMF_SECRETS || type == OVMF_CPUID) && size != PAGE_SIZE)
		return err_set(e, EINVAL, "SEV metadata: section at %#llx must be one page",
			(unsigned long long)gpa);
	if (fw->n_sections == OVMF_SECTIONS_MAX)
		return err_set(e, EINVAL, "SEV metadata: too many sections");
	fw->sections[fw->n_sections++] = (struct ovmf_section){
		.gpa = gpa_of(gpa), .size = (uint32_t)size, .type = (enum ovmf_section_type)type};
	return 0;
}

int ovmf_read_sections(struct ovmf *fw, struct err *e)
{
	struct bytes at, table;
	uint32_t magic, len, version, count;

	if (!fw->has_metadata)
		return err_set(
			e, EINVAL, "firmware has no SEV metadata: it cannot be launched as SNP");
	if (fw->metadata_offset > fw->file.left)
		return err_set(e, EINVAL, "SEV metadata: it is of a larger image");
	at = bytes_slice(&fw->file, fw->file.left - fw->metadata_offset, fw->metadata_offset);
	magic = bytes_u32(&at);
	len = bytes_u32(&at);
	version = bytes_u32(&at);
	count = bytes_u32(&at);
	if (at.failed || magic != 0x56455341) /* "ASEV" */
		return err_set(e, EINVAL, "SEV metadata: no signature ASEV");
	if (version != 1)
		return err_set(e, EINVAL, "SEV metadata: unknown version %u", version);
	table = bytes_slice(&at, 0, len >= 16 ? len - 16 : 0);
	if (len < 16 || table.failed || count > table.left / 12)
		return err_set(e, EINVAL, "SEV metadata: more sections than there is room for");
	while (count--) {
		uint32_t gpa = bytes_u32(&table), size = bytes_u32(&table);
		int ret = ovmf_add_section(fw, gpa, size, bytes_u32(&table), e);

		if (ret)
			return ret;
	}
	return 0;
}
