/* SPDX-License-Identifier: Apache-2.0 */
#include "base/num.h"
#include "tests/unit/unit.h"
#include "vmm/hv/kvm_abi.h"
#include "vmm/hv/vm_type.h"

#include <string.h>

static struct hv_host plain_host(void)
{
	return (struct hv_host){
		.kvm_fd = 99, /* never used */
		.irqchip = true,
		.msr_filter = true,
		.map_gpa_exit = true,
		.vm_types = 1,
		.phys_bits = 48,
	};
}

static void vm_type_auto_picks_strongest_offered(void **state)
{
	struct hv_host h = plain_host();
	char lack[256];

	(void)state;
	assert_int_equal(vm_type_strongest(&h)->level, LEVEL_SOFT);
	h.map_gpa_exit = false;
	assert_int_equal(vm_type_strongest(&h)->level, LEVEL_OFF);
	assert_true(vm_type_missing(vm_type_of(LEVEL_SOFT), &h, lack, sizeof(lack)));
	assert_non_null(strstr(lack, "KVM_CAP_EXIT_HYPERCALL"));
	h.kvm_fd = -1;
	assert_null(vm_type_strongest(&h));
}

static void vm_type_names_what_hardware_levels_lack(void **state)
{
	struct hv_host h = plain_host();
	char lack[256];

	(void)state;
	assert_true(vm_type_missing(vm_type_find("snp"), &h, lack, sizeof(lack)));
	assert_non_null(strstr(lack, "SEV-SNP"));
	assert_true(vm_type_missing(vm_type_find("tdx"), &h, lack, sizeof(lack)));
	assert_non_null(strstr(lack, "TDX"));
	h.vm_types |= 1u << HV_VM_SW_PROTECTED;
	assert_true(vm_type_missing(vm_type_find("sw-protected"), &h, lack, sizeof(lack)));
	h.memory_attributes = HV_MEMORY_ATTRIBUTE_PRIVATE;
	h.guest_memfd = true;
	assert_false(vm_type_missing(vm_type_find("sw-protected"), &h, lack, sizeof(lack)));
	assert_null(vm_type_find("hard"));
}

static void vm_type_cbit_lies_above_ram_and_within_slots(void **state)
{
	struct hv_host h = plain_host();

	(void)state;
	assert_int_equal(vm_type_cbit(&h, GIB(1)), 45);
	h.phys_bits = 39;
	assert_int_equal(vm_type_cbit(&h, GIB(1)), 38);
	assert_int_equal(vm_type_cbit(&h, GIB(256)), 38);
	assert_int_equal(vm_type_cbit(&h, GIB(257)), 0);
	h.phys_bits = 33;
	assert_int_equal(vm_type_cbit(&h, GIB(1)), 0);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(vm_type_auto_picks_strongest_offered),
	cmocka_unit_test(vm_type_names_what_hardware_levels_lack),
	cmocka_unit_test(vm_type_cbit_lies_above_ram_and_within_slots),
};
UNIT_MAIN(tests)
