/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/load/elf.h"

#include "tests/unit/load/make_kernel.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct make_elf two = {
	.entry = 0x200002,
	.segments = {{0x200000, 0x3000, "code code code"}, {0x400000, 0x1000, NULL}},
	.pvh_entry = 0x200004,
};

static struct elf elf;

static int parse(const void *file, size_t len)
{
	struct err e = ERR_INIT;
	/* a copy of just that size, so that ASan sees any read beyond it */
	void *copy = malloc(len ? len : 1);
	int rc;

	memcpy(copy, file, len);
	rc = elf_parse(&elf, bytes_of(copy, len), &e);
	assert_int_equal(rc, -e.code);
	assert_true(!rc || strlen(e.text) > 10);
	free(copy);
	return rc;
}

static void elf_finds_segments_and_entries(void **state)
{
	struct made m = make_elf(&two);
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(elf_parse(&elf, made_bytes(m), &e), 0);
	assert_int_equal(elf.entry, 0x200002);
	assert_int_equal(elf.n_segments, 2);
	assert_int_equal(elf.segments[0].addr, 0x200000); /* physical, not virtual */
	assert_int_equal(elf.segments[0].len, 0x3000);
	assert_string_equal((const char *)elf.segments[0].bytes.at, "code code code");
	assert_int_equal(elf.segments[1].bytes.left, 0);
	assert_true(elf.pvh);
	assert_int_equal(elf.pvh_entry, 0x200004);
	free(m.at);
}

static void elf_has_no_pvh_entry_without_note(void **state)
{
	struct make_elf desc = two;
	struct made m;

	(void)state;
	desc.pvh_entry = 0;
	m = make_elf(&desc);
	assert_int_equal(parse(m.at, m.len), 0);
	assert_false(elf.pvh);
	free(m.at);
}

static void elf_fails_when_truncated_anywhere(void **state)
{
	struct made m = make_elf(&two);

	(void)state;
	for (size_t len = 0; len < m.len; len++)
		assert_int_equal(parse(m.at, len), -EINVAL);
	assert_int_equal(parse(m.at, m.len), 0);
	free(m.at);
}

static void elf_fails_when_not_for_this_machine(void **state)
{
	static const struct {
		size_t off;
		uint8_t value;
	} cases[] = {
		{4, ELFCLASS32}, {5, ELFDATA2MSB}, {16, ET_REL}, {18, EM_386}, {54, 32}, {56, 0}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct made m = make_elf(&two);

		m.at[cases[i].off] = cases[i].value;
		assert_int_equal(parse(m.at, m.len), -EINVAL);
		free(m.at);
	}
}

static void assert_sound(void)
{
	assert_in_range(elf.n_segments, 1, ELF_MAX_SEGMENTS);
	for (unsigned int i = 0; i < elf.n_segments; i++) {
		const struct elf_segment *s = &elf.segments[i];

		assert_true(s->bytes.left <= s->len);
		assert_true(s->addr + s->len > s->addr);
	}
}

/* Every 64-bit field of header and first segment, at its limits: an error or sound results. */
static void elf_survives_any_value_in_any_field(void **state)
{
	static const uint64_t values[] = {0, 1, 0xfff, UINT32_MAX, INT64_MAX, UINT64_MAX - 0x200000,
		UINT64_MAX - 1, UINT64_MAX};

	(void)state;
	for (size_t off = 16; off < MADE_PHDR + 3 * sizeof(Elf64_Phdr); off += 4)
		for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
			struct made m = make_elf(&two);

			store_le64(m.at + off, values[i]);
			if (!parse(m.at, m.len))
				assert_sound();
			free(m.at);
		}
}

static void elf_fails_when_sizes_contradict(void **state)
{
	struct made m = make_elf(&two);
	Elf64_Phdr *p = (Elf64_Phdr *)(m.at + MADE_PHDR);

	(void)state;
	p->p_memsz = p->p_filesz - 1;
	assert_int_equal(parse(m.at, m.len), -EINVAL);
	p->p_memsz = UINT64_MAX - p->p_paddr + 1;
	assert_int_equal(parse(m.at, m.len), -EINVAL);
	p->p_memsz = 0x3000;
	p->p_offset = UINT64_MAX - 1;
	assert_int_equal(parse(m.at, m.len), -EINVAL);
	free(m.at);
}

static void elf_fails_when_entry_is_outside(void **state)
{
	struct make_elf desc = two;
	struct made m;

	(void)state;
	desc.entry = 0x200000 + sizeof("code code code"); /* in the zeros behind the contents */
	m = make_elf(&desc);
	assert_int_equal(parse(m.at, m.len), -EINVAL);
	free(m.at);
	desc.entry = two.entry;
	desc.pvh_entry = 0x100000;
	m = make_elf(&desc);
	assert_int_equal(parse(m.at, m.len), -EINVAL);
	free(m.at);
}

static void elf_ignores_damaged_notes(void **state)
{
	static const uint32_t values[] = {0, 1, 0x7fffffff, UINT32_MAX, UINT32_MAX - 2};

	(void)state;
	for (size_t off = 0; off < 48; off += 4)
		for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
			struct made m = make_elf(&two);

			store_le32(m.at + 1024 + off, values[i]);
			parse(m.at, m.len); /* must end, and read inside (ASan) */
			assert_true(!elf.pvh || elf.n_segments);
			free(m.at);
		}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(elf_finds_segments_and_entries),
	cmocka_unit_test(elf_has_no_pvh_entry_without_note),
	cmocka_unit_test(elf_fails_when_truncated_anywhere),
	cmocka_unit_test(elf_fails_when_not_for_this_machine),
	cmocka_unit_test(elf_survives_any_value_in_any_field),
	cmocka_unit_test(elf_fails_when_sizes_contradict),
	cmocka_unit_test(elf_fails_when_entry_is_outside),
	cmocka_unit_test(elf_ignores_damaged_notes),
};
UNIT_MAIN(tests)
