/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"
#include "vmm/policy.h"

#include <errno.h>
#include <string.h>

static const enum level all[] = {LEVEL_OFF, LEVEL_SOFT, LEVEL_SW_PROTECTED, LEVEL_SNP, LEVEL_TDX};

static void policy_names_level_and_feature_when_it_forbids(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(policy_check(LEVEL_SOFT, POLICY_COREDUMP, &e), -EACCES);
	assert_string_equal(
		e.text, "level soft forbids a core dump: private memory would leave the VM");
}

static void policy_keeps_private_memory_in_at_every_level_above_off(void **state)
{
	static const enum policy_feature takes_out[] = {
		POLICY_COREDUMP, POLICY_MIGRATION, POLICY_PMEM, POLICY_SNAPSHOT};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(takes_out); i++)
		for (size_t l = 0; l < ARRAY_SIZE(all); l++) {
			struct err e = ERR_INIT;

			assert_int_equal(policy_check(all[l], takes_out[i], &e),
				all[l] == LEVEL_OFF ? 0 : -EACCES);
		}
}

static void policy_allows_measurement_where_attested_only(void **state)
{
	(void)state;
	for (size_t l = 0; l < ARRAY_SIZE(all); l++) {
		struct err e = ERR_INIT;

		assert_int_equal(policy_check(all[l], POLICY_MEASUREMENT, &e),
			all[l] >= LEVEL_SNP ? 0 : -EACCES);
		assert_int_equal(policy_check(all[l], POLICY_NOTHING, &e), 0);
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(policy_names_level_and_feature_when_it_forbids),
	cmocka_unit_test(policy_keeps_private_memory_in_at_every_level_above_off),
	cmocka_unit_test(policy_allows_measurement_where_attested_only),
};
UNIT_MAIN(tests)
