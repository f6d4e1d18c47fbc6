/* SPDX-License-Identifier: Apache-2.0 */
/* The launch image; see memory/image.h. */
#include "memory/image.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

struct image_owned {
	struct image_owned *next;
	void *memory;
	size_t map_len; /* 0: malloc'ed */
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
	free(image->parts);
	image_init(image);
}

/* image_overlap() - Return: the part that [gpa, gpa+len) overlaps, or NULL. */
static const struct image_part *image_overlap(const struct image *image, gpa_t gpa, uint64_t len)
{
	for (size_t i = 0; i < image->n_parts; i++) {
		const struct image_part *p = &image->parts[i];

		if (gpa.v < p->gpa.v + p->len && p->gpa.v < gpa.v + len)
			return p;
	}
	return NULL;
}

int image_add(struct image *image, const struct image_part *part, struct err *e)
{
	struct image_part add = *part;
	struct image_part *grown;
	gpa_t end;

	add.len = align_up(max_u64(part->len, part->bytes_len), PAGE_SIZE);
	if (!is_aligned(add.gpa.v, PAGE_SIZE) || !add.len || add.len < part->len ||
		!gpa_end(add.gpa, add.len, &end))
		return err_set(e, EINVAL, "launch image: bad part of %#llx bytes at %#llx",
			(unsigned long long)part->len, (unsigned long long)part->gpa.v);
	if (image_overlap(image, add.gpa, add.len))
		return err_set(e, EEXIST, "launch image: part at %#llx overlaps an earlier one",
			(unsigned long long)add.gpa.v);
	grown = reallocarray(image->parts, image->n_parts + 1, sizeof(*grown));
	if (!grown)
		return err_sys(e, ENOMEM, "launch image");
	image->parts = grown;
	image->parts[image->n_parts++] = add;
	return 0;
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

gpa_t image_end(const struct image *image)
{
	gpa_t end = gpa_of(0);

	for (size_t i = 0; i < image->n_parts; i++)
		end.v = max_u64(end.v, image->parts[i].gpa.v + image->parts[i].len);
	return end;
}
