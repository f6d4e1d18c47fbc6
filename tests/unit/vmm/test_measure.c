/* SPDX-License-Identifier: Apache-2.0 */
/* Digests of the synthetic firmware; the known answers come from another program. */
#include "tests/unit/attestation/is_hex.h"
#include "tests/unit/firmware.h"
#include "tests/unit/unit.h"
#include "vmm/load/ovmf.h"
#include "vmm/load/sev_hashes.h"
#include "vmm/measure.h"

#include <errno.h>

static uint8_t fw[FW_LEN];
static struct sev_hashes hashes;

static int setup(void **state)
{
	struct err e;

	(void)state;
	fw_build(fw);
	return sev_hashes_file(hashes.kernel, bytes_of("kernel", 6), &e) ||
		sev_hashes_file(hashes.initrd, bytes_of("initrd", 6), &e) ||
		sev_hashes_cmdline(hashes.cmdline, "quiet", &e);
}

static const struct {
	enum measure_mode mode;
	const char *vmm;
	uint32_t vcpus, signature;
	uint64_t features;
	bool kernel, two_pass;
	const char *want;
} rows[] = {
	{MEASURE_SNP_OVMF_HASH, "QEMU", 0, 0, 0, false, false,
		"3fef829b6854deaf8a00476ee19aa77e5a0c13dc3a1677981f025df5468be8b0"
		"c731c01a9c8d4deec8d71dd97d166841"},
	{MEASURE_SNP, "QEMU", 2, 0x800f12, 1, false, false,
		"ec1267bcbc8e76f2148015bb0eeb2e09dfd18363f4eff795bfbbe908be3043c5"
		"afa88a6975b17b0a6e54d376372abf95"},
	{MEASURE_SNP, "qemu", 3, 0xa00f11, 0x21, true, false,
		"b309baf6a8b65de153465be60580cb53146b8d97f174072b21b5ec9d2f460639"
		"a1db8cc33b90ec8f75da1d321dcaf155"},
	{MEASURE_SNP, "ec2", 2, 0, 1, true, false,
		"d7bb77f6cb46f12bbd65b5bcc6557f64182714e750a447f10d96d72b4ce01c5f"
		"14b05000e60a777de581e858ed1727d0"},
	{MEASURE_SNP, "gce", 1, 0, 1, false, false,
		"52d1032a1c5a7e698a72b2320171b517ef5c3a3c349155fb472c744f8df745ee"
		"97fbdecc21662ee7b91e2b9209e9dc98"},
	{MEASURE_SEV, "QEMU", 0, 0, 0, false, false,
		"3ce57f50196ab0be8cc47b7d6bb2fa97eec9fe30184d3ef099679037724e1fa2"},
	{MEASURE_SEV, "QEMU", 0, 0, 0, true, false,
		"cf542934f458d55de8a90991772e65ca3499b475c823b82e2e427fdf68eef346"},
	{MEASURE_SEVES, "QEMU", 2, 0xa00f11, 0x21, true, false,
		"5f12fa2c67e929102d39bfb0a3011ecb73b247412522e8c8bbab8d3b029948ba"},
	{MEASURE_SNP_SVSM, "QEMU", 2, 0x800f12, 1, false, false,
		"ea926c6e2feba0d1cac2fc0fa62a8a54444bba428e4d252bf594d11ea7dbcb2f"
		"7ba3153e9027b6acee99945b33962f7f"},
	{MEASURE_TDX, "QEMU", 0, 0, 0, false, false,
		"c206a3719400e0f83142bdcc1cc7f8f7415b443dd6e21bdfebca4d9e933553ab"
		"95223f957b4ff6f07abf0009a92a7863"},
};

static struct measure_spec spec_of(size_t i)
{
	return (struct measure_spec){
		.mode = rows[i].mode,
		.firmware = bytes_of(fw, FW_LEN),
		.svsm = bytes_of(fw, FW_LEN),
		.vars_size = 0x4000,
		.hashes = rows[i].kernel ? &hashes : NULL,
		.vmm = measure_find_vmm(rows[i].vmm),
		.vcpus = rows[i].vcpus,
		.signature = rows[i].signature,
		.features = rows[i].features,
		.two_pass = rows[i].two_pass,
	};
}

static void measure_knows_every_mode(void **state)
{
	struct measure_result r;
	struct err e;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct measure_spec spec = spec_of(i);

		assert_int_equal(measure_digest(&spec, &r, &e), 0);
		assert_int_equal(r.len * 2, strlen(rows[i].want));
		is_hex(r.digest, r.len, rows[i].want);
	}
}

static void measure_goes_on_from_a_seed_with_metadata_alone(void **state)
{
	struct measure_spec spec = spec_of(0);
	struct measure_result seed, r;
	struct ovmf table;
	struct err e;

	(void)state;
	assert_int_equal(measure_digest(&spec, &seed, &e), 0);
	assert_int_equal(ovmf_parse(&table, bytes_of(fw, FW_LEN), &e), 0);
	assert_int_equal(ovmf_read_sections(&table, &e), 0);
	table.file = bytes_of("", 0);
	spec = spec_of(2);
	spec.firmware = bytes_of("", 0);
	spec.metadata = &table;
	spec.seed = seed.digest;
	assert_int_equal(measure_digest(&spec, &r, &e), 0);
	is_hex(r.digest, r.len, rows[2].want);
}

static void measure_refuses_impossible_guests(void **state)
{
	struct measure_spec spec = spec_of(1);
	struct measure_result r;
	struct err e;

	(void)state;
	spec.vcpus = 0;
	assert_int_equal(measure_digest(&spec, &r, &e), -EINVAL);
	spec.vcpus = MEASURE_VCPUS_MAX + 1;
	assert_int_equal(measure_digest(&spec, &r, &e), -EINVAL);
	spec = spec_of(8);
	spec.vmm = measure_find_vmm("ec2");
	assert_int_equal(measure_digest(&spec, &r, &e), -EINVAL);
	assert_null(measure_find_vmm("xen"));
	assert_null(measure_find_vmm(""));
}

static void measure_refuses_firmware_without_what_the_mode_needs(void **state)
{
	struct measure_spec spec = spec_of(7);
	struct measure_result r;
	struct err e;

	(void)state;
	fw[FW_FOOTER - 1] ^= 1; /* no reset block */
	assert_int_equal(measure_digest(&spec, &r, &e), -EINVAL);
	spec = spec_of(1);
	assert_int_equal(measure_digest(&spec, &r, &e), -EINVAL);
	spec = spec_of(6); /* SEV does not need it */
	assert_int_equal(measure_digest(&spec, &r, &e), 0);
	fw_build(fw);
	fw[FW_FOOTER - 22 - 1] ^= 1; /* no hash table */
	assert_int_equal(measure_digest(&spec, &r, &e), -EINVAL);
	spec.firmware.at++; /* not whole pages */
	spec.firmware.left--;
	spec.hashes = NULL;
	assert_int_equal(measure_digest(&spec, &r, &e), -EINVAL);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test_setup(measure_knows_every_mode, setup),
	cmocka_unit_test_setup(measure_goes_on_from_a_seed_with_metadata_alone, setup),
	cmocka_unit_test_setup(measure_refuses_impossible_guests, setup),
	cmocka_unit_test_setup(measure_refuses_firmware_without_what_the_mode_needs, setup),
};
UNIT_MAIN(tests)
