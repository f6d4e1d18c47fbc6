/* SPDX-License-Identifier: Apache-2.0 */
/* tdvf_parse(), tdvf_image_add(): data lies in the file, and memory stays within its bound. */
#include "vmm/load/tdvf.h"

#include "tests/fuzz/fuzz.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct tdvf fw;
	struct image image;
	struct err e = ERR_INIT;

	if (tdvf_parse(&fw, bytes_of(data, len), &e)) {
		assert(e.code && e.text[0]);
		return 0;
	}
	image_init(&image);
	if (!tdvf_image_add(&image, &fw, &e)) {
		assert(image_bytes(&image) <= TDVF_BYTES_MAX);
		for (size_t i = 0; i < image.n_parts; i++) {
			const struct image_part *p = &image.parts[i];
			const uint8_t *at = p->bytes;

			assert(p->bytes_len <= p->len);
			assert(!p->bytes_len || (at >= data && at + p->bytes_len <= data + len));
		}
	}
	image_fini(&image);
	return 0;
}
