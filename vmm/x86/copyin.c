/* SPDX-License-Identifier: Apache-2.0 */
/* The copying stub's data; see vmm/x86/copyin.h. Page table entries: SDM volume 3, section 4.5. */
#include "vmm/x86/copyin.h"

#include "memory/image.h"
#include "memory/layout.h"
#include "vmm/x86/map.h"

#include <errno.h>
#include <string.h>

#define PTE_TABLE UINT64_C(3) /* present, writable */
#define PTE_LARGE (UINT64_C(0x80) | PTE_TABLE)
#define ENTRIES   512u
#define GIBS      4u /* mapped in each view */

extern const uint8_t copyin_code[], copyin_code_end[];

struct copyin_tables {
	uint64_t pml4[ENTRIES];
	uint64_t pdpt[2][ENTRIES]; /* the shared view, the private view */
	uint64_t pd[2][GIBS][ENTRIES];
};
_Static_assert(sizeof(struct copyin_tables) <= MAP_COPYIN_TABLES_LEN, "map.h leaves the room");
_Static_assert(sizeof(struct copyin_info) <= PAGE_SIZE, "map.h leaves one page");

static void copyin_fill_tables(struct copyin_tables *t, uint64_t cbit)
{
	const uint64_t base = MAP_COPYIN_TABLES;

	for (uint64_t view = 0; view < 2; view++) {
		uint64_t mask = view ? cbit : 0;

		t->pml4[view] =
			(base + offsetof(struct copyin_tables, pdpt) + view * PAGE_SIZE) | PTE_TABLE;
		for (uint64_t g = 0; g < GIBS; g++) {
			t->pdpt[view][g] = (base + offsetof(struct copyin_tables, pd) +
						   (view * GIBS + g) * PAGE_SIZE) |
				PTE_TABLE;
			for (uint64_t i = 0; i < ENTRIES; i++)
				t->pd[view][g][i] = (g * GIB(1) + i * MIB(2)) | mask | PTE_LARGE;
		}
	}
}

static int copyin_fill_info(struct copyin_info *info, const struct image *image, struct err *e)
{
	for (size_t i = 0; i < image->n_parts; i++) {
		const struct image_part *p = &image->parts[i];
		uint64_t end = p->gpa.v + align_up(p->bytes_len, PAGE_SIZE);
		uint64_t start = max_u64(p->gpa.v, LAYOUT_LOW_LEN);

		if (end <= start)
			continue;
		if (end > GIBS * GIB(1))
			return err_set(e, EINVAL, "launch image: a part lies above 4 GiB");
		if (info->n_ranges == COPYIN_MAX_RANGES)
			return err_set(e, E2BIG, "launch image: more than %u parts", COPYIN_MAX_RANGES);
		info->ranges[info->n_ranges].gpa = start;
		info->ranges[info->n_ranges++].words = (end - start) / 8;
	}
	return 0;
}

/* copyin_part() - add malloc'ed bytes that the image owns from here on */
static int copyin_part(struct image *image, uint64_t gpa, void *bytes, size_t len, struct err *e)
{
	struct image_part part = {.gpa = gpa_of(gpa), .len = len, .bytes = bytes, .bytes_len = len};
	int rc = image_own(image, bytes, e);

	return rc ? rc : image_add(image, &part, e);
}

int copyin_add(struct image *image, struct x86_entry *entry, uint64_t cbit, struct err *e)
{
	struct image_part code = {
		.gpa = gpa_of(MAP_COPYIN_CODE),
		.len = PAGE_SIZE,
		.bytes = copyin_code,
		.bytes_len = (size_t)(copyin_code_end - copyin_code),
	};
	cleanup_free struct copyin_info *info = calloc(1, sizeof(*info));
	cleanup_free struct copyin_tables *tables = calloc(1, sizeof(*tables));
	int rc;

	if (!info || !tables)
		return err_sys(e, ENOMEM, "launch image");
	if (entry->mode != X86_LONG64)
		return err_set(e, EINVAL, "launch image: a 64-bit entry is needed at this level");
	info->cr3 = entry->cr3;
	info->rip = entry->rip;
	info->rsi = entry->rsi;
	copyin_fill_tables(tables, cbit);
	rc = copyin_fill_info(info, image, e);
	if (!rc)
		rc = image_add(image, &code, e);
	if (!rc)
		rc = copyin_part(image, MAP_COPYIN_INFO, take_ptr(info), sizeof(*info), e);
	if (!rc)
		rc = copyin_part(image, MAP_COPYIN_TABLES, take_ptr(tables), sizeof(*tables), e);
	if (rc)
		return rc;
	entry->rip = MAP_COPYIN_CODE;
	entry->rsi = MAP_COPYIN_INFO;
	entry->cr3 = MAP_COPYIN_TABLES;
	return 0;
}
