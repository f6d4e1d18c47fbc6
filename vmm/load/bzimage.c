/* SPDX-License-Identifier: Apache-2.0 */
/* bzImage; see vmm/load/bzimage.h. Offsets: Linux, Documentation/arch/x86/boot.rst. */
#include "vmm/load/bzimage.h"

#include "base/num.h"

#include <errno.h>
#include <string.h>

#define HDR_SETUP_SECTS  0x1f1
#define HDR_SYSSIZE      0x1f4
#define HDR_BOOT_FLAG    0x1fe
#define HDR_JUMP         0x201 /* length of what follows 0x202 */
#define HDR_MAGIC        0x202
#define HDR_PROTOCOL     0x206
#define HDR_VERSION      0x20e
#define HDR_LOADFLAGS    0x211
#define HDR_INITRD_MAX   0x22c
#define HDR_XLOADFLAGS   0x236
#define HDR_CMDLINE_MAX  0x238
#define HDR_PAYLOAD_OFF  0x248
#define HDR_PAYLOAD_LEN  0x24c
#define HDR_PREF_ADDRESS 0x258
#define HDR_INIT_SIZE    0x260
#define HDR_END_MIN      0x264 /* the fields above are there from protocol 2.12 on */
#define HDR_END_MAX      0x290 /* room in boot_params */

#define BOOT_FLAG     0xaa55
#define MAGIC         0x53726448 /* "HdrS" */
#define PROTOCOL_MIN  0x20c
#define LOADED_HIGH   0x01
#define XLF_KERNEL_64 0x0001
#define SECTOR        512
#define SECTS_DEFAULT 4

bool bzimage_is(struct bytes file)
{
	return file.left >= HDR_PROTOCOL && load_le16(file.at + HDR_BOOT_FLAG) == BOOT_FLAG &&
		load_le32(file.at + HDR_MAGIC) == MAGIC;
}

/* bzimage_version() - copy the first word of the version string; the rest names the builder */
static void bzimage_version(struct bzimage *bz, struct bytes file)
{
	uint16_t off = load_le16(file.at + HDR_VERSION);
	struct bytes text;

	if (!off || (uint64_t)off + 0x200 >= file.left)
		return;
	text = bytes_slice(&file, (uint64_t)off + 0x200, file.left - off - 0x200);
	for (size_t i = 0; i + 1 < sizeof(bz->version); i++) {
		uint8_t c = bytes_u8(&text);

		if (c <= ' ' || c > '~')
			return;
		bz->version[i] = (char)c;
	}
}

static int bzimage_find_code(struct bzimage *bz, struct bytes file, struct err *e)
{
	uint64_t sects = file.at[HDR_SETUP_SECTS] ? file.at[HDR_SETUP_SECTS] : SECTS_DEFAULT;
	uint64_t start = (sects + 1) * SECTOR,
		 len = (uint64_t)load_le32(file.at + HDR_SYSSIZE) * 16;
	uint64_t payload_off = load_le32(file.at + HDR_PAYLOAD_OFF);
	uint64_t payload_len = load_le32(file.at + HDR_PAYLOAD_LEN);

	/* the length is counted in paragraphs: the last one may be incomplete */
	if (start < file.left && len > file.left - start && len - (file.left - start) < 16)
		len = file.left - start;
	bz->code = bytes_slice(&file, start, len);
	if (bz->code.failed || len <= BZIMAGE_ENTRY_64)
		return err_set(e, EINVAL,
			"truncated: the bzImage names %llu bytes of code at %llu, the file has %zu",
			(unsigned long long)len, (unsigned long long)start, file.left);
	if (!payload_len)
		return 0;
	bz->payload = bytes_slice(&bz->code, payload_off, payload_len);
	if (bz->payload.failed)
		return err_set(e, EINVAL, "the bzImage's payload lies outside its code");
	return 0;
}

int bzimage_parse(struct bzimage *bz, struct bytes file, struct err *e)
{
	uint64_t end;

	memset(bz, 0, sizeof(*bz));
	if (!bzimage_is(file))
		return err_set(e, EINVAL, "not a bzImage");
	if (file.left < HDR_END_MAX)
		return err_set(e, EINVAL, "truncated in the bzImage's setup header");
	end = (uint64_t)HDR_MAGIC + file.at[HDR_JUMP];
	if (load_le16(file.at + HDR_PROTOCOL) < PROTOCOL_MIN || end < HDR_END_MIN)
		return err_set(e, ENOTSUP,
			"boot protocol %#x is too old, 0x20c (Linux 3.8) is needed",
			load_le16(file.at + HDR_PROTOCOL));
	if (!(file.at[HDR_LOADFLAGS] & LOADED_HIGH))
		return err_set(e, ENOTSUP, "a zImage; only bzImage is supported");
	bz->setup_header =
		bytes_slice(&file, HDR_SETUP_SECTS, min_u64(end, HDR_END_MAX) - HDR_SETUP_SECTS);
	bz->entry_64 = load_le16(file.at + HDR_XLOADFLAGS) & XLF_KERNEL_64;
	bz->pref_address = load_le64(file.at + HDR_PREF_ADDRESS);
	bz->init_size = load_le32(file.at + HDR_INIT_SIZE);
	bz->cmdline_max = load_le32(file.at + HDR_CMDLINE_MAX);
	bz->initrd_max = load_le32(file.at + HDR_INITRD_MAX);
	bzimage_version(bz, file);
	return bzimage_find_code(bz, file, e);
}
