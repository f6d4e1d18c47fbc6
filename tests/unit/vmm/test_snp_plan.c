/* SPDX-License-Identifier: Apache-2.0 */
/* Launch plans of the synthetic firmware. */
#include "memory/layout.h"
#include "tests/unit/attestation/is_hex.h"
#include "tests/unit/firmware.h"
#include "tests/unit/unit.h"
#include "vmm/config.h"
#include "vmm/hv/vm_type.h"
#include "vmm/measure.h"
#include "vmm/snp_plan.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define HOST_CPU 0x123456

/* The answer of another program, as in test_measure.c: 2 vCPUs, EPYC-v4, no kernel */
#define KNOWN                                                                                      \
	"ec1267bcbc8e76f2148015bb0eeb2e09dfd18363f4eff795bfbbe908be3043c5"                         \
	"afa88a6975b17b0a6e54d376372abf95"

static uint8_t fw[FW_LEN];
static char folder[] = "/tmp/snp-plan-XXXXXX", firmware[64], other[64], auth[64];
static struct vm_config config;

static void put(const char *path, const void *data, size_t len)
{
	FILE *f = fopen(path, "we");

	assert_non_null(f);
	assert_int_equal(fwrite(data, 1, len, f), len);
	fclose(f);
}

static void flag(const char *name, const char *value)
{
	struct err e = ERR_INIT;

	assert_int_equal(config_flag(&config, name, value, &e), 0);
}

static int setup(void **state)
{
	(void)state;
	fw_build(fw);
	put(firmware, fw, sizeof(fw));
	config_init(&config);
	flag("firmware", firmware);
	flag("confidential", "snp,vcpu_type=EPYC-v4");
	flag("cpus", "boot=2");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	config_fini(&config);
	return 0;
}

static struct snp_plan *plan_up(void)
{
	struct err e = ERR_INIT;
	struct snp_plan *p;

	assert_int_equal(config_check(&config, &e), 0);
	assert_int_equal(snp_plan_create(&p, &config, HOST_CPU, &e), 0);
	return p;
}

static void refused(int code, const char *words)
{
	struct err e = ERR_INIT;
	struct snp_plan *p;

	assert_int_equal(snp_plan_create(&p, &config, HOST_CPU, &e), -code);
	assert_null(p);
	assert_non_null(strstr(e.text, words));
}

static void snp_plan_predicts_what_is_measured(void **state)
{
	struct snp_plan *p;
	struct x86_entry entry;

	(void)state;
	flag("host-data", "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff");
	p = plan_up();
	is_hex(p->common.digest, SNP_DIGEST_LEN, KNOWN);
	assert_int_equal(launch_plan_rom(&p->common), FW_LEN);
	assert_int_equal(p->launch.policy, 0x30000);
	assert_int_equal(p->launch.host_data[1], 0x11);
	assert_null(p->launch.id_block);
	entry = snp_plan_entry(p, 0);
	assert_int_equal(entry.rip, 0xfffffff0);
	assert_int_equal(entry.rdx, 0x800f12);
	assert_int_equal(snp_plan_entry(p, 1).rip, p->fw.reset_eip);
	snp_plan_destroy(p);
}

static void snp_plan_takes_host_data_of_init_data(void **state)
{
	/* version and algorithm = "sha512", gzip; its SHA-512, cut off, by Python */
	static const uint8_t stored[] = {0x69, 0x6e, 0x69, 0x74, 0x64, 0x61, 0x74, 0x61, 0x39, 0x00,
		0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00,
		0x02, 0x03, 0x2b, 0x4b, 0x2d, 0x2a, 0xce, 0xcc, 0xcf, 0x53, 0xb0, 0x55, 0x50, 0x32,
		0xd0, 0x33, 0xd4, 0x33, 0x50, 0xe2, 0x4a, 0xcc, 0x49, 0xcf, 0x2f, 0xca, 0x2c, 0xc9,
		0xc8, 0x05, 0x89, 0x15, 0x67, 0x24, 0x9a, 0x1a, 0x1a, 0x29, 0x71, 0x01, 0x00, 0xf5,
		0x8f, 0x1c, 0xa6, 0x27, 0x00, 0x00, 0x00};
	static const uint8_t digest[SNP_HOST_DATA_LEN] = {0xcd, 0xdc, 0xef, 0x9d, 0x3c, 0x79, 0x26,
		0xd2, 0x61, 0x46, 0xc7, 0xbe, 0xd9, 0xa8, 0xee, 0x87, 0x40, 0x5f, 0x01, 0x61, 0xdc,
		0xa9, 0x4b, 0x26, 0x41, 0xbd, 0x70, 0xbd, 0x0a, 0x18, 0x06, 0x7f};
	struct snp_plan *p;
	char disk[96];

	(void)state;
	put(other, stored, sizeof(stored));
	snprintf(disk, sizeof(disk), "path=%s,readonly=on", other);
	flag("disk", disk);
	p = plan_up();
	assert_memory_equal(p->launch.host_data, digest, sizeof(digest));
	is_hex(p->common.digest, SNP_DIGEST_LEN, KNOWN); /* it is no part of the measurement */
	snp_plan_destroy(p);
	flag("host-data", "EBESExQVFhcYGRobHB0eHyAhIiMkJSYnKCkqKywtLi8=");
	p = plan_up();
	assert_int_equal(p->launch.host_data[0], 0x10); /* what is said counts */
	assert_int_equal(p->launch.host_data[31], 0x2f);
	snp_plan_destroy(p);
	free(config.payload.host_data);
	config.payload.host_data = NULL;
	put(other, stored, sizeof(stored) - 12);
	refused(EINVAL, "init data");
}

static void snp_plan_takes_the_hosts_cpu_when_none_is_named(void **state)
{
	const struct measure_spec spec = {
		.mode = MEASURE_SNP,
		.firmware = bytes_of(fw, FW_LEN),
		.vmm = measure_find_vmm("QEMU"),
		.vcpus = 2,
		.signature = HOST_CPU,
		.features = 1,
	};
	struct measure_result want;
	struct err e = ERR_INIT;
	struct snp_plan *p;

	(void)state;
	free(config.confidential.vcpu_type);
	config.confidential.vcpu_type = NULL;
	p = plan_up();
	assert_int_equal(p->signature, HOST_CPU);
	assert_int_equal(measure_digest(&spec, &want, &e), 0);
	assert_memory_equal(p->common.digest, want.digest, SNP_DIGEST_LEN);
	snp_plan_destroy(p);
}

static void snp_plan_launches_nothing_but_the_expected_digest(void **state)
{
	char keys[160] = "expected_digest=" KNOWN;

	(void)state;
	flag("confidential", keys);
	snp_plan_destroy(plan_up());
	flag("cpus", "boot=3");
	refused(EPERM, "not launched");
	flag("confidential", "expected_digest=00");
	refused(EINVAL, "expected_digest is not 96 hex digits");
}

static void snp_plan_refuses_bad_input_by_name(void **state)
{
	(void)state;
	flag("confidential", "vcpu_type=Z80");
	refused(EINVAL, "vcpu_type 'Z80'");
	flag("confidential", "vcpu_type=EPYC");
	flag("host-data", "0011");
	refused(EINVAL, "--host-data: not 64 hex digits");
	free(config.payload.host_data);
	config.payload.host_data = NULL;
	put(firmware, fw, sizeof(fw) - 1);
	refused(EINVAL, "--firmware: 8191 bytes are not whole pages");
	memset(fw + FW_FOOTER, 0, 50);
	put(firmware, fw, sizeof(fw));
	refused(EINVAL, "--firmware: ");
	unlink(firmware);
	refused(ENOENT, "--firmware: ");
}

static void snp_plan_reads_id_blocks_as_bytes_or_text(void **state)
{
	uint8_t block[ID_BLOCK_LEN] = "block", id_auth[ID_BLOCK_AUTH_LEN] = {1, 0, 0, 0, 1};
	char keys[200];
	struct snp_plan *p;

	(void)state;
	put(other, block, sizeof(block));
	put(auth, id_auth, sizeof(id_auth));
	snprintf(keys, sizeof(keys), "id_block=%s,id_auth=%s", other, auth);
	flag("confidential", keys);
	p = plan_up();
	assert_ptr_equal(p->launch.id_block, p->id_block);
	assert_true(p->launch.author_key);
	snp_plan_destroy(p);
	put(other, "QUJD\n", 5); /* three bytes */
	refused(EINVAL, "is not 96 bytes, nor their Base64");
	put(other,
		"QUJDQUJDQUJDQUJDQUJDQUJDQUJDQUJDQUJDQUJDQUJDQUJDQUJDQUJDQUJDQUJDQUJDQUJDQUJDQUJD"
		"QUJDQUJDQUJDQUJDQUJDQUJDQUJDQUJDQUJDQUJDQUJDQUJD\n",
		129);
	store_le32(id_auth + 4, 0);
	put(auth, id_auth, sizeof(id_auth));
	p = plan_up();
	assert_int_equal(p->id_block[95], 'C');
	assert_false(p->launch.author_key);
	snp_plan_destroy(p);
}

static void snp_plan_needs_ram_where_the_firmware_has_sections(void **state)
{
	struct snp_plan *p = plan_up();
	struct err e = ERR_INIT;
	struct layout layout;

	(void)state;
	assert_int_equal(layout_init(&layout, MIB(16), &e), 0);
	assert_int_equal(launch_plan_check(&p->common, &layout, &e), 0);
	layout.ranges[0].len = 0x805000;
	assert_int_equal(launch_plan_check(&p->common, &layout, &e), -EINVAL);
	assert_non_null(strstr(e.text, "0x805000"));
	snp_plan_destroy(p);
}

static int group_setup(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	snprintf(firmware, sizeof(firmware), "%s/fw", folder);
	snprintf(other, sizeof(other), "%s/id", folder);
	snprintf(auth, sizeof(auth), "%s/auth", folder);
	return 0;
}

static int group_teardown(void **state)
{
	(void)state;
	unlink(firmware);
	unlink(other);
	unlink(auth);
	return rmdir(folder);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

static const struct CMUnitTest tests[] = {
	CASE(snp_plan_predicts_what_is_measured),
	CASE(snp_plan_takes_host_data_of_init_data),
	CASE(snp_plan_takes_the_hosts_cpu_when_none_is_named),
	CASE(snp_plan_launches_nothing_but_the_expected_digest),
	CASE(snp_plan_refuses_bad_input_by_name),
	CASE(snp_plan_reads_id_blocks_as_bytes_or_text),
	CASE(snp_plan_needs_ram_where_the_firmware_has_sections),
};

int main(void)
{
	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
