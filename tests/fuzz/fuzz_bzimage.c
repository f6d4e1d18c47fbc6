/* SPDX-License-Identifier: Apache-2.0 */
/* A whole kernel file: header, payload, its ELF file and the launch image that comes out. */
#include "base/num.h"
#include "memory/image.h"
#include "memory/layout.h"
#include "tests/fuzz/fuzz.h"
#include "vmm/load/kernel.h"

#include <assert.h>
#include <string.h>

static void load(const uint8_t *data, size_t len, bool need_sev_guest)
{
	struct layout layout;
	struct err e = ERR_INIT;
	struct image image;
	struct kernel kernel;
	struct kernel_request req = {.file = bytes_of(data, len),
		.name = "fuzz",
		.layout = &layout,
		.need_sev_guest = need_sev_guest};

	if (layout_init(&layout, MIB(64), &e))
		return;
	image_init(&image);
	if (kernel_load(&kernel, &image, &req, &e)) {
		assert(e.code && !strncmp(e.text, "--kernel fuzz: ", 15));
	} else {
		assert(image.n_parts && kernel.end <= MIB(64));
		assert(!need_sev_guest || kernel.sev_guest);
		for (size_t i = 0; i < image.n_parts; i++)
			assert(layout_contains(&layout, image.parts[i].gpa, image.parts[i].len));
	}
	image_fini(&image);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	load(data, len, false);
	load(data, len, true);
	return 0;
}
