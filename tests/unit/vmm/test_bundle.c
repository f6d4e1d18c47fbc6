/* SPDX-License-Identifier: Apache-2.0 */
#include "base/base64.h"
#include "base/hex.h"
#include "tests/unit/firmware.h"
#include "tests/unit/unit.h"
#include "vmm/cli/bundle.h"
#include "vmm/measure.h"

#include "tests/unit/attestation/make_key.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <unistd.h>

static uint8_t fw[FW_LEN];
static char key_path[64], out_path[64];
static struct measure_spec measure;
static struct bundle_spec spec;

static int setup(void **state)
{
	char pem[MAKE_KEY_MAX];
	FILE *f;

	(void)state;
	fw_build(fw);
	make_key(pem, "P-384", NULL);
	snprintf(key_path, sizeof(key_path), "bundle.%d.pem", (int)getpid());
	snprintf(out_path, sizeof(out_path), "bundle.%d.json", (int)getpid());
	f = fopen(key_path, "w");
	assert_non_null(f);
	fputs(pem, f);
	fclose(f);
	measure = (struct measure_spec){
		.mode = MEASURE_SNP,
		.firmware = bytes_of(fw, FW_LEN),
		.vmm = measure_find_vmm("QEMU"),
		.signature = 0x800f12,
		.features = 1,
	};
	spec = (struct bundle_spec){&measure, "snp", "QEMU", "1,3-5", key_path, out_path};
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	unlink(key_path);
	unlink(out_path);
	return 0;
}

/* payload() - read the bundle's payload back. Return: it, the caller's to free. */
static json_t *payload(void)
{
	static char text[65536];
	json_t *outer = json_load_file(out_path, 0, NULL), *inner;
	const char *at = json_string_value(json_object_get(outer, "payload"));
	size_t n, len;
	char *copy;

	assert_non_null(at);
	len = strlen(at);
	copy = calloc(1, len + 4);
	for (size_t i = 0; i < len; i++)
		copy[i] = at[i] == '-' ? '+' : at[i] == '_' ? '/' : at[i];
	while (len % 4)
		copy[len++] = '=';
	assert_int_equal(base64_decode(copy, len, text, sizeof(text), &n), 0);
	free(copy);
	json_decref(outer);
	inner = json_loadb(text, n, 0, NULL);
	assert_non_null(inner);
	return inner;
}

static void bundle_holds_the_digest_for_each_number_of_vcpus(void **state)
{
	static const int vcpus[] = {1, 3, 4, 5};
	struct measure_result r;
	struct err e;
	json_t *root, *list;

	(void)state;
	assert_int_equal(bundle_write(&spec, &e), 0);
	root = payload();
	list = json_object_get(root, "measurements");
	assert_int_equal(json_array_size(list), 4);
	for (size_t i = 0; i < 4; i++) {
		const json_t *row = json_array_get(list, i);
		char want[HEX_TEXT_LEN(DIGEST_MAX_LEN)];

		measure.vcpus = (uint32_t)vcpus[i];
		assert_int_equal(measure_digest(&measure, &r, &e), 0);
		hex_encode(want, r.digest, r.len);
		assert_int_equal(json_integer_value(json_object_get(row, "vcpus")), vcpus[i]);
		assert_string_equal(json_string_value(json_object_get(row, "digest")), want);
	}
	list = json_object_get(json_object_get(root, "reference_values"), "snp_launch_measurement");
	assert_int_equal(json_array_size(list), 8); /* hex and Base64 */
	json_decref(root);
}

static void bundle_of_a_td_has_one_digest(void **state)
{
	struct err e;
	json_t *root;

	(void)state;
	measure.mode = MEASURE_TDX;
	spec.mode = "tdx";
	spec.vcpus = NULL;
	assert_int_equal(bundle_write(&spec, &e), 0);
	root = payload();
	assert_int_equal(json_array_size(json_object_get(root, "measurements")), 1);
	assert_int_equal(json_array_size(json_object_get(
				 json_object_get(root, "reference_values"), "mr_td")),
		1);
	json_decref(root);
}

static void bundle_refuses_bad_lists(void **state)
{
	static const char *const bad[] = {"", "0", "1-", "-1", "3-2", "1,", "1,,2", ",1", "a",
		"1 2", "4097", "1-2-3", "0-3", "+1", "1-1025"};
	struct err e;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		spec.vcpus = bad[i];
		if (bundle_write(&spec, &e) != -EINVAL)
			fail_msg("accepted: '%s'", bad[i]);
		assert_int_equal(access(out_path, F_OK), -1); /* nothing half-made */
	}
}

static void bundle_needs_a_key_it_can_read(void **state)
{
	struct err e;

	(void)state;
	spec.key = "no/such.pem";
	assert_int_equal(bundle_write(&spec, &e), -ENOENT);
	spec.key = "/dev/null";
	assert_int_equal(bundle_write(&spec, &e), -EINVAL);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
static const struct CMUnitTest tests[] = {
	CASE(bundle_holds_the_digest_for_each_number_of_vcpus),
	CASE(bundle_of_a_td_has_one_digest),
	CASE(bundle_refuses_bad_lists),
	CASE(bundle_needs_a_key_it_can_read),
};
UNIT_MAIN(tests)
