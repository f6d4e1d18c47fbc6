/* SPDX-License-Identifier: Apache-2.0 */
/* ACPI tables for firmware; see vmm/x86/acpi_loader.h. */
#include "vmm/x86/acpi_loader.h"

#include "base/bytes.h"
#include "base/num.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

/* Commands: a number, then names of files of 56 bytes each, then numbers; all little endian. */
#define ALLOCATE     1 /* file, alignment, zone */
#define ADD_POINTER  2 /* file of the pointer, file that it points into, offset, size */
#define ADD_CHECKSUM 3 /* file, offset of the sum, start, length */
#define NAME_LEN     56
#define ZONE_HIGH    1
#define ZONE_FSEG    2

#define RSDP_LEN    36
#define RSDP_ROOM   48 /* in the area: tables are aligned to 16 */
#define RSDP_SUM    8
#define RSDP_XSUM   32
#define RSDP_XSDT   24
#define HEADER_LEN  36
#define HEADER_SUM  9
#define FADT_DSDT   40
#define FADT_X_DSDT 140

static uint8_t *loader_command(struct acpi_loader *l, uint32_t command, const char *file)
{
	uint8_t *at = l->script + l->script_len;

	assert(l->script_len + ACPI_LOADER_COMMAND <= sizeof(l->script));
	l->script_len += ACPI_LOADER_COMMAND;
	store_le32(at, command);
	memcpy(at + 4, file, strlen(file));
	return at + 4 + NAME_LEN;
}

static void loader_allocate(struct acpi_loader *l, const char *file, uint32_t align, uint8_t zone)
{
	uint8_t *at = loader_command(l, ALLOCATE, file);

	store_le32(at, align);
	at[4] = zone;
}

/* loader_pointer() - the pointer of `size` bytes at `offset` of file points into the tables */
static void loader_pointer(struct acpi_loader *l, const char *file, size_t offset, uint8_t size)
{
	uint8_t *at = loader_command(l, ADD_POINTER, file);

	memcpy(at, ACPI_LOADER_TABLES, strlen(ACPI_LOADER_TABLES));
	store_le32(at + NAME_LEN, (uint32_t)offset);
	at[NAME_LEN + 4] = size;
}

/* loader_checksum() - of len bytes at start; its own byte is 0 until firmware makes it */
static void loader_checksum(
	struct acpi_loader *l, const char *file, size_t start, size_t len, size_t sum)
{
	uint8_t *data = strcmp(file, ACPI_LOADER_RSDP) ? l->area + RSDP_ROOM : l->area;
	uint8_t *at = loader_command(l, ADD_CHECKSUM, file);

	data[start + sum] = 0;
	store_le32(at, (uint32_t)(start + sum));
	store_le32(at + 4, (uint32_t)start);
	store_le32(at + 8, (uint32_t)len);
}

/* loader_table() - the pointers in the table at `start` of the tables, then its checksum */
static void loader_table(struct acpi_loader *l, uint8_t *tables, size_t start)
{
	uint8_t *at = tables + start;
	uint32_t len = load_le32(at + 4);

	if (!memcmp(at, "FACP", 4)) {
		loader_pointer(l, ACPI_LOADER_TABLES, start + FADT_DSDT, 4);
		loader_pointer(l, ACPI_LOADER_TABLES, start + FADT_X_DSDT, 8);
	}
	for (uint32_t i = HEADER_LEN; !memcmp(at, "XSDT", 4) && i < len; i += 8)
		loader_pointer(l, ACPI_LOADER_TABLES, start + i, 8);
	loader_checksum(l, ACPI_LOADER_TABLES, start, len, HEADER_SUM);
}

static void loader_rsdp(struct acpi_loader *l, uint8_t *rsdp)
{
	loader_pointer(l, ACPI_LOADER_RSDP, RSDP_XSDT, 8);
	rsdp[RSDP_XSUM] = 0;
	loader_checksum(l, ACPI_LOADER_RSDP, 0, 20, RSDP_SUM);
	loader_checksum(l, ACPI_LOADER_RSDP, 0, RSDP_LEN, RSDP_XSUM);
}

int acpi_loader_fill(struct acpi_loader *l, const struct acpi_desc *desc, struct err *e)
{
	struct acpi_desc d = *desc;
	uint8_t *tables = l->area + RSDP_ROOM;
	int rc;

	memset(l, 0, sizeof(*l));
	d.addr = -(uint64_t)RSDP_ROOM; /* so that pointers count from the first table */
	rc = acpi_fill(l->area, sizeof(l->area), &d, e);
	if (rc)
		return rc;
	l->rsdp = l->area;
	l->rsdp_len = RSDP_LEN;
	l->tables = tables;
	loader_allocate(l, ACPI_LOADER_RSDP, 16, ZONE_FSEG);
	loader_allocate(l, ACPI_LOADER_TABLES, 64, ZONE_HIGH);
	while (tables[l->tables_len]) {
		size_t start = l->tables_len;

		loader_table(l, tables, start);
		l->tables_len = min_u64(align_up(start + load_le32(tables + start + 4), 16),
			sizeof(l->area) - RSDP_ROOM - 1);
	}
	loader_rsdp(l, l->area);
	return 0;
}
