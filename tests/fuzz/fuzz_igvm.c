/* SPDX-License-Identifier: Apache-2.0 */
/*
 * igvm_image_add() on both platforms. The checksum is made right first, or nothing behind it would
 * ever run.
 */
#include "vmm/load/igvm.h"

#include "tests/fuzz/fuzz.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

static void fuzz_seal(uint8_t *d, size_t len)
{
	uint32_t offset, headers, fixed;
	uLong crc;

	if (len < 24)
		return;
	offset = load_le32(d + 8);
	headers = load_le32(d + 12);
	fixed = load_le32(d + 4) == 1 ? 24 : 32;
	if (len < fixed || !range_in(offset, headers, len))
		return;
	store_le32(d + 20, 0);
	crc = crc32_z(0, d, fixed);
	store_le32(d + 20, (uint32_t)crc32_z(crc, d + offset, headers));
}

static void fuzz_platform(const uint8_t *d, size_t len, enum igvm_platform platform)
{
	struct image image;
	struct err e = ERR_INIT;

	image_init(&image);
	if (igvm_image_add(&image, bytes_of(d, len), &(struct igvm_spec){platform, true}, &e)) {
		assert(e.code && e.text[0]);
	} else {
		assert(image_bytes(&image) <= IGVM_BYTES_MAX);
		for (size_t i = 0; i < image.n_parts; i++) {
			const struct image_part *p = &image.parts[i];
			const uint8_t *at = p->bytes;

			assert(!p->bytes_len || (at >= d && at + p->bytes_len <= d + len));
			assert(p->type != IMAGE_VMSA || platform == IGVM_SNP);
		}
		if (igvm_check_kvm(&image, &e))
			assert(e.code && e.text[0]);
	}
	image_fini(&image);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	uint8_t *copy = malloc(len + !len);

	if (!copy)
		return 0;
	if (len)
		memcpy(copy, data, len);
	fuzz_seal(copy, len);
	fuzz_platform(copy, len, IGVM_SNP);
	fuzz_platform(copy, len, IGVM_TDX);
	free(copy);
	return 0;
}
