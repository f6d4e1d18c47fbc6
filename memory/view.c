/* SPDX-License-Identifier: Apache-2.0 */
/* The shared view of guest memory; see memory/view.h. */
#include "memory/view.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

int view_init(struct view *v, int ledger_fd, struct err *e)
{
	memset(v, 0, sizeof(*v));
	if (ledger_fd < 0)
		return 0;
	if (ledger_map_open(&v->ledger, ledger_fd, e) < 0)
		return -e->code;
	v->has_ledger = true;
	return 0;
}

void view_fini(struct view *v)
{
	view_clear(v);
	ledger_map_close(&v->ledger);
	v->has_ledger = false;
}

static bool view_overlaps(uint64_t a, uint64_t b, uint64_t a_len, uint64_t b_len)
{
	return a < b + b_len && b < a + a_len;
}

/* view_check() - is spec a region that may be added? */
static int view_check(const struct view *v, const struct view_spec *s, struct err *e)
{
	uint64_t end;

	if (v->n_regions == VIEW_REGIONS_MAX)
		return err_set(e, ENOSPC, "memory region: more than %u", VIEW_REGIONS_MAX);
	if (!s->size || !is_aligned(s->gpa | s->size | s->user_addr | s->offset, PAGE_SIZE))
		return err_set(e, EINVAL, "memory region: empty or not page aligned");
	if (__builtin_add_overflow(s->gpa, s->size, &end) ||
		__builtin_add_overflow(s->user_addr, s->size, &end) ||
		__builtin_add_overflow(s->offset, s->size, &end) || end > INT64_MAX)
		return err_set(e, EINVAL, "memory region: range wraps");
	for (unsigned int i = 0; i < v->n_regions; i++) {
		const struct view_region *r = &v->regions[i];

		if (view_overlaps(s->gpa, r->gpa.v, s->size, r->size) ||
			view_overlaps(s->user_addr, r->user_addr, s->size, r->size))
			return err_set(e, EINVAL, "memory region: overlaps another");
	}
	return 0;
}

/*
 * view_map() - map what spec names of fd into r. Huge page files map in units of their page size,
 * so the mapping may begin before the region and end after it.
 */
static int view_map(struct view_region *r, const struct view_spec *s, int fd, struct err *e)
{
	uint64_t unit, start;
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_sys(e, errno, "memory region: fstat");
	if (!range_in(s->offset, s->size, (uint64_t)st.st_size))
		return err_set(e, EINVAL, "memory region: not inside its descriptor");
	unit = (uint64_t)st.st_blksize;
	if (unit < PAGE_SIZE || (unit & (unit - 1)))
		unit = PAGE_SIZE;
	start = align_down(s->offset, unit);
	r->map_len = (size_t)align_up(s->offset + s->size - start, unit);
	r->map = mmap(NULL, r->map_len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd,
		(off_t)start);
	if (r->map == MAP_FAILED)
		return err_sys(e, errno, "memory region: mmap");
	(void)madvise(r->map, r->map_len, MADV_DONTDUMP);
	r->host = (uint8_t *)r->map + (s->offset - start);
	r->gpa = gpa_of(s->gpa);
	r->size = s->size;
	r->user_addr = s->user_addr;
	return 0;
}

int view_add(struct view *v, const struct view_spec *spec, int fd, struct err *e)
{
	if (view_check(v, spec, e) < 0 || view_map(&v->regions[v->n_regions], spec, fd, e) < 0)
		return -e->code;
	v->n_regions++;
	return 0;
}

int view_remove(struct view *v, const struct view_spec *s)
{
	for (unsigned int i = 0; i < v->n_regions; i++) {
		struct view_region *r = &v->regions[i];

		if (r->gpa.v != s->gpa || r->size != s->size || r->user_addr != s->user_addr)
			continue;
		munmap(r->map, r->map_len);
		*r = v->regions[--v->n_regions];
		return 0;
	}
	return -ENOENT;
}

void view_clear(struct view *v)
{
	while (v->n_regions) {
		struct view_region *r = &v->regions[--v->n_regions];

		munmap(r->map, r->map_len);
	}
}

int view_from_user(const struct view *v, uint64_t addr, uint64_t len, gpa_t *gpa)
{
	for (unsigned int i = 0; i < v->n_regions; i++) {
		const struct view_region *r = &v->regions[i];

		if (addr < r->user_addr || !range_in(addr - r->user_addr, len, r->size))
			continue;
		*gpa = gpa_plus(r->gpa, addr - r->user_addr);
		return 0;
	}
	return -EFAULT;
}

int view_iov(const struct view *v, gpa_t gpa, uint64_t len, struct iovec *iov, unsigned int room)
{
	unsigned int n = 0, i = 0;
	gpa_t end;

	if (v->has_ledger ? !ledger_map_shared(&v->ledger, gpa, len)
			  : !len || !gpa_end(gpa, len, &end))
		return -EFAULT;
	while (len && i < v->n_regions) {
		const struct view_region *r = &v->regions[i++];
		uint64_t off = gpa.v - r->gpa.v, part;

		if (gpa.v < r->gpa.v || off >= r->size)
			continue;
		if (n == room)
			return -E2BIG;
		part = min_u64(len, r->size - off);
		iov[n++] = (struct iovec){.iov_base = r->host + off, .iov_len = (size_t)part};
		gpa = gpa_plus(gpa, part);
		len -= part;
		i = 0; /* what is left may lie in any of them */
	}
	return len ? -EFAULT : (int)n;
}
