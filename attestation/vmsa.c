/* SPDX-License-Identifier: Apache-2.0 */
/* VMSA pages; see attestation/vmsa.h. */
#include "attestation/vmsa.h"

#include "base/attr.h"
#include "base/bytes.h"

#include <string.h>

/* AMD APM volume 2, table B-4 */
enum vmsa_offset {
	VMSA_ES = 0x00,
	VMSA_CS = 0x10,
	VMSA_SS = 0x20,
	VMSA_DS = 0x30,
	VMSA_FS = 0x40,
	VMSA_GS = 0x50,
	VMSA_GDTR = 0x60,
	VMSA_LDTR = 0x70,
	VMSA_IDTR = 0x80,
	VMSA_TR = 0x90,
	VMSA_EFER = 0xd0,
	VMSA_CR4 = 0x148,
	VMSA_CR0 = 0x158,
	VMSA_DR7 = 0x160,
	VMSA_DR6 = 0x168,
	VMSA_RFLAGS = 0x170,
	VMSA_RIP = 0x178,
	VMSA_G_PAT = 0x268,
	VMSA_RDX = 0x310,
	VMSA_SEV_FEATURES = 0x3b0,
	VMSA_XCR0 = 0x3e8,
	VMSA_MXCSR = 0x408,
	VMSA_FCW = 0x410,
};

#define RDX_IS_SIGNATURE UINT32_MAX

/* What differs between VMMs. */
static const struct {
	uint16_t bsp_cs, ap_cs, ss, tr; /* segment attributes */
	uint64_t g_pat;
	uint32_t rdx;
	uint32_t mxcsr;
	uint16_t fcw;
} rows[VMSA_VMMS] = {
	[VMSA_QEMU] = {0x9b, 0x9b, 0x93, 0x8b, 0x0007040600070406, RDX_IS_SIGNATURE, 0x1f80, 0x37f},
	[VMSA_QEMU_OLD] = {0x9b, 0x9b, 0x93, 0x8b, 0x0007040600070406, RDX_IS_SIGNATURE, 0, 0},
	[VMSA_EC2] = {0x9a, 0x9b, 0x92, 0x83, 0x0007040600070406, 0x600, 0, 0},
	[VMSA_EC2_OLD] = {0x9a, 0x9b, 0x92, 0x83, 0x0007040600070406, 0, 0, 0},
	[VMSA_GCE] = {0x9b, 0x9b, 0x93, 0x8b, 0x00070106, 0x600, 0, 0},
};

struct segment {
	uint16_t selector, attributes;
	uint32_t limit;
	uint64_t base;
};

static void vmsa_segment(uint8_t *page, enum vmsa_offset offset, const struct segment *s)
{
	store_le16(page + offset, s->selector);
	store_le16(page + offset + 2, s->attributes);
	store_le32(page + offset + 4, s->limit);
	store_le64(page + offset + 8, s->base);
}

/* vmsa_common() - write what no VMM differs in, and its row; CS, RIP and data segments are open */
static void vmsa_common(uint8_t *page, const struct vmsa_spec *spec)
{
	uint32_t rdx = rows[spec->vmm].rdx;

	memset(page, 0, VMSA_LEN);
	vmsa_segment(page, VMSA_GDTR, &(struct segment){0, 0, 0xffff, 0});
	vmsa_segment(page, VMSA_IDTR, &(struct segment){0, 0, 0xffff, 0});
	vmsa_segment(page, VMSA_LDTR, &(struct segment){0, 0x82, 0xffff, 0});
	vmsa_segment(page, VMSA_TR, &(struct segment){0, rows[spec->vmm].tr, 0xffff, 0});
	store_le64(page + VMSA_EFER, 0x1000); /* SVME: KVM sets it */
	store_le64(page + VMSA_CR4, 0x40);    /* MCE: KVM sets it */
	store_le64(page + VMSA_CR0, 0x10);
	store_le64(page + VMSA_DR7, 0x400);
	store_le64(page + VMSA_DR6, 0xffff0ff0);
	store_le64(page + VMSA_RFLAGS, 2);
	store_le64(page + VMSA_G_PAT, rows[spec->vmm].g_pat);
	store_le64(page + VMSA_RDX, rdx == RDX_IS_SIGNATURE ? spec->signature : rdx);
	store_le64(page + VMSA_SEV_FEATURES, spec->features);
	store_le64(page + VMSA_XCR0, 1);
	store_le32(page + VMSA_MXCSR, rows[spec->vmm].mxcsr);
	store_le16(page + VMSA_FCW, rows[spec->vmm].fcw);
}

void vmsa_write(uint8_t page[VMSA_LEN], const struct vmsa_spec *spec, bool bsp, uint32_t eip)
{
	const enum vmsa_offset data[] = {VMSA_ES, VMSA_DS, VMSA_FS, VMSA_GS};
	const struct segment cs = {0xf000, bsp ? rows[spec->vmm].bsp_cs : rows[spec->vmm].ap_cs,
		0xffff, eip & 0xffff0000};

	vmsa_common(page, spec);
	for (size_t i = 0; i < ARRAY_SIZE(data); i++)
		vmsa_segment(page, data[i], &(struct segment){0, 0x93, 0xffff, 0});
	vmsa_segment(page, VMSA_SS, &(struct segment){0, rows[spec->vmm].ss, 0xffff, 0});
	vmsa_segment(page, VMSA_CS, &cs);
	store_le64(page + VMSA_RIP, eip & 0xffff);
}

void vmsa_write_svsm(uint8_t page[VMSA_LEN], const struct vmsa_spec *spec, gpa_t entry)
{
	const enum vmsa_offset data[] = {VMSA_ES, VMSA_SS, VMSA_DS, VMSA_FS};

	vmsa_common(page, spec);
	/* 32-bit protected mode with flat segments; GS keeps its reset value */
	for (size_t i = 0; i < ARRAY_SIZE(data); i++)
		vmsa_segment(page, data[i], &(struct segment){0x10, 0xc93, 0xffffffff, 0});
	vmsa_segment(page, VMSA_GS, &(struct segment){0, 0x93, 0xffff, 0});
	vmsa_segment(page, VMSA_CS, &(struct segment){0x08, 0xc9b, 0xffffffff, 0});
	store_le64(page + VMSA_CR0, 0x11);
	store_le64(page + VMSA_RIP, entry.v);
	store_le16(page + VMSA_FCW, 0); /* as measured by hardware: QEMU does not set it here */
}

uint32_t vmsa_signature(uint32_t family, uint32_t model, uint32_t stepping)
{
	uint32_t low = family > 0xf ? 0xf : family;

	/* AMD CPUID specification 25481, Fn0000_0001_EAX */
	return ((family - low) & 0xff) << 20 | (model >> 4 & 0xf) << 16 | low << 8 |
		(model & 0xf) << 4 | (stepping & 0xf);
}

uint32_t vmsa_cpu_signature(const char *model)
{
	/* QEMU's AMD server models; versions -v1 to -vN of one model have one signature */
	static const struct {
		const char *name;
		int versions;
		uint8_t family, model, stepping;
	} cpus[] = {
		{"EPYC", 5, 23, 1, 2},
		{"EPYC-IBPB", 0, 23, 1, 2},
		{"EPYC-Rome", 5, 23, 49, 0},
		{"EPYC-Milan", 3, 25, 1, 1},
		{"EPYC-Genoa", 2, 25, 17, 0},
		{"EPYC-Turin", 1, 26, 0, 0},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cpus); i++) {
		size_t len = strlen(cpus[i].name);
		const char *rest = model + len;

		if (strncmp(model, cpus[i].name, len) != 0)
			continue;
		if (!*rest ||
			(rest[0] == '-' && rest[1] == 'v' && rest[2] > '0' &&
				rest[2] <= '0' + cpus[i].versions && !rest[3]))
			return vmsa_signature(cpus[i].family, cpus[i].model, cpus[i].stepping);
	}
	return 0;
}
