/* SPDX-License-Identifier: Apache-2.0 */
/* The launch image; see memory/image.h. */
#include "memory/image.h"

#include <errno.h>
#include <search.h>
#include <string.h>
#include <sys/mman.h>

struct image_owned {
	struct image_owned *next;
	void *memory;
	size_t map_len; /* 0: malloc'ed */
};

/* A range that is taken: [start, end). */
struct image_span {
	uint64_t start;
	uint64_t end;
	bool vmsa;
};

void image_init(struct image *image)
{
	memset(image, 0, sizeof(*image));
}

void image_fini(struct image *image)
{
	while (image->owned) {
		struct image_owned *o = image->owned;

		image->owned = o->next;
		if (o->map_len)
			munmap(o->memory, o->map_len);
		else
			free(o->memory);
		free(o);
	}
	tdestroy(image->spans, free);
	free(image->parts);
	image_init(image);
}

/* image_compare() - order of ranges that do not overlap; those that do are equal */
static int image_compare(const void *a, const void *b)
{
	const struct image_span *x = a, *y = b;

	if (x->end <= y->start)
		return -1;
	return y->end <= x->start;
}

/* image_take() - note that a range is taken. Return: 0, -EEXIST, -ENOMEM. */
static int image_take(struct image *image, const struct image_span *want, struct err *e)
{
	struct image_span *span = malloc(sizeof(*span));
	struct image_span *const *node;

	if (!span)
		return err_sys(e, ENOMEM, "launch image");
	*span = *want;
	node = tsearch(span, &image->spans, image_compare);
	if (node && *node == span)
		return 0;
	free(span);
	if (!node)
		return err_sys(e, ENOMEM, "launch image");
	if (want->vmsa && (*node)->vmsa && want->start == (*node)->start)
		return 0;
	return err_set(e, EEXIST, "launch image: part at %#llx overlaps an earlier one",
		(unsigned long long)want->start);
}

/* image_grow() - make room for one more part. Return: 0 or -ENOMEM. */
static int image_grow(struct image *image, struct err *e)
{
	size_t room = image->room ? 2 * image->room : 16;
	struct image_part *grown;

	if (image->n_parts < image->room)
		return 0;
	grown = reallocarray(image->parts, room, sizeof(*grown));
	if (!grown)
		return err_sys(e, ENOMEM, "launch image");
	image->parts = grown;
	image->room = room;
	return 0;
}

int image_add(struct image *image, const struct image_part *part, struct err *e)
{
	struct image_part add = *part;
	gpa_t end;
	int ret;

	add.len = align_up(max_u64(part->len, part->bytes_len), PAGE_SIZE);
	if (!is_aligned(add.gpa.v, PAGE_SIZE) || !add.len || add.len < part->len ||
		!gpa_end(add.gpa, add.len, &end))
		return err_set(e, EINVAL, "launch image: bad part of %#llx bytes at %#llx",
			(unsigned long long)part->len, (unsigned long long)part->gpa.v);
	ret = image_grow(image, e);
	if (!ret)
		ret = image_take(
			image, &(struct image_span){add.gpa.v, end.v, add.type == IMAGE_VMSA}, e);
	if (!ret)
		image->parts[image->n_parts++] = add;
	return ret;
}

static int image_own_any(struct image *image, void *memory, size_t map_len, struct err *e)
{
	struct image_owned *o = malloc(sizeof(*o));

	if (!o) {
		if (map_len)
			munmap(memory, map_len);
		else
			free(memory);
		return err_sys(e, ENOMEM, "launch image");
	}
	*o = (struct image_owned){.next = image->owned, .memory = memory, .map_len = map_len};
	image->owned = o;
	return 0;
}

int image_own(struct image *image, void *memory, struct err *e)
{
	return image_own_any(image, memory, 0, e);
}

int image_own_map(struct image *image, void *map, size_t len, struct err *e)
{
	return image_own_any(image, map, len, e);
}

uint64_t image_bytes(const struct image *image)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < image->n_parts; i++)
		sum += image->parts[i].len;
	return sum;
}

gpa_t image_end(const struct image *image)
{
	gpa_t end = gpa_of(0);

	for (size_t i = 0; i < image->n_parts; i++)
		end.v = max_u64(end.v, image->parts[i].gpa.v + image->parts[i].len);
	return end;
}
