/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/x86/acpi_loader.h"

#include "base/bytes.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <string.h>

/* What firmware does with the files, at addresses of its own choice. */
struct firmware {
	uint8_t rsdp[64], tables[ACPI_LOADER_AREA];
	uint64_t rsdp_at, tables_at;
	unsigned int allocated, pointers, sums;
};

static uint8_t *file_of(struct firmware *f, const uint8_t *name)
{
	if (!strcmp((const char *)name, ACPI_LOADER_RSDP))
		return f->rsdp;
	assert_string_equal((const char *)name, ACPI_LOADER_TABLES);
	return f->tables;
}

static void move(struct firmware *f, const uint8_t *c)
{
	uint8_t *at = file_of(f, c + 4) + load_le32(c + 116);

	assert_ptr_equal(file_of(f, c + 60), f->tables);
	if (c[120] == 4) {
		store_le32(at, load_le32(at) + (uint32_t)f->tables_at);
	} else {
		assert_int_equal(c[120], 8);
		store_le64(at, load_le64(at) + f->tables_at);
	}
	f->pointers++;
}

static void sum(struct firmware *f, const uint8_t *c)
{
	uint8_t *file = file_of(f, c + 4), *at = file + load_le32(c + 60), v = 0;

	for (uint32_t i = 0; i < load_le32(c + 68); i++)
		v = (uint8_t)(v + file[load_le32(c + 64) + i]);
	*at = (uint8_t)(0 - v);
	f->sums++;
}

static void play(struct firmware *f, const struct acpi_loader *l)
{
	memcpy(f->rsdp, l->rsdp, l->rsdp_len);
	memcpy(f->tables, l->tables, l->tables_len);
	assert_int_equal(l->script_len % ACPI_LOADER_COMMAND, 0);
	for (size_t i = 0; i < l->script_len; i += ACPI_LOADER_COMMAND) {
		const uint8_t *c = l->script + i;

		if (load_le32(c) == 1)
			f->allocated++;
		else if (load_le32(c) == 2)
			move(f, c);
		else if (load_le32(c) == 3)
			sum(f, c);
		else
			fail_msg("command %u", load_le32(c));
	}
}

static uint8_t sum_of(const uint8_t *at, size_t len)
{
	uint8_t v = 0;

	while (len--)
		v = (uint8_t)(v + *at++);
	return v;
}

static const uint8_t *table_at(const struct firmware *f, uint64_t addr, const char *signature)
{
	const uint8_t *at = f->tables + (addr - f->tables_at);

	assert_in_range(addr, f->tables_at, f->tables_at + sizeof(f->tables));
	assert_memory_equal(at, signature, 4);
	assert_int_equal(sum_of(at, load_le32(at + 4)), 0);
	return at;
}

static void acpi_loader_makes_good_tables_at_any_address(void **state)
{
	static const char *const names[] = {"FACP", "APIC", "MCFG"};
	static struct acpi_loader l;
	static struct firmware f = {.tables_at = 0x7f123000};
	struct acpi_desc desc = {.addr = 0x1234, .n_vcpus = 7, .serial = true};
	struct err e = ERR_INIT;
	const uint8_t *xsdt, *fadt;

	(void)state;
	assert_int_equal(acpi_loader_fill(&l, &desc, &e), 0);
	play(&f, &l);
	assert_int_equal(f.allocated, 2);
	assert_int_equal(f.pointers, 6); /* XSDT, three tables, DSDT twice */
	assert_int_equal(f.sums, 7);
	assert_memory_equal(f.rsdp, "RSD PTR ", 8);
	assert_int_equal(sum_of(f.rsdp, 20), 0);
	assert_int_equal(sum_of(f.rsdp, 36), 0);
	xsdt = table_at(&f, load_le64(f.rsdp + 24), "XSDT");
	assert_int_equal(load_le32(xsdt + 4), 36 + 3 * 8);
	for (unsigned int i = 0; i < 3; i++)
		table_at(&f, load_le64(xsdt + 36 + 8 * i), names[i]);
	fadt = table_at(&f, load_le64(xsdt + 36), "FACP");
	table_at(&f, load_le64(fadt + 140), "DSDT");
	assert_int_equal(load_le32(fadt + 40), load_le64(fadt + 140));
}

static void acpi_loader_fails_when_there_are_too_many_vcpus(void **state)
{
	static struct acpi_loader l;
	struct acpi_desc desc = {.n_vcpus = 8192};
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(acpi_loader_fill(&l, &desc, &e), -E2BIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(acpi_loader_makes_good_tables_at_any_address),
		cmocka_unit_test(acpi_loader_fails_when_there_are_too_many_vcpus),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
