/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/x86/acpi.h"

#include "base/bytes.h"
#include "tests/unit/unit.h"
#include "vmm/x86/map.h"

#include <errno.h>
#include <string.h>

#define AREA_LEN 0x10000
#define ADDR     UINT64_C(0xe0000)

static uint8_t area[AREA_LEN];

static void fill(unsigned int n_vcpus)
{
	struct acpi_desc desc = {.addr = ADDR, .n_vcpus = n_vcpus, .serial = true};
	struct err e = ERR_INIT;

	memset(area, 0xaa, sizeof(area));
	assert_int_equal(acpi_fill(area, sizeof(area), &desc, &e), 0);
}

static unsigned int sum(const uint8_t *at, size_t len)
{
	unsigned int v = 0;

	while (len--)
		v += *at++;
	return v & 0xff;
}

static const uint8_t *table_at(uint64_t addr, const char *signature)
{
	const uint8_t *at = area + (addr - ADDR);

	assert_true(addr >= ADDR && addr + 36 <= ADDR + AREA_LEN && addr % 16 == 0);
	assert_memory_equal(at, signature, 4);
	assert_true(load_le32(at + 4) >= 36 && addr + load_le32(at + 4) <= ADDR + AREA_LEN);
	assert_int_equal(sum(at, load_le32(at + 4)), 0);
	return at;
}

static const uint8_t *find(const char *signature)
{
	const uint8_t *xsdt = table_at(load_le64(area + 24), "XSDT");

	for (size_t off = 36; off < load_le32(xsdt + 4); off += 8) {
		uint64_t addr = load_le64(xsdt + off);

		if (!memcmp(area + (addr - ADDR), signature, 4))
			return table_at(addr, signature);
	}
	fail_msg("no %s", signature);
	return NULL;
}

static void acpi_rsdp_leads_to_all_tables(void **state)
{
	const uint8_t *fadt;

	(void)state;
	fill(2);
	assert_memory_equal(area, "RSD PTR ", 8);
	assert_int_equal(area[15], 2);
	assert_int_equal(sum(area, 20), 0);
	assert_int_equal(sum(area, 36), 0);
	find("APIC");
	find("MCFG");
	fadt = find("FACP");
	assert_int_equal(load_le32(fadt + 40), load_le64(fadt + 140));
	table_at(load_le64(fadt + 140), "DSDT");
}

static void acpi_fadt_says_hardware_reduced(void **state)
{
	const uint8_t *fadt;

	(void)state;
	fill(1);
	fadt = find("FACP");
	assert_int_equal(fadt[8], 6);
	assert_int_equal(load_le32(fadt + 4), 276);
	assert_int_equal(load_le32(fadt + 112) & (1u << 20 | 1u << 10), 1u << 20 | 1u << 10);
	assert_int_equal(
		load_le16(fadt + 109) & 0x2a, 0);       /* no 8042; MSI works; the RTC is there */
	assert_int_equal(load_le16(fadt + 109) & 4, 4); /* no VGA */
	assert_memory_equal(fadt + 116, "\x01\x08\x00\x01\x02\x06", 6); /* I/O port 0x602 */
	assert_int_equal(fadt[128], MAP_RESET_VALUE);
	assert_int_equal(load_le64(fadt + 248), MAP_PORT_SLEEP_CTL);
	assert_int_equal(load_le64(fadt + 260), MAP_PORT_SLEEP_STS);
}

struct madt_seen {
	unsigned int lapics, x2apics, ioapics, overrides, ids;
};

static struct madt_seen madt_walk(void)
{
	const uint8_t *madt = find("APIC");
	struct madt_seen seen = {0};
	uint32_t id;

	for (uint32_t off = 44; off < load_le32(madt + 4); off += madt[off + 1]) {
		assert_true(madt[off + 1] >= 2);
		seen.overrides += madt[off] == 2;
		seen.ioapics += madt[off] == 1;
		if (madt[off] == 1)
			assert_int_equal(load_le32(madt + off + 4), MAP_IOAPIC);
		if (madt[off] != 0 && madt[off] != 9)
			continue;
		id = madt[off] ? load_le32(madt + off + 4) : madt[off + 3];
		assert_int_equal(id, seen.ids++);
		assert_int_equal(load_le32(madt + off + (madt[off] ? 8 : 4)), 1);
		seen.lapics += madt[off] == 0;
		seen.x2apics += madt[off] == 9;
	}
	return seen;
}

static void acpi_madt_lists_every_vcpu(void **state)
{
	static const unsigned int counts[] = {1, 4, 254, 255, 256, 1024};

	(void)state;
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		unsigned int n = counts[i];
		struct madt_seen seen;

		fill(n);
		seen = madt_walk();
		assert_int_equal(seen.lapics, n < 255 ? n : 255);
		assert_int_equal(seen.x2apics, n < 255 ? 0 : n - 255);
		assert_int_equal(seen.ioapics, 1);
		assert_int_equal(seen.overrides, 0);
	}
}

static void acpi_madt_says_which_vcpus_come_later(void **state)
{
	struct acpi_desc desc = {.addr = ADDR, .n_vcpus = 8, .n_later = 6, .cpu_plug = true};
	struct err e = ERR_INIT;
	const uint8_t *madt;

	(void)state;
	assert_int_equal(acpi_fill(area, sizeof(area), &desc, &e), 0);
	madt = find("APIC");
	for (uint32_t i = 0; i < 8; i++) {
		assert_int_equal(madt[44 + 8 * i], 0);
		assert_int_equal(load_le32(madt + 44 + 8 * i + 4), i < 2 ? 1 : 2);
	}
	desc = (struct acpi_desc){.addr = ADDR, .n_vcpus = 64, .cpu_plug = true};
	assert_int_equal(acpi_fill(area, sizeof(area), &desc, &e), 0);
}

static void acpi_mcfg_names_ecam_of_bus_0(void **state)
{
	const uint8_t *mcfg;

	(void)state;
	fill(1);
	mcfg = find("MCFG");
	assert_int_equal(load_le64(mcfg + 44), MAP_PCI_ECAM);
	assert_int_equal(load_le32(mcfg + 52), 0); /* segment, first and last bus */
}

static void acpi_fill_fails_when_area_too_small(void **state)
{
	struct acpi_desc desc = {.addr = ADDR, .n_vcpus = 4, .serial = true};
	struct err e = ERR_INIT;
	size_t len = 0;

	(void)state;
	for (;; len++) {
		memset(area, 0xaa, sizeof(area));
		e = (struct err)ERR_INIT;
		if (!acpi_fill(area, len, &desc, &e))
			break;
		assert_int_equal(e.code, E2BIG);
		assert_int_equal(area[len], 0xaa);
	}
	assert_true(len > 1000 && len < 8192);
	desc.n_vcpus = 10000;
	assert_int_equal(acpi_fill(area, sizeof(area), &desc, &e), -E2BIG);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(acpi_rsdp_leads_to_all_tables),
	cmocka_unit_test(acpi_fadt_says_hardware_reduced),
	cmocka_unit_test(acpi_madt_lists_every_vcpu),
	cmocka_unit_test(acpi_madt_says_which_vcpus_come_later),
	cmocka_unit_test(acpi_mcfg_names_ecam_of_bus_0),
	cmocka_unit_test(acpi_fill_fails_when_area_too_small),
};
UNIT_MAIN(tests)
