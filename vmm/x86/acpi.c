/* SPDX-License-Identifier: Apache-2.0 */
/* The ACPI tables; see vmm/x86/acpi.h. Section numbers are those of ACPI 6.5. */
#include "vmm/x86/acpi.h"

#include "base/bytes.h"
#include "base/num.h"
#include "vmm/x86/acpi_dsdt.h"
#include "vmm/x86/map.h"

#include <errno.h>
#include <string.h>

#define OEM_ID       "CLSTR "
#define OEM_TABLE_ID "CLOISTER"
#define CREATOR_ID   "CLST"
#define REVISION     1 /* OEM and creator revision */

#define HEADER_LEN 36
#define RSDP_LEN   36
#define FADT_LEN   276
#define MCFG_LEN   60
#define GAS_LEN    12

/* 5.2.9: FADT */
#define FADT_DSDT          40
#define FADT_BOOT_ARCH     109
#define FADT_FLAGS         112
#define FADT_RESET_REG     116
#define FADT_RESET_VALUE   128
#define FADT_MINOR         131
#define FADT_X_DSDT        140
#define FADT_SLEEP_CONTROL 244
#define FADT_SLEEP_STATUS  256
#define FADT_HYPERVISOR    268
#define BOOT_ARCH_NO_VGA   (1u << 2) /* no 8042 and no user-visible ISA devices: bits clear */
#define FLAG_WBINVD        (1u << 0)
#define FLAG_PWR_BUTTON    (1u << 4) /* no fixed power and sleep buttons */
#define FLAG_SLP_BUTTON    (1u << 5)
#define FLAG_RESET_REG     (1u << 10)
#define FLAG_HW_REDUCED    (1u << 20)

/* 5.2.12: MADT */
#define MADT_HEAD         44
#define MADT_LAPIC_LEN    8
#define MADT_X2APIC_LEN   16
#define MADT_IOAPIC_LEN   12
#define MADT_NMI_LEN      6
#define MADT_ENABLED      1
#define MADT_LATER        2   /* online capable */
#define MADT_XAPIC_ID_MAX 254 /* 255 means all */

struct acpi_area {
	uint8_t *at;
	uint64_t addr; /* guest address of at */
	size_t len, used;
};

static void acpi_checksum(uint8_t *sum, const uint8_t *at, size_t len)
{
	*sum = 0;
	for (uint8_t v = 0; len; len--) {
		v = (uint8_t)(v + *at++);
		if (len == 1)
			*sum = (uint8_t)-v;
	}
}

static void acpi_gas(uint8_t *at, uint16_t port)
{
	at[0] = 1; /* system I/O */
	at[1] = 8; /* bits */
	at[3] = 1; /* byte access */
	store_le64(at + 4, port);
}

/* acpi_table() - room for a table of len bytes, zeroed. Return: it, or NULL if the area is full. */
static uint8_t *acpi_table(struct acpi_area *area, size_t len, uint64_t *addr)
{
	uint8_t *at = area->at + area->used;

	if (len > area->len - area->used)
		return NULL;
	memset(at, 0, len);
	*addr = area->addr + area->used;
	area->used = min_u64(align_up(area->used + len, 16), area->len);
	return at;
}

/* acpi_seal() - write the header (5.2.6) of a table whose body is complete */
static void acpi_seal(uint8_t *at, const char *signature, uint8_t revision, size_t len)
{
	memcpy(at, signature, 4);
	store_le32(at + 4, (uint32_t)len);
	at[8] = revision;
	memcpy(at + 10, OEM_ID, 6);
	memcpy(at + 16, OEM_TABLE_ID, 8);
	store_le32(at + 24, REVISION);
	memcpy(at + 28, CREATOR_ID, 4);
	store_le32(at + 32, REVISION);
	acpi_checksum(at + 9, at, len);
}

static bool acpi_dsdt(struct acpi_area *area, uint64_t *addr, const struct acpi_desc *d)
{
	size_t start = area->used, body;
	uint8_t *at = acpi_table(area, HEADER_LEN, addr);

	if (!at)
		return false;
	body = acpi_dsdt_fill(at + HEADER_LEN, area->len - start - HEADER_LEN, d);
	if (!body)
		return false;
	area->used = min_u64(align_up(start + HEADER_LEN + body, 16), area->len);
	acpi_seal(at, "DSDT", 2, HEADER_LEN + body);
	return true;
}

static bool acpi_fadt(struct acpi_area *area, uint64_t *addr, uint64_t dsdt)
{
	uint8_t *at = acpi_table(area, FADT_LEN, addr);

	if (!at)
		return false;
	store_le32(at + FADT_DSDT, (uint32_t)dsdt);
	store_le64(at + FADT_X_DSDT, dsdt);
	store_le16(at + FADT_BOOT_ARCH, BOOT_ARCH_NO_VGA);
	store_le32(at + FADT_FLAGS,
		FLAG_WBINVD | FLAG_PWR_BUTTON | FLAG_SLP_BUTTON | FLAG_RESET_REG | FLAG_HW_REDUCED);
	acpi_gas(at + FADT_RESET_REG, MAP_PORT_RESET);
	at[FADT_RESET_VALUE] = MAP_RESET_VALUE;
	at[FADT_MINOR] = 5;
	acpi_gas(at + FADT_SLEEP_CONTROL, MAP_PORT_SLEEP_CTL);
	acpi_gas(at + FADT_SLEEP_STATUS, MAP_PORT_SLEEP_STS);
	memcpy(at + FADT_HYPERVISOR, "CLOISTER", 8);
	acpi_seal(at, "FACP", 6, FADT_LEN);
	return true;
}

/* acpi_madt_cpu() - a local APIC (5.2.12.2) or x2APIC (5.2.12.12). Return: its length. */
static size_t acpi_madt_cpu(uint8_t *at, uint32_t id, uint32_t flags)
{
	if (id <= MADT_XAPIC_ID_MAX) {
		at[0] = 0;
		at[1] = MADT_LAPIC_LEN;
		at[2] = at[3] = (uint8_t)id;
		store_le32(at + 4, flags);
		return MADT_LAPIC_LEN;
	}
	at[0] = 9;
	at[1] = MADT_X2APIC_LEN;
	store_le32(at + 4, id);
	store_le32(at + 8, flags);
	store_le32(at + 12, id);
	return MADT_X2APIC_LEN;
}

static bool acpi_madt(struct acpi_area *area, uint64_t *addr, const struct acpi_desc *d)
{
	size_t n_x2apic =
		d->n_vcpus > MADT_XAPIC_ID_MAX + 1 ? d->n_vcpus - MADT_XAPIC_ID_MAX - 1 : 0;
	size_t len = MADT_HEAD + (d->n_vcpus - n_x2apic) * MADT_LAPIC_LEN +
		n_x2apic * MADT_X2APIC_LEN + MADT_IOAPIC_LEN + MADT_NMI_LEN;
	uint8_t *table = acpi_table(area, len, addr), *at = table;

	if (!table)
		return false;
	store_le32(at + HEADER_LEN, MAP_LAPIC);
	at += MADT_HEAD;
	for (unsigned int i = 0; i < d->n_vcpus; i++)
		at += acpi_madt_cpu(at, i, i < d->n_vcpus - d->n_later ? MADT_ENABLED : MADT_LATER);
	at[0] = 1; /* IOAPIC, GSI base 0: 5.2.12.3 */
	at[1] = MADT_IOAPIC_LEN;
	store_le32(at + 4, MAP_IOAPIC);
	at += MADT_IOAPIC_LEN;
	at[0] = 4; /* NMI at LINT1 of every processor: 5.2.12.7 */
	at[1] = MADT_NMI_LEN;
	at[2] = 0xff;
	at[5] = 1;
	acpi_seal(table, "APIC", 5, len);
	return true;
}

/* PCI Firmware Specification 3.3, section 4.1.2 */
static bool acpi_mcfg(struct acpi_area *area, uint64_t *addr)
{
	uint8_t *at = acpi_table(area, MCFG_LEN, addr);

	if (!at)
		return false;
	store_le64(at + 44, MAP_PCI_ECAM); /* segment 0, buses 0 to 0 */
	acpi_seal(at, "MCFG", 1, MCFG_LEN);
	return true;
}

static bool acpi_xsdt(struct acpi_area *area, uint64_t *addr, const uint64_t *tables, size_t n)
{
	uint8_t *at = acpi_table(area, HEADER_LEN + n * 8, addr);

	if (!at)
		return false;
	for (size_t i = 0; i < n; i++)
		store_le64(at + HEADER_LEN + i * 8, tables[i]);
	acpi_seal(at, "XSDT", 1, HEADER_LEN + n * 8);
	return true;
}

/* acpi_rsdp() - 5.2.5.3 */
static void acpi_rsdp(uint8_t *at, uint64_t xsdt)
{
	memcpy(at, "RSD PTR ", 8);
	memcpy(at + 9, OEM_ID, 6);
	at[15] = 2; /* revision */
	store_le32(at + 20, RSDP_LEN);
	store_le64(at + 24, xsdt);
	acpi_checksum(at + 8, at, 20);
	acpi_checksum(at + 32, at, RSDP_LEN);
}

int acpi_fill(uint8_t *memory, size_t len, const struct acpi_desc *d, struct err *e)
{
	struct acpi_area area = {.at = memory, .addr = d->addr, .len = len};
	uint64_t rsdp, dsdt, xsdt, tables[3];
	uint8_t *at = acpi_table(&area, RSDP_LEN, &rsdp);

	if (!at || !acpi_dsdt(&area, &dsdt, d) || !acpi_fadt(&area, &tables[0], dsdt) ||
		!acpi_madt(&area, &tables[1], d) || !acpi_mcfg(&area, &tables[2]) ||
		!acpi_xsdt(&area, &xsdt, tables, ARRAY_SIZE(tables)))
		return err_set(e, E2BIG, "the ACPI tables of %u vCPUs do not fit into %zu bytes",
			d->n_vcpus, len);
	acpi_rsdp(at, xsdt);
	return 0;
}
