/* SPDX-License-Identifier: Apache-2.0 */
/* Backing of guest RAM; see memory/ram.h. */
#include "memory/ram.h"

#include "base/fd.h"
#include "memory/image.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define HUGE_SIZE (2U << 20)

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

/* ram_memfd() - a sparse memfd of fixed size. Return: the descriptor or -errno. */
static int ram_memfd(const char *name, uint64_t len, struct err *e)
{
	cleanup_fd int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0)
		return err_sys(e, errno, "memory: memfd_create");
	if (ftruncate(fd, (off_t)len) < 0)
		return err_sys(e, errno, "memory: size of %llu bytes", (unsigned long long)len);
	if (fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0)
		return err_sys(e, errno, "memory: seal");
	return fd_take(&fd);
}

/*
 * ram_map() - map an object whole; fd -1: anonymous memory. No page is touched. The address is that
 * of a huge page, so that one here can be one for the guest.
 */
static int ram_map(uint8_t **out, int fd, size_t len, struct err *e)
{
	int flags = MAP_NORESERVE | (fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED);
	uint8_t *room = mmap(NULL, len + HUGE_SIZE, PROT_NONE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	size_t before = -(uintptr_t)room & (HUGE_SIZE - 1);
	void *map;

	if (room == MAP_FAILED)
		return err_sys(e, errno, "memory: room for %llu bytes", (unsigned long long)len);
	if (before)
		munmap(room, before);
	munmap(room + before + len, HUGE_SIZE - before);
	map = mmap(room + before, len, PROT_READ | PROT_WRITE, flags | MAP_FIXED, fd, 0);
	if (map == MAP_FAILED) {
		int code = errno;

		munmap(room + before, len);
		return err_sys(e, code, "memory: mmap of %llu bytes", (unsigned long long)len);
	}
	/* A core dump must not hold guest memory. */
	madvise(map, len, MADV_DONTDUMP);
	if (fd < 0 && len >= HUGE_SIZE)
		madvise(map, len, MADV_HUGEPAGE);
	*out = map;
	return 0;
}

static int ram_init_private(struct ram *ram, const struct ram_desc *desc, struct err *e)
{
	int rc = ram_map(&ram->low, -1, LAYOUT_LOW_LEN, e);

	if (rc)
		return rc;
	if (!ram->guest_memfd) {
		ram->private_fd = ram_memfd("private", ram->map_len, e);
		if (ram->private_fd < 0)
			return ram->private_fd;
	}
	ram->mappable = !ram->guest_memfd || desc->mappable;
	return ram->mappable ? ram_map(&ram->private, ram->private_fd, ram->map_len, e) : 0;
}

uint64_t ram_private_len(const struct ram_desc *desc)
{
	return max_u64(desc->layout.end.v, desc->rom.len ? desc->rom.gpa.v + desc->rom.len : 0);
}

int ram_init(struct ram *ram, const struct ram_desc *desc, struct err *e)
{
	int rc;

	*ram = (struct ram){
		.layout = desc->layout,
		.cbit = desc->cbit,
		.dual = desc->dual,
		.rom = desc->rom,
		.shared_fd = -1,
		.private_fd = desc->guest_memfd,
		.guest_memfd = desc->guest_memfd >= 0,
		.map_len = (size_t)desc->layout.end.v,
	};
	if (!desc->alone)
		ram->shared_fd = ram_memfd("guest-shared", ram->map_len, e);
	if (!desc->alone && ram->shared_fd < 0)
		return ram->shared_fd;
	rc = ram_map(&ram->shared, ram->shared_fd, ram->map_len, e);
	if (!rc && ram->cbit)
		rc = ram_init_private(ram, desc, e);
	return rc;
}

void ram_fini(struct ram *ram)
{
	if (ram->shared)
		munmap(ram->shared, ram->map_len);
	if (ram->private)
		munmap(ram->private, ram->map_len);
	if (ram->low)
		munmap(ram->low, LAYOUT_LOW_LEN);
	fd_drop(&ram->shared_fd);
	fd_drop(&ram->private_fd);
	*ram = (struct ram){.shared_fd = -1, .private_fd = -1};
}

/* ram_slot_range() - the slot or slots of one range of RAM, above the low memory */
static unsigned int ram_slot_range(
	const struct ram *ram, const struct layout_range *r, struct ram_slot *out)
{
	uint64_t skip = r->gpa.v < LAYOUT_LOW_LEN && ram->cbit ? LAYOUT_LOW_LEN : 0;
	uint64_t start = r->gpa.v + skip, len = r->len - skip;

	out[0] = (struct ram_slot){start, len, ram->shared + start, -1, 0, false};
	if (ram->dual) {
		out[0].guest_memfd = ram->private_fd;
		out[0].offset = start;
		out[0].private = true;
	}
	if (!ram->cbit)
		return 1;
	out[1] = (struct ram_slot){
		.gpa = ram->cbit | start,
		.len = len,
		.host = ram->private ? ram->private + start : NULL,
		.guest_memfd = ram->guest_memfd ? ram->private_fd : -1,
		.offset = start,
		.private = true,
	};
	return 2;
}

unsigned int ram_slots(const struct ram *ram, struct ram_slot *out)
{
	unsigned int n = 0;

	if (ram->cbit) {
		out[n++] = (struct ram_slot){0, LAYOUT_LOW_LEN, ram->low, -1, 0, false};
		out[n++] = (struct ram_slot){ram->cbit, LAYOUT_LOW_LEN, ram->low, -1, 0, false};
	}
	for (unsigned int i = 0; i < ram->layout.n_ranges; i++)
		n += ram_slot_range(ram, &ram->layout.ranges[i], out + n);
	if (ram->rom.len)
		out[n++] = (struct ram_slot){
			ram->rom.gpa.v, ram->rom.len, NULL, ram->private_fd, ram->rom.gpa.v, true};
	return n;
}

struct ram_slot ram_plug_slot(const struct ram *ram, uint64_t offset, uint64_t len)
{
	uint64_t start = ram->layout.plug.gpa.v + offset;

	assert(!ram->cbit && !ram->dual && range_in(offset, len, ram->layout.plug.len));
	return (struct ram_slot){start, len, ram->shared + start, -1, 0, false};
}

/*
 * ram_make_huge() - have huge pages under [at, at + len), where a memfd is about to be written
 * anyway; the kernel makes them of ranges that have a page, whatever its policy for memfds. A host
 * that can't is as good, just slower.
 */
static void ram_make_huge(uint8_t *at, uint64_t len)
{
	uint8_t *first = at + (-(uintptr_t)at & (HUGE_SIZE - 1));

	for (; first + HUGE_SIZE <= at + len; first += HUGE_SIZE) {
		*(volatile uint8_t *)first = 0;
		if (madvise(first, HUGE_SIZE, MADV_COLLAPSE))
			return;
	}
}

/* ram_write() - copy loaded bytes; a part may begin in low memory and go on above it */
static void ram_write(struct ram *ram, uint64_t gpa, const uint8_t *bytes, uint64_t len)
{
	uint8_t *above = ram->private ? ram->private : ram->shared;
	uint64_t low = 0;

	if (ram->low && gpa < LAYOUT_LOW_LEN) {
		low = min_u64(len, LAYOUT_LOW_LEN - gpa);
		memcpy(ram->low + gpa, bytes, low);
	}
	if (len > low && !ram->guest_memfd && ram->shared_fd >= 0)
		ram_make_huge(above + gpa + low, len - low);
	if (len > low)
		memcpy(above + gpa + low, bytes + low, len - low);
}

int ram_load(struct ram *ram, const struct image *image, struct err *e)
{
	for (size_t i = 0; i < image->n_parts; i++) {
		const struct image_part *p = &image->parts[i];

		if (!layout_contains(&ram->layout, p->gpa, p->len))
			return err_set(e, EINVAL,
				"launch image: %llu bytes at %#llx do not fit into guest memory",
				(unsigned long long)p->len, (unsigned long long)p->gpa.v);
		if (p->bytes_len)
			ram_write(ram, p->gpa.v, p->bytes, p->bytes_len);
	}
	return 0;
}

/*
 * ram_can_discard() - Linux before 6.7 frees pages through a mapping only if that is writable.
 * Tried on the first page, which no slot shows to the guest: low memory is an object of its own.
 */
static bool ram_can_discard(const struct ram *ram)
{
	return madvise(ram->private, PAGE_SIZE, MADV_REMOVE) == 0;
}

int ram_seal(struct ram *ram, bool keep_writable, struct err *e)
{
	if (!ram->cbit || !ram->mappable)
		return 0;
	if (ram->guest_memfd && !keep_writable &&
		mprotect(ram->private, ram->map_len, PROT_READ) < 0)
		return err_sys(e, errno, "memory: write-protect private memory");
	if (ram_can_discard(ram))
		fd_drop(&ram->private_fd);
	return 0;
}

int ram_discard(void *ctx, gpa_t gpa, uint64_t len, bool private_side)
{
	const struct ram *ram = ctx;
	int fd = private_side ? ram->private_fd : ram->shared_fd;

	if (fd >= 0)
		return fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)gpa.v,
			       (off_t)len) < 0
			? -errno
			: 0;
	return madvise(ram->private + gpa.v, len, MADV_REMOVE) < 0 ? -errno : 0;
}

/* ram_count() - add up the pages of a mapping that are resident. Return: 0 or -errno. */
static int ram_count(uint64_t *bytes, uint8_t *map, size_t len)
{
	unsigned char resident[4096];

	for (size_t at = 0; at < len;) {
		size_t n = min_u64(len - at, sizeof(resident) * PAGE_SIZE);

		if (mincore(map + at, n, resident) < 0)
			return -errno;
		for (size_t i = 0; i < n / PAGE_SIZE; i++)
			*bytes += resident[i] & 1 ? PAGE_SIZE : 0;
		at += n;
	}
	return 0;
}

int ram_resident(const struct ram *ram, uint64_t *private_bytes, uint64_t *shared_bytes)
{
	struct stat st;
	int rc = 0;

	*private_bytes = *shared_bytes = 0;
	if (ram->private)
		rc = ram_count(private_bytes, ram->private, ram->map_len);
	if (rc || ram->shared_fd < 0)
		return rc ? rc : ram_count(shared_bytes, ram->shared, ram->map_len);
	if (fstat(ram->shared_fd, &st) < 0)
		return -errno;
	*shared_bytes = (uint64_t)st.st_blocks * 512;
	return 0;
}
