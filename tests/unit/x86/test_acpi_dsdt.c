/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The DSDT against the reference compiler: what iasl disassembles and compiles again must be the
 * same bytes. Skipped (77) where iasl is not installed.
 */
#include "vmm/x86/acpi_dsdt.h"

#include "base/bytes.h"
#include "tests/unit/unit.h"
#include "vmm/x86/acpi.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HEADER_LEN 36
#define TEXT_MAX   400000

static char dir[] = "/tmp/dsdt-XXXXXX";
static uint8_t table[16384];
static char text[TEXT_MAX];

static size_t table_fill(const struct acpi_desc *d)
{
	size_t len = acpi_dsdt_fill(table + HEADER_LEN, sizeof(table) - HEADER_LEN, d);
	uint8_t sum = 0;

	assert_true(len > 0);
	len += HEADER_LEN;
	memset(table, 0, HEADER_LEN);
	memcpy(table, "DSDT", 4);
	store_le32(table + 4, (uint32_t)len);
	table[8] = 2;
	memcpy(table + 10, "TEST  TESTTESTTEST", 18);
	for (size_t i = 0; i < len; i++)
		sum = (uint8_t)(sum + table[i]);
	table[9] = (uint8_t)-sum;
	return len;
}

static size_t file_read(const char *name, void *buf, size_t max)
{
	FILE *f = fopen(name, "re");
	size_t len;

	assert_non_null(f);
	len = fread(buf, 1, max, f);
	fclose(f);
	return len;
}

/* round_trip() - leave the source in text; the compiler's output must equal the table's body */
static void round_trip(const struct acpi_desc *d)
{
	static uint8_t again[sizeof(table)];
	size_t len = table_fill(d), n;
	FILE *f = fopen("dsdt.dat", "we");

	assert_non_null(f);
	assert_int_equal(fwrite(table, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(system("iasl -d dsdt.dat > log 2>&1"), 0);
	assert_int_equal(system("iasl -oa -p again dsdt.dsl > log 2>&1"), 0);
	n = file_read("log", text, sizeof(text) - 1);
	text[n] = 0;
	assert_non_null(strstr(text, "0 Errors, 0 Warnings, 0 Remarks"));
	assert_int_equal(file_read("again.aml", again, sizeof(again)), len);
	assert_memory_equal(again + HEADER_LEN, table + HEADER_LEN, len - HEADER_LEN);
	n = file_read("dsdt.dsl", text, sizeof(text) - 1);
	text[n] = 0;
}

static void dsdt_is_what_compiler_makes_of_its_source(void **state)
{
	(void)state;
	round_trip(&(struct acpi_desc){.n_vcpus = 2, .serial = true});
	assert_non_null(strstr(text, "Device (PCI0)"));
	assert_non_null(strstr(text, "PNP0501"));
	assert_non_null(strstr(text, "_S5, Package (0x02)"));
	assert_non_null(strstr(text, "ACPI0013"));
	assert_non_null(strstr(text, "Notify (S1F, 0x03)"));
}

static void dsdt_has_no_port_when_serial_is_off(void **state)
{
	(void)state;
	round_trip(&(struct acpi_desc){.n_vcpus = 2});
	assert_null(strstr(text, "PNP0501"));
	assert_non_null(strstr(text, "PNP0B00"));
}

static void dsdt_has_processors_when_they_can_come(void **state)
{
	(void)state;
	round_trip(&(struct acpi_desc){.n_vcpus = 64, .n_later = 62, .cpu_plug = true});
	assert_non_null(strstr(text, "Device (C03F)"));
	assert_null(strstr(text, "Device (C040)"));
	assert_non_null(strstr(text, "Notify (C01F, One)"));
	assert_non_null(strstr(text, "Notify (C020, 0x03)"));
	assert_null(strstr(text, "Notify (C000,"));
	assert_non_null(strstr(text, "0x00, 0x08, 0x3F, 0x3F, 0x01, 0x00, 0x00, 0x00"));
	round_trip(&(struct acpi_desc){.n_vcpus = 64});
	assert_null(strstr(text, "Device (C000)"));
}

static void dsdt_has_memory_when_it_can_come(void **state)
{
	(void)state;
	round_trip(&(struct acpi_desc){.n_vcpus = 1, .mem_plug = true});
	assert_non_null(strstr(text, "Device (M01F)"));
	assert_null(strstr(text, "Device (M020)"));
	assert_non_null(strstr(text, "PNP0C80"));
	assert_non_null(strstr(text, "Notify (M01F, One)"));
	assert_non_null(strstr(text, "\\_SB.MEMS.TELL ()"));
	assert_non_null(strstr(text, "Return (RSRC (0x1F))"));
	assert_non_null(strstr(text, "CreateQWordField (BUFF, \\_SB.MEMS._Y00._LEN, BULE)"));
	round_trip(&(struct acpi_desc){.n_vcpus = 1});
	assert_null(strstr(text, "PNP0C80"));
}

static void dsdt_fails_when_room_too_small(void **state)
{
	const struct acpi_desc d = {
		.n_vcpus = 40, .cpu_plug = true, .mem_plug = true, .serial = true};
	size_t len = acpi_dsdt_fill(table, sizeof(table), &d);

	(void)state;
	assert_true(len > 0);
	for (size_t room = 0; room < len; room++)
		assert_int_equal(acpi_dsdt_fill(table, room, &d), 0);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(dsdt_is_what_compiler_makes_of_its_source),
	cmocka_unit_test(dsdt_has_no_port_when_serial_is_off),
	cmocka_unit_test(dsdt_has_processors_when_they_can_come),
	cmocka_unit_test(dsdt_has_memory_when_it_can_come),
	cmocka_unit_test(dsdt_fails_when_room_too_small),
};

int main(void)
{
	int rc;

	if (system("iasl -v > /dev/null 2>&1"))
		return 77;
	if (!mkdtemp(dir) || chdir(dir))
		return 1;
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	if (chdir("/") || system("rm -r /tmp/dsdt-??????"))
		return 1;
	return rc;
}
