/* SPDX-License-Identifier: Apache-2.0 */
/* Hand-off blocks for a TD's firmware; see vmm/x86/td_hob.h. */
#include "vmm/x86/td_hob.h"

#include "base/bytes.h"
#include "memory/image.h"
#include "memory/layout.h"

#include <errno.h>

#define HOB_HANDOFF       1u
#define HOB_RESOURCE      3u
#define HOB_END           0xffffu
#define HOB_VERSION       9u
#define HANDOFF_LEN       56u
#define HANDOFF_END       48u /* EndOfHobList, in it */
#define RESOURCE_LEN      48u
#define END_LEN           8u
#define MEMORY_SYSTEM     0u
#define MEMORY_UNACCEPTED 7u
#define ATTRIBUTES        7u /* present, initialized, tested */

struct hob_list {
	uint8_t *at;
	size_t len, used; /* room is always left for the end */
};

static void hob_head(uint8_t *at, uint32_t type, uint32_t len)
{
	store_le16(at, (uint16_t)type);
	store_le16(at + 2, (uint16_t)len);
}

/* hob_memory() - one resource descriptor. Return: false if there is no room */
static bool hob_memory(struct hob_list *l, uint32_t type, uint64_t start, uint64_t len)
{
	uint8_t *at = l->at + l->used;

	if (!len)
		return true;
	if (l->len - l->used < RESOURCE_LEN + END_LEN)
		return false;
	hob_head(at, HOB_RESOURCE, RESOURCE_LEN);
	store_le32(at + 24, type);
	store_le32(at + 28, ATTRIBUTES);
	store_le64(at + 32, start);
	store_le64(at + 40, len);
	l->used += RESOURCE_LEN;
	return true;
}

/* hob_next() - Return: the lowest part of the image that begins in [from, end), or NULL */
static const struct image_part *hob_next(const struct image *image, uint64_t from, uint64_t end)
{
	const struct image_part *first = NULL;

	for (size_t i = 0; i < image->n_parts; i++) {
		const struct image_part *p = &image->parts[i];

		if (p->gpa.v >= from && p->gpa.v < end && (!first || p->gpa.v < first->gpa.v))
			first = p;
	}
	return first;
}

/* hob_range() - one range of RAM: what was added, and around it what must be accepted */
static int hob_range(struct hob_list *l, const struct layout_range *range,
	const struct image *image, struct err *e)
{
	uint64_t at = range->gpa.v, end = at + range->len;
	const struct image_part *p;
	bool room = true;

	while (room && (p = hob_next(image, at, end))) {
		if (p->len > end - p->gpa.v)
			return err_set(e, EINVAL, "TD HOB: RAM ends within the pages at %#llx",
				(unsigned long long)p->gpa.v);
		room = hob_memory(l, MEMORY_UNACCEPTED, at, p->gpa.v - at) &&
			hob_memory(l, MEMORY_SYSTEM, p->gpa.v, p->len);
		at = p->gpa.v + p->len;
	}
	room = room && hob_memory(l, MEMORY_UNACCEPTED, at, end - at);
	return room ? 0
		    : err_set(e, ENOSPC, "TD HOB: the firmware's section of %zu bytes is too small",
			      l->len);
}

int td_hob_fill(const struct td_hob *hob, const struct layout *layout, const struct image *image,
	struct err *e)
{
	struct hob_list l = {.at = hob->bytes, .len = hob->len, .used = HANDOFF_LEN};
	int rc = 0;

	if (hob->len < HANDOFF_LEN + END_LEN)
		return err_set(e, ENOSPC, "TD HOB: %zu bytes are too small", hob->len);
	hob_head(hob->bytes, HOB_HANDOFF, HANDOFF_LEN);
	store_le32(hob->bytes + 8, HOB_VERSION);
	for (unsigned int i = 0; i < layout->n_ranges && !rc; i++)
		rc = hob_range(&l, &layout->ranges[i], image, e);
	hob_head(hob->bytes + l.used, HOB_END, END_LEN);
	store_le64(hob->bytes + HANDOFF_END, hob->at.v + l.used + END_LEN);
	return rc;
}
