/* SPDX-License-Identifier: Apache-2.0 */
/* TDX metadata; see vmm/load/tdvf.h. Section numbers are those of the TDVF design guide. */
#include "vmm/load/tdvf.h"

#include "base/guid.h"
#include "vmm/load/ovmf.h"

#include <errno.h>
#include <string.h>

#define HEADER_LEN  16
#define SECTION_LEN 32
#define SHIM_OFFSET 0x20 /* td-shim: offset of the metadata, this far from the end of the file */

/* stands in front of the header (11.2, TDX metadata GUID) */
static const uint8_t tdvf_guid[GUID_LEN] = GUID(0xe9eaf9f3, 0x168e, 0x44d5, 0xa8eb, 0x7f4d8738f6ae);

/* tdvf_locate() - find the header. Return: 0 with its offset in the file, or -EINVAL. */
static int tdvf_locate(struct bytes file, uint64_t *at, struct err *e)
{
	struct ovmf fw;
	int ret;

	if (!ovmf_has_footer(file)) {
		if (file.left < SHIM_OFFSET)
			return err_set(e, EINVAL, "firmware: too short");
		*at = load_le32(file.at + file.left - SHIM_OFFSET);
		return 0;
	}
	ret = ovmf_parse(&fw, file, e);
	if (ret)
		return ret;
	if (!fw.has_tdx)
		return err_set(
			e, EINVAL, "firmware has no TDX metadata: it cannot be launched as a TD");
	if (fw.tdx_offset > file.left)
		return err_set(e, EINVAL, "TDX metadata: it is of a larger image");
	*at = file.left - fw.tdx_offset;
	return 0;
}

/* tdvf_check_data() - which sections have bytes in the file (11.2, table "section types"). */
static bool tdvf_check_data(const struct tdvf_section *s)
{
	bool extend = s->attributes & TDVF_MR_EXTEND;

	switch (s->type) {
	case TDVF_BFV:
	case TDVF_CFV:
		return s->data.left;
	case TDVF_TD_HOB: /* its bytes depend on the VM: they must not be measured */
	case TDVF_TD_PARAMS:
		return !s->data.left && !extend;
	case TDVF_TEMP_MEM:
	case TDVF_PERM_MEM:
		return !s->data.left;
	case TDVF_PAYLOAD:
	case TDVF_PAYLOAD_PARAM:
		return s->data.left || !extend;
	case TDVF_TD_INFO:
		return true;
	case TDVF_TYPES:
		break;
	}
	return false;
}

/* tdvf_check() - refuse a section that cannot be launched. Return: 0 or -EINVAL. */
static int tdvf_check(const struct tdvf_section *s, struct err *e)
{
	const uint32_t known = TDVF_MR_EXTEND | TDVF_PAGE_AUG;
	unsigned long long gpa = s->gpa.v;

	if (s->type >= TDVF_TYPES || s->attributes & ~known || s->attributes == known)
		return err_set(e, EINVAL, "TDX metadata: unknown type or attributes at %#llx", gpa);
	if (!is_aligned(gpa, PAGE_SIZE) || !is_aligned(s->size, PAGE_SIZE))
		return err_set(e, EINVAL, "TDX metadata: section at %#llx is not whole pages", gpa);
	/* a TD has 47 or 51 bits of private addresses; take the smaller */
	if (!range_in(gpa, s->size, UINT64_C(1) << 47))
		return err_set(e, EINVAL, "TDX metadata: section at %#llx is too long", gpa);
	if (s->type != TDVF_TD_INFO && s->data.left > s->size)
		return err_set(e, EINVAL, "TDX metadata: more data than memory at %#llx", gpa);
	if (!tdvf_check_data(s))
		return err_set(e, EINVAL, "TDX metadata: wrong data or attributes at %#llx", gpa);
	return 0;
}

static int tdvf_read_section(
	struct tdvf_section *s, const struct bytes *file, struct bytes *at, struct err *e)
{
	uint32_t offset = bytes_u32(at), raw = bytes_u32(at);

	/* 11.2: a section without data has offset 0 */
	s->data = raw ? bytes_slice(file, offset, raw) : bytes_of(file->at, 0);
	s->gpa = gpa_of(bytes_u64(at));
	s->size = bytes_u64(at);
	s->type = (enum tdvf_section_type)bytes_u32(at);
	s->attributes = bytes_u32(at);
	if (s->data.failed)
		return err_set(e, EINVAL,
			"TDX metadata: data at %#x runs past the file: cut image?", offset);
	return tdvf_check(s, e);
}

int tdvf_parse(struct tdvf *fw, struct bytes file, struct err *e)
{
	uint32_t magic, len, version, count;
	struct bytes at, table;
	uint64_t offset;
	int ret;

	fw->n_sections = 0;
	if (file.left > OVMF_FILE_MAX)
		return err_set(e, EINVAL, "firmware: %zu bytes are too many", file.left);
	ret = tdvf_locate(file, &offset, e);
	if (ret)
		return ret;
	at = bytes_slice(
		&file, offset < GUID_LEN ? UINT64_MAX : offset - GUID_LEN, GUID_LEN + HEADER_LEN);
	if (at.failed || memcmp(bytes_take(&at, GUID_LEN), tdvf_guid, GUID_LEN) != 0)
		return err_set(e, EINVAL, "TDX metadata: no GUID where it should be");
	magic = bytes_u32(&at);
	len = bytes_u32(&at);
	version = bytes_u32(&at);
	count = bytes_u32(&at);
	if (magic != 0x46564454) /* "TDVF" */
		return err_set(e, EINVAL, "TDX metadata: no signature TDVF");
	if (version != 1)
		return err_set(e, EINVAL, "TDX metadata: unknown version %u", version);
	table = bytes_slice(&file, offset + HEADER_LEN, len >= HEADER_LEN ? len - HEADER_LEN : 0);
	if (table.failed || !count || count > TDVF_SECTIONS_MAX || count > table.left / SECTION_LEN)
		return err_set(e, EINVAL, "TDX metadata: %u sections do not fit", count);
	while (!ret && fw->n_sections < count)
		ret = tdvf_read_section(&fw->sections[fw->n_sections++], &file, &table, e);
	return ret;
}

int tdvf_image_add(struct image *image, const struct tdvf *fw, struct err *e)
{
	uint64_t total = 0, measured = 0;

	for (size_t i = 0; i < fw->n_sections; i++) {
		const struct tdvf_section *s = &fw->sections[i];
		struct image_part part = {
			.gpa = s->gpa,
			.len = s->size,
			.type = s->attributes & TDVF_MR_EXTEND ? IMAGE_NORMAL : IMAGE_UNMEASURED,
			.bytes = s->data.left ? s->data.at : NULL,
			.bytes_len = s->data.left,
		};
		int ret;

		if (!s->size || s->attributes & TDVF_PAGE_AUG)
			continue;
		total += s->size;
		measured += part.type == IMAGE_NORMAL ? s->size : 0;
		if (s->size > TDVF_BYTES_MAX || total > TDVF_BYTES_MAX ||
			measured > TDVF_MEASURED_MAX)
			return err_set(e, EINVAL, "TDX metadata: sections load too much");
		ret = image_add(image, &part, e);
		if (ret)
			return ret;
	}
	return 0;
}
