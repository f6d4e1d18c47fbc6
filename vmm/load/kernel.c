/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel; see vmm/load/kernel.h. */
#include "vmm/load/kernel.h"

#include "base/num.h"
#include "memory/image.h"
#include "memory/layout.h"
#include "vmm/load/elf.h"
#include "vmm/load/payload.h"

#include <errno.h>
#include <string.h>

#define LINUX_BANNER      "Linux version "
#define LINUX_CMDLINE_MAX 2047 /* COMMAND_LINE_SIZE - 1 of all x86 kernels */
#define LINUX_INITRD_MAX  0x7fffffffu

/*
 * Messages of arch/x86/mm/mem_encrypt_amd.c: in every kernel with CONFIG_AMD_MEM_ENCRYPT since
 * 4.16 and in none without. ("Memory Encryption Features active" is in TDX-only kernels too.)
 */
#define SEV_MARKER "failed to free unused decrypted pages"

#define RODATA_ALIGN MIB(2) /* of Linux's read-only data, the first of which is the banner */
#define RODATA_HEAD  4096u

/* kernel_seek() - find text in b. Return: true, and b begins with it. */
static bool kernel_seek(struct bytes *b, const char *text)
{
	const uint8_t *hit = b->left ? memmem(b->at, b->left, text, strlen(text)) : NULL;

	if (hit)
		*b = bytes_of(hit, b->left - (size_t)(hit - b->at));
	return hit;
}

/* kernel_contains() - find text in any segment: 1 instruction per byte, so look elsewhere before */
static bool kernel_contains(const struct elf *elf, const char *text, struct bytes *at)
{
	for (unsigned int i = 0; i < elf->n_segments; i++) {
		*at = elf->segments[i].bytes;
		if (kernel_seek(at, text))
			return true;
	}
	return false;
}

/* kernel_banner() - where Linux has it, behind 16 MiB of code; else anywhere */
static bool kernel_banner(const struct elf *elf, struct bytes *at)
{
	for (unsigned int i = 0; i < elf->n_segments; i++) {
		const struct elf_segment *s = &elf->segments[i];

		for (uint64_t off = -s->addr & (RODATA_ALIGN - 1); off < s->bytes.left;
			off += RODATA_ALIGN) {
			struct bytes head = bytes_of(
				s->bytes.at + off, min_u64(RODATA_HEAD, s->bytes.left - off));

			*at = bytes_of(s->bytes.at + off, s->bytes.left - off);
			if (kernel_seek(&head, LINUX_BANNER))
				return kernel_seek(at, LINUX_BANNER);
		}
	}
	return kernel_contains(elf, LINUX_BANNER, at);
}

/* kernel_identify() - is it Linux, and which; a bzImage's header has said so already */
static void kernel_identify(struct kernel *k, const struct elf *elf)
{
	struct bytes at;

	if (k->is_linux || !kernel_banner(elf, &at))
		return;
	k->is_linux = true;
	bytes_take(&at, strlen(LINUX_BANNER));
	for (size_t i = 0; i + 1 < sizeof(k->version); i++) {
		uint8_t c = bytes_u8(&at);

		if (c <= ' ' || c > '~')
			return;
		k->version[i] = (char)c;
	}
}

static int kernel_check_sev(struct kernel *k, const struct elf *elf, struct err *e)
{
	struct bytes at;

	if (!k->is_linux && elf->pvh)
		return err_set(e, ENOTSUP,
			"a PVH kernel other than Linux can't be a confidential guest; "
			"--confidential off boots it");
	/* what is not Linux knows what it does: a bare-metal guest of the tests */
	k->sev_guest = !k->is_linux || (kernel_banner(elf, &at) && kernel_seek(&at, SEV_MARKER)) ||
		kernel_contains(elf, SEV_MARKER, &at);
	if (!k->sev_guest)
		return err_set(e, ENOTSUP,
			"Linux %s can't be a confidential guest: it is built without "
			"CONFIG_AMD_MEM_ENCRYPT; --confidential off boots it",
			k->version);
	return 0;
}

/* kernel_trim() - leave out the zero pages at the end: Linux keeps its bss in the file */
static size_t kernel_trim(struct bytes b)
{
	static const uint8_t zeros[PAGE_SIZE];

	while (b.left &&
		!memcmp(b.at + align_down(b.left - 1, PAGE_SIZE), zeros,
			b.left - align_down(b.left - 1, PAGE_SIZE)))
		b.left = align_down(b.left - 1, PAGE_SIZE);
	return b.left;
}

/* kernel_add() - one part at [addr, addr+len), inside the first range of RAM and above 1 MiB */
static int kernel_add(struct kernel *k, struct image *image, const struct layout *layout,
	const struct elf_segment *s, struct err *e)
{
	struct image_part part = {.gpa = gpa_of(s->addr),
		.len = s->len,
		.type = IMAGE_NORMAL,
		.bytes = s->bytes.at,
		.bytes_len = kernel_trim(s->bytes)};

	if (s->addr < LAYOUT_LOW_LEN)
		return err_set(e, EINVAL, "it wants memory below 1 MiB, at %#llx",
			(unsigned long long)s->addr);
	if (!is_aligned(s->addr, PAGE_SIZE))
		return err_set(e, EINVAL, "its segment at %#llx does not start on a page",
			(unsigned long long)s->addr);
	if (!range_in(s->addr, s->len, layout->ranges[0].len))
		return err_set(e, EINVAL,
			"it wants memory up to %#llx, but --memory gives it only %#llx",
			(unsigned long long)(s->addr + s->len),
			(unsigned long long)layout->ranges[0].len);
	k->end = max_u64(k->end, s->addr + s->len);
	return image_add(image, &part, e);
}

static int kernel_load_elf(struct kernel *k, struct image *image, struct bytes file,
	const struct kernel_request *req, struct err *e)
{
	struct elf elf;

	if (elf_parse(&elf, file, e))
		return -e->code;
	kernel_identify(k, &elf);
	if (req->need_sev_guest && kernel_check_sev(k, &elf, e))
		return -e->code;
	k->entry = elf.entry;
	if (!k->is_linux && elf.pvh) {
		k->format = KERNEL_PVH;
		k->mode = X86_PROTECTED32;
		k->entry = elf.pvh_entry;
	}
	for (unsigned int i = 0; i < elf.n_segments; i++)
		if (kernel_add(k, image, req->layout, &elf.segments[i], e))
			return -e->code;
	return 0;
}

/* kernel_load_self() - the bzImage as it is, by the 64-bit boot protocol */
static int kernel_load_self(struct kernel *k, struct image *image, const struct bzimage *bz,
	const struct kernel_request *req, struct err *e)
{
	struct elf_segment code = {
		.addr = bz->pref_address, .len = bz->code.left, .bytes = bz->code};

	if (!bz->entry_64)
		return err_set(e, ENOTSUP, "the kernel has no 64-bit entry");
	k->format = KERNEL_BZIMAGE;
	k->entry = bz->pref_address + BZIMAGE_ENTRY_64;
	if (kernel_add(k, image, req->layout, &code, e))
		return -e->code;
	if (!range_in(bz->pref_address, bz->init_size, req->layout->ranges[0].len))
		return err_set(e, EINVAL, "it needs %u bytes to start in; give more --memory",
			bz->init_size);
	k->end = max_u64(k->end, bz->pref_address + bz->init_size);
	return 0;
}

static int kernel_load_bzimage(
	struct kernel *k, struct image *image, const struct kernel_request *req, struct err *e)
{
	struct bzimage bz;
	struct bytes vmlinux;
	int rc = bzimage_parse(&bz, req->file, e);

	if (rc)
		return rc;
	memcpy(k->version, bz.version, sizeof(k->version));
	k->format = KERNEL_BZIMAGE_VMLINUX;
	k->is_linux = true;
	k->setup_header = bz.setup_header;
	k->cmdline_max = bz.cmdline_max;
	k->initrd_max = bz.initrd_max;
	rc = payload_expand(&vmlinux, bz.payload, req->layout->ranges[0].len, image, e);
	if (rc == -ENOTSUP && !req->need_sev_guest) {
		*e = (struct err)ERR_INIT;
		return kernel_load_self(k, image, &bz, req, e);
	}
	return rc ? rc : kernel_load_elf(k, image, vmlinux, req, e);
}

int kernel_load(
	struct kernel *k, struct image *image, const struct kernel_request *req, struct err *e)
{
	int rc;

	memset(k, 0, sizeof(*k));
	k->format = KERNEL_ELF;
	k->mode = X86_LONG64;
	k->cmdline_max = LINUX_CMDLINE_MAX;
	k->initrd_max = LINUX_INITRD_MAX;
	if (elf_is(req->file))
		rc = kernel_load_elf(k, image, req->file, req, e);
	else if (bzimage_is(req->file))
		rc = kernel_load_bzimage(k, image, req, e);
	else
		rc = err_set(e, EINVAL, "neither a Linux bzImage nor an x86-64 ELF file");
	return rc ? err_context(e, "--kernel %s", req->name) : 0;
}

const char *kernel_format_name(enum kernel_format format)
{
	switch (format) {
	case KERNEL_BZIMAGE_VMLINUX:
		return "vmlinux of a bzImage";
	case KERNEL_BZIMAGE:
		return "bzImage that unpacks itself";
	case KERNEL_PVH:
		return "PVH ELF";
	case KERNEL_ELF:
		break;
	}
	return "ELF";
}
