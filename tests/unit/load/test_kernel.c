/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/load/kernel.h"

#include "base/num.h"
#include "memory/image.h"
#include "memory/layout.h"
#include "tests/unit/load/make_kernel.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BANNER "Linux version 6.9.0-elf (builder) #1"
#define MARKER "failed to free unused decrypted pages"

static struct kernel kernel;
static struct image image;
static struct err e;

static int load(struct made m, uint64_t ram, bool need_sev_guest)
{
	struct layout layout;
	struct kernel_request req = {.file = made_bytes(m),
		.name = "K",
		.layout = &layout,
		.need_sev_guest = need_sev_guest};
	int rc;

	image_fini(&image);
	e = (struct err)ERR_INIT;
	assert_int_equal(layout_init(&layout, ram, &e), 0);
	rc = kernel_load(&kernel, &image, &req, &e);
	assert_int_equal(rc, -e.code);
	if (rc)
		assert_memory_equal(e.text, "--kernel K: ", 12);
	return rc;
}

static int load_elf(const struct make_elf *desc, uint64_t ram, bool need_sev_guest)
{
	struct made m = make_elf(desc);
	int rc = load(m, ram, need_sev_guest);

	free(m.at);
	return rc;
}

static void kernel_places_segments_where_headers_say(void **state)
{
	struct make_elf desc = {.entry = 0x38c0fa0,
		.segments = {{0x38c0000, 0x1000, NULL}, {0x1000000, 0x123456, "text"}}};
	char text[0xfa2];
	struct made m;

	(void)state;
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = 0;
	desc.segments[0].text = text;
	m = make_elf(&desc);
	assert_int_equal(load(m, MIB(128), false), 0);
	assert_int_equal(kernel.format, KERNEL_ELF);
	assert_int_equal(kernel.mode, X86_LONG64);
	assert_int_equal(kernel.entry, 0x38c0fa0);
	assert_int_equal(kernel.end, 0x38c1000);
	assert_int_equal(image.n_parts, 2);
	assert_int_equal(image.parts[1].gpa.v, 0x1000000);
	assert_int_equal(image.parts[1].len, 0x124000);
	assert_int_equal(image.parts[1].bytes_len, 5);
	assert_int_equal(image.parts[1].type, IMAGE_NORMAL);
	free(m.at);
}

static void kernel_boots_vmlinux_of_a_bzimage(void **state)
{
	(void)state;
	for (int codec = 0; codec < MAKE_CODECS; codec++) {
		struct make_bzimage desc = {.elf = {.entry = 0x200000,
						    .segments = {{0x200000, 0x5000, MARKER}},
						    .pvh_entry = 0x200000},
			.codec = (enum make_codec)codec};
		struct made m = make_bzimage(&desc);

		assert_int_equal(load(m, MIB(64), true), 0);
		assert_int_equal(kernel.format, KERNEL_BZIMAGE_VMLINUX);
		assert_int_equal(kernel.mode, X86_LONG64); /* the note is for others */
		assert_int_equal(kernel.entry, 0x200000);
		assert_true(kernel.is_linux && kernel.sev_guest);
		assert_string_equal(kernel.version, "6.9.0-test");
		assert_ptr_equal(kernel.setup_header.at, m.at + 0x1f1);
		assert_string_equal((const char *)image.parts[0].bytes, MARKER);
		free(m.at);
	}
}

static void kernel_refuses_linux_that_cannot_be_sev_guest(void **state)
{
	struct make_elf desc = {.entry = 0x200000, .segments = {{0x200000, 0x1000, BANNER}}};
	struct make_bzimage bz = {
		.elf = {.entry = 0x200000, .segments = {{0x200000, 0x1000, "x"}}}};
	struct made m = make_bzimage(&bz);

	(void)state;
	assert_int_equal(load_elf(&desc, MIB(64), true), -ENOTSUP);
	assert_non_null(strstr(e.text, "CONFIG_AMD_MEM_ENCRYPT"));
	assert_non_null(strstr(e.text, "6.9.0-elf"));
	assert_int_equal(load(m, MIB(64), true), -ENOTSUP);
	assert_non_null(strstr(e.text, "CONFIG_AMD_MEM_ENCRYPT"));
	assert_int_equal(load(m, MIB(64), false), 0);
	assert_false(kernel.sev_guest);
	desc.segments[1] = (struct make_segment){0x300000, 0x1000, MARKER};
	assert_int_equal(load_elf(&desc, MIB(64), true), 0);
	assert_true(kernel.sev_guest);
	free(m.at);
}

static void kernel_takes_version_from_banner_of_vmlinux(void **state)
{
	struct make_elf desc = {.entry = 0x200000,
		.pvh_entry = 0x200000,
		.segments = {{0x200000, 0x1000, "code"}, {0x300000, 0x1000, "..." BANNER}}};

	(void)state;
	assert_int_equal(load_elf(&desc, MIB(64), false), 0);
	assert_true(kernel.is_linux);
	assert_int_equal(kernel.mode, X86_LONG64);
	assert_string_equal(kernel.version, "6.9.0-elf");
	/* where Linux has it counts more than what comes before */
	desc.segments[0] = (struct make_segment){0x300000, 0x1000, "Linux version 1.0 text"};
	desc.entry = desc.pvh_entry = 0x400000;
	desc.segments[1] = (struct make_segment){0x400000, 0x1000, "..." BANNER};
	assert_int_equal(load_elf(&desc, MIB(64), false), 0);
	assert_string_equal(kernel.version, "6.9.0-elf");
}

static void kernel_enters_other_elf_by_pvh_note(void **state)
{
	struct make_elf desc = {
		.entry = 0x200000, .pvh_entry = 0x200002, .segments = {{0x200000, 0x1000, "code"}}};

	(void)state;
	assert_int_equal(load_elf(&desc, MIB(64), false), 0);
	assert_int_equal(kernel.format, KERNEL_PVH);
	assert_int_equal(kernel.mode, X86_PROTECTED32);
	assert_int_equal(kernel.entry, 0x200002);
	assert_int_equal(load_elf(&desc, MIB(64), true), -ENOTSUP);
	assert_non_null(strstr(e.text, "PVH"));
	desc.pvh_entry = 0;
	assert_int_equal(load_elf(&desc, MIB(64), true), 0);
	assert_int_equal(kernel.mode, X86_LONG64);
}

static void kernel_lets_bzimage_unpack_itself_only_at_level_off(void **state)
{
	struct make_bzimage desc = {
		.elf = {.entry = 0x200000, .segments = {{0x200000, 4096, "x"}}}};
	struct made m = make_bzimage(&desc);

	(void)state;
	memcpy(m.at + MADE_CODE + MADE_PAYLOAD, "BZh9", 4);
	assert_int_equal(load(m, MIB(64), false), 0);
	assert_int_equal(kernel.format, KERNEL_BZIMAGE);
	assert_int_equal(kernel.entry, 0x1000200);
	assert_int_equal(kernel.end, 0x1200000);
	assert_int_equal(image.parts[0].gpa.v, 0x1000000);
	assert_ptr_equal(image.parts[0].bytes, m.at + MADE_CODE);
	assert_int_equal(load(m, MIB(17), false), -EINVAL); /* init_size does not fit */
	assert_int_equal(load(m, MIB(64), true), -ENOTSUP);
	assert_non_null(strstr(e.text, "payload compression bzip2 is not supported"));
	m.at[0x236] = 0;
	assert_int_equal(load(m, MIB(64), false), -ENOTSUP);
	free(m.at);
}

static void kernel_fails_when_payload_is_damaged_at_any_level(void **state)
{
	struct make_bzimage desc = {
		.elf = {.entry = 0x200000, .segments = {{0x200000, 4096, "x"}}}};
	struct made m = make_bzimage(&desc);

	(void)state;
	m.at[MADE_CODE + MADE_PAYLOAD + 8] ^= 0xff;
	m.at[MADE_CODE + MADE_PAYLOAD + 20] ^= 0xff;
	assert_int_equal(load(m, MIB(64), false), -EINVAL);
	assert_int_equal(load(m, MIB(64), true), -EINVAL);
	free(m.at);
}

static void kernel_fails_when_segments_do_not_fit(void **state)
{
	static const struct {
		uint64_t addr, len;
		const char *why;
	} cases[] = {
		{0xff000, 0x1000, "below 1 MiB"},
		{0, 0x1000, "below 1 MiB"},
		{MIB(64), 0x1000, "--memory"},
		{MIB(64) - 0x1000, 0x1001, "--memory"},
		{0x200000, MIB(64), "--memory"},
		{UINT64_MAX - 0x2fff, 0x2000, "--memory"},
		{GIB(4), 0x1000, "--memory"},
		{0x200800, 0x1000, "page"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct make_elf desc = {
			.entry = cases[i].addr, .segments = {{cases[i].addr, cases[i].len, "x"}}};

		assert_int_equal(load_elf(&desc, MIB(64), false), -EINVAL);
		assert_non_null(strstr(e.text, cases[i].why));
	}
}

static void kernel_fails_when_segments_overlap(void **state)
{
	struct make_elf desc = {
		.entry = 0x200000, .segments = {{0x200000, 0x2000, "x"}, {0x201000, 0x1000, "y"}}};

	(void)state;
	assert_int_equal(load_elf(&desc, MIB(64), false), -EEXIST);
}

static void kernel_skips_zero_pages_at_the_end(void **state)
{
	struct make_elf desc = {.entry = 0x200000, .segments = {{0x200000, 0x10000, "code"}}};
	struct made m = make_elf(&desc);
	Elf64_Phdr *p = (Elf64_Phdr *)(m.at + MADE_PHDR);

	(void)state;
	p->p_filesz = 0x8100; /* zeros behind the text */
	m.len += 0x8100;
	m.at[p->p_offset + 0x3fff] = 1;
	assert_int_equal(load(m, MIB(64), false), 0);
	assert_int_equal(image.parts[0].bytes_len, 0x4000);
	assert_int_equal(image.parts[0].len, 0x10000);
	free(m.at);
}

static void kernel_fails_when_file_is_none(void **state)
{
	static uint8_t noise[1 << 20];
	uint32_t x = 7;

	(void)state;
	for (size_t i = 0; i < sizeof(noise); i++)
		noise[i] = (uint8_t)((x = x * 1103515245 + 12345) >> 16);
	assert_int_equal(load((struct made){noise, sizeof(noise)}, MIB(64), false), -EINVAL);
	assert_int_equal(load((struct made){noise, 0}, MIB(64), false), -EINVAL);
	assert_int_equal(load((struct made){noise, 4}, MIB(64), true), -EINVAL);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(kernel_places_segments_where_headers_say),
	cmocka_unit_test(kernel_boots_vmlinux_of_a_bzimage),
	cmocka_unit_test(kernel_refuses_linux_that_cannot_be_sev_guest),
	cmocka_unit_test(kernel_takes_version_from_banner_of_vmlinux),
	cmocka_unit_test(kernel_enters_other_elf_by_pvh_note),
	cmocka_unit_test(kernel_lets_bzimage_unpack_itself_only_at_level_off),
	cmocka_unit_test(kernel_fails_when_payload_is_damaged_at_any_level),
	cmocka_unit_test(kernel_fails_when_segments_do_not_fit),
	cmocka_unit_test(kernel_fails_when_segments_overlap),
	cmocka_unit_test(kernel_skips_zero_pages_at_the_end),
	cmocka_unit_test(kernel_fails_when_file_is_none),
};

int main(void)
{
	int rc = cmocka_run_group_tests(tests, NULL, NULL);

	image_fini(&image);
	return rc;
}
