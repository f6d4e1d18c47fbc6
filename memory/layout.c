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

int layout_reserve(struct layout *layout, uint64_t len, struct err *e)
{
	len = align_down(len, LAYOUT_PLUG_STEP);
	if (!len)
		return 0;
	if (len > RAM_MAX)
		return err_set(
			e, EINVAL, "hotplug_size %llu is above 32T", (unsigned long long)len);
	layout->plug.gpa =
		gpa_of(align_up(max_u64(layout->end.v, LAYOUT_HOLE_END), LAYOUT_PLUG_ALIGN));
	layout->plug.len = len;
	layout->end = gpa_plus(layout->plug.gpa, len);
	return 0;
}

/* layout_in() - does [gpa, end) lie in the range? */
static bool layout_in(const struct layout_range *r, gpa_t gpa, gpa_t end)
{
	return gpa.v >= r->gpa.v && end.v <= r->gpa.v + r->len;
}

/* layout_off() - does it avoid the range? */
static bool layout_off(const struct layout_range *r, gpa_t gpa, gpa_t end)
{
	return gpa.v >= r->gpa.v + r->len || end.v <= r->gpa.v;
}

bool layout_contains(const struct layout *layout, gpa_t gpa, uint64_t len)
{
	gpa_t end;

	if (!len || !gpa_end(gpa, len, &end))
		return false;
	for (unsigned int i = 0; i < layout->n_ranges; i++)
		if (layout_in(&layout->ranges[i], gpa, end))
			return true;
	return layout_in(&layout->plug, gpa, end);
}

bool layout_avoids(const struct layout *layout, gpa_t gpa, uint64_t len)
{
	gpa_t end;

	if (!len || !gpa_end(gpa, len, &end))
		return false;
	for (unsigned int i = 0; i < layout->n_ranges; i++)
		if (!layout_off(&layout->ranges[i], gpa, end))
			return false;
	return !layout->plug.len || layout_off(&layout->plug, gpa, end);
}
