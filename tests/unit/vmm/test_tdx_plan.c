/* SPDX-License-Identifier: Apache-2.0 */
/* Launch plans of TDs with the synthetic firmware. */
#include "memory/layout.h"
#include "tests/unit/firmware.h"
#include "tests/unit/unit.h"
#include "vmm/config.h"
#include "vmm/measure.h"
#include "vmm/tdx_plan.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define TD_TYPE(n) (FW_TD(n) + 24)

static uint8_t fw[FW_LEN];
static char firmware[] = "/tmp/tdx-plan-XXXXXX";
static struct vm_config config;

static void put(void)
{
	FILE *f = fopen(firmware, "we");

	assert_non_null(f);
	assert_int_equal(fwrite(fw, sizeof(fw), 1, f), 1);
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
	put();
	config_init(&config);
	flag("firmware", firmware);
	flag("confidential", "tdx");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	config_fini(&config);
	return 0;
}

static void refused(int code, const char *words)
{
	struct err e = ERR_INIT;
	struct tdx_plan *p;

	assert_int_equal(tdx_plan_create(&p, &config, &e), -code);
	assert_null(p);
	assert_non_null(strstr(e.text, words));
}

static void tdx_plan_predicts_what_cloister_measure_does(void **state)
{
	const struct measure_spec spec = {
		.mode = MEASURE_TDX, .firmware = bytes_of(fw, FW_LEN), .vcpus = 1};
	struct measure_result want;
	struct err e = ERR_INIT;
	struct layout layout;
	struct tdx_plan *p;

	(void)state;
	assert_int_equal(tdx_plan_create(&p, &config, &e), 0);
	assert_int_equal(measure_digest(&spec, &want, &e), 0);
	assert_memory_equal(p->common.digest, want.digest, LAUNCH_DIGEST_LEN);
	assert_int_equal(p->hob.at.v, 0x809000);
	assert_int_equal(p->identity.attributes, TDX_ATTR_SEPT_VE_DISABLE);
	assert_int_equal(layout_init(&layout, MIB(16), &e), 0);
	assert_int_equal(launch_plan_check(&p->common, &layout, &e), 0);
	assert_int_equal(tdx_plan_describe(p, &layout, &e), 0);
	assert_int_equal(load_le16(p->hob.bytes), 1);
	layout.ranges[0].len = 0x80a000;
	assert_int_equal(launch_plan_check(&p->common, &layout, &e), -EINVAL);
	assert_int_equal(tdx_plan_describe(p, &layout, &e), -EINVAL);
	tdx_plan_destroy(p);
}

static void tdx_plan_takes_mrconfigid_in_hex_or_base64(void **state)
{
	struct err e = ERR_INIT;
	struct tdx_plan *p;

	(void)state;
	flag("mrconfigid", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4v");
	assert_int_equal(tdx_plan_create(&p, &config, &e), 0);
	for (unsigned int i = 0; i < TDX_ID_LEN; i++)
		assert_int_equal(p->identity.config_id[i], i);
	tdx_plan_destroy(p);
	config.payload.mrconfigid[2] = 0;
	refused(EINVAL, "--mrconfigid: not 96 hex digits, nor 48 bytes in Base64");
}

static void tdx_plan_refuses_bad_input_by_name(void **state)
{
	(void)state;
	flag("confidential", "tdx,owner_config=zz");
	refused(EINVAL, "--confidential: owner_config is not 96 hex digits");
	free(config.confidential.owner_config);
	config.confidential.owner_config = NULL;
	store_le32(fw + TD_TYPE(2), 3);
	put();
	refused(EINVAL, "--firmware: TDX metadata: no section TD_HOB");
	store_le32(fw + TD_TYPE(2), 2);
	store_le32(fw + TD_TYPE(3), 2);
	put();
	refused(EINVAL, "--firmware: TDX metadata: two sections TD_HOB");
	memset(fw + FW_FOOTER, 0, 50);
	put();
	refused(EINVAL, "--firmware: ");
	unlink(firmware);
	refused(ENOENT, "--firmware: ");
}

static int group_setup(void **state)
{
	int fd = mkstemp(firmware);

	(void)state;
	return fd < 0 ? -1 : close(fd);
}

static int group_teardown(void **state)
{
	(void)state;
	unlink(firmware);
	return 0;
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(tdx_plan_predicts_what_cloister_measure_does),
		CASE(tdx_plan_takes_mrconfigid_in_hex_or_base64),
		CASE(tdx_plan_refuses_bad_input_by_name),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
