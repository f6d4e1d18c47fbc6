/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/vmsa.h"
#include "base/bytes.h"
#include "tests/unit/unit.h"

static uint8_t page[VMSA_LEN];

static void vmsa_writes_the_reset_state(void **state)
{
	const struct vmsa_spec spec = {VMSA_QEMU, 0xa00f11, 0x21};

	(void)state;
	vmsa_write(page, &spec, true, VMSA_BSP_EIP);
	assert_memory_equal(
		page + 0x10, "\x00\xf0\x9b\x00\xff\xff\x00\x00\x00\x00\xff\xff\0\0\0\0", 16);
	assert_memory_equal(page, "\x00\x00\x93\x00\xff\xff\0\0\0\0\0\0\0\0\0\0", 16);
	assert_int_equal(load_le64(page + 0x178), 0xfff0);
	assert_int_equal(load_le64(page + 0xd0), 0x1000);
	assert_int_equal(load_le64(page + 0x310), 0xa00f11);
	assert_int_equal(load_le64(page + 0x3b0), 0x21);
	assert_int_equal(load_le32(page + 0x408), 0x1f80);
	assert_int_equal(load_le16(page + 0x410), 0x37f);
}

static void vmsa_starts_aps_at_their_address(void **state)
{
	const struct vmsa_spec spec = {VMSA_EC2, 0xa00f11, 1};

	(void)state;
	vmsa_write(page, &spec, false, 0x0080b004);
	assert_int_equal(load_le64(page + 0x178), 0xb004);
	assert_int_equal(load_le64(page + 0x18), 0x800000);
	assert_int_equal(load_le16(page + 0x12), 0x9b);
	vmsa_write(page, &spec, true, VMSA_BSP_EIP);
	assert_int_equal(load_le16(page + 0x12), 0x9a);
}

static void vmsa_knows_each_vmm(void **state)
{
	static const struct {
		uint64_t g_pat;
		uint32_t rdx, mxcsr;
		uint16_t ss, tr, fcw;
	} rows[VMSA_VMMS] = {
		[VMSA_QEMU] = {0x7040600070406, 0x800f12, 0x1f80, 0x93, 0x8b, 0x37f},
		[VMSA_QEMU_OLD] = {0x7040600070406, 0x800f12, 0, 0x93, 0x8b, 0},
		[VMSA_EC2] = {0x7040600070406, 0x600, 0, 0x92, 0x83, 0},
		[VMSA_EC2_OLD] = {0x7040600070406, 0, 0, 0x92, 0x83, 0},
		[VMSA_GCE] = {0x70106, 0x600, 0, 0x93, 0x8b, 0},
	};

	(void)state;
	for (int i = 0; i < VMSA_VMMS; i++) {
		const struct vmsa_spec spec = {(enum vmsa_vmm)i, 0x800f12, 1};

		vmsa_write(page, &spec, true, VMSA_BSP_EIP);
		assert_int_equal(load_le64(page + 0x268), rows[i].g_pat);
		assert_int_equal(load_le64(page + 0x310), rows[i].rdx);
		assert_int_equal(load_le32(page + 0x408), rows[i].mxcsr);
		assert_int_equal(load_le16(page + 0x22), rows[i].ss);
		assert_int_equal(load_le16(page + 0x92), rows[i].tr);
		assert_int_equal(load_le16(page + 0x410), rows[i].fcw);
	}
}

static void vmsa_of_an_svsm_is_flat(void **state)
{
	const struct vmsa_spec spec = {VMSA_QEMU, 0x800f12, 1};

	(void)state;
	vmsa_write_svsm(page, &spec, gpa_of(0xffd00040));
	assert_memory_equal(page + 0x10, "\x08\x00\x9b\x0c\xff\xff\xff\xff\0\0\0\0\0\0\0\0", 16);
	assert_memory_equal(page + 0x20, "\x10\x00\x93\x0c\xff\xff\xff\xff\0\0\0\0\0\0\0\0", 16);
	assert_memory_equal(page + 0x50, "\x00\x00\x93\x00\xff\xff\0\0\0\0\0\0\0\0\0\0", 16);
	assert_int_equal(load_le64(page + 0x158), 0x11);
	assert_int_equal(load_le64(page + 0x178), 0xffd00040);
	assert_int_equal(load_le16(page + 0x410), 0);
}

static void vmsa_signature_packs_family_and_model(void **state)
{
	(void)state;
	assert_int_equal(vmsa_signature(25, 1, 1), 0xa00f11);
	assert_int_equal(vmsa_signature(23, 49, 0), 0x830f10);
	assert_int_equal(vmsa_signature(6, 0x8f, 8), 0x806f8);
	assert_int_equal(vmsa_signature(15, 0, 0), 0xf00);
	assert_int_equal(vmsa_signature(0x10e, 0xff, 0xf), 0xfff0fff);
}

static void vmsa_knows_cpu_models(void **state)
{
	(void)state;
	assert_int_equal(vmsa_cpu_signature("EPYC"), 0x800f12);
	assert_int_equal(vmsa_cpu_signature("EPYC-v4"), 0x800f12);
	assert_int_equal(vmsa_cpu_signature("EPYC-IBPB"), 0x800f12);
	assert_int_equal(vmsa_cpu_signature("EPYC-Rome-v3"), 0x830f10);
	assert_int_equal(vmsa_cpu_signature("EPYC-Milan-v2"), 0xa00f11);
	assert_int_equal(vmsa_cpu_signature("EPYC-Genoa-v1"), 0xa10f10);
	assert_int_equal(vmsa_cpu_signature("EPYC-Turin"), 0xb00f00);
	assert_int_equal(vmsa_cpu_signature(""), 0);
	assert_int_equal(vmsa_cpu_signature("EPYC-"), 0);
	assert_int_equal(vmsa_cpu_signature("EPYC-v"), 0);
	assert_int_equal(vmsa_cpu_signature("EPYC-v0"), 0);
	assert_int_equal(vmsa_cpu_signature("EPYC-v9"), 0);
	assert_int_equal(vmsa_cpu_signature("EPYC-v40"), 0);
	assert_int_equal(vmsa_cpu_signature("EPYC-IBPB-v1"), 0);
	assert_int_equal(vmsa_cpu_signature("Skylake-Server"), 0);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(vmsa_writes_the_reset_state),
	cmocka_unit_test(vmsa_starts_aps_at_their_address),
	cmocka_unit_test(vmsa_knows_each_vmm),
	cmocka_unit_test(vmsa_of_an_svsm_is_flat),
	cmocka_unit_test(vmsa_signature_packs_family_and_model),
	cmocka_unit_test(vmsa_knows_cpu_models),
};
UNIT_MAIN(tests)
