/* SPDX-License-Identifier: Apache-2.0 */
/* Where RAM lies; see memory/layout.h. */
#include "memory/layout.h"

#include <errno.h>
#include <string.h>

#define RAM_MAX (UINT64_C(1) << 45)

int layout_init(struct layout *layout, uint64_t ram, struct err *e)
{
	memset(layout, 0, sizeof(*layout));
	if (!is_aligned(ram, MIB(1)))
		return err_set(e, EINVAL, "memory size %llu is not a whole number of MiB",
			(unsigned long long)ram);
	if (ram < LAYOUT_MIN_RAM || ram > RAM_MAX)
		return err_set(e, EINVAL, "memory size %llu is not between 16M and 32T",
			(unsigned long long)ram);
	layout->ram = ram;
	layout->ranges[0] = (struct layout_range){gpa_of(0), min_u64(ram, LAYOUT_HOLE_START)};
	layout->n_ranges = 1;
	layout->end = gpa_of(layout->ranges[0].len);
	if (ram > LAYOUT_HOLE_START) {
		layout->ranges[1] =
			(struct layout_range){gpa_of(LAYOUT_HOLE_END), ram - LAYOUT_HOLE_START};
		layout->n_ranges = 2;
		layout->end = gpa_of(LAYOUT_HOLE_END + ram - LAYOUT_HOLE_START);
	}
	return 0;
}

bool layout_contains(const struct layout *layout, gpa_t gpa, uint64_t len)
{
	gpa_t end;

	if (!len || !gpa_end(gpa, len, &end))
		return false;
	for (unsigned int i = 0; i < layout->n_ranges; i++) {
		const struct layout_range *r = &layout->ranges[i];

		if (gpa.v >= r->gpa.v && end.v <= r->gpa.v + r->len)
			return true;
	}
	return false;
}

bool layout_avoids(const struct layout *layout, gpa_t gpa, uint64_t len)
{
	gpa_t end;

	if (!len || !gpa_end(gpa, len, &end))
		return false;
	for (unsigned int i = 0; i < layout->n_ranges; i++) {
		const struct layout_range *r = &layout->ranges[i];

		if (gpa.v < r->gpa.v + r->len && end.v > r->gpa.v)
			return false;
	}
	return true;
}
