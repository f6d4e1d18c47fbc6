/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"
#include "vmm/x86/cpuid.h"
#include "vmm/x86/msr.h"

#include <errno.h>

/* A table as KVM gives it: few leaves, RDRAND, 40 physical bits. */
static struct cpuid_table kvm_table(void)
{
	struct cpuid_table t = {
		.head.nent = 6,
		.entries =
			{
				{.function = 0, .eax = 0x1f},
				{.function = 1, .ebx = 0xff000800, .ecx = 1u << 30, .edx = ~0u},
				{.function = 0xd,
					.flags = KVM_CPUID_FLAG_SIGNIFCANT_INDEX,
					.eax = 7,
					.edx = 1},
				{.function = 0x40000001, .eax = 0xffff},
				{.function = 0x80000000, .eax = 0x80000008},
				{.function = 0x80000008, .eax = 0x3028},
			},
	};

	return t;
}

static void cpuid_names_each_vcpu(void **state)
{
	struct cpuid_desc d = {.index = 2, .n_vcpus = 4, .tsc_deadline = true};
	struct cpuid_table t = kvm_table();
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(cpuid_build(&t, &d, &e), 0);
	assert_int_equal(cpuid_find(&t, 1, 0)->ebx, 0x02040800);
	assert_true(cpuid_find(&t, 1, 0)->ecx & 1u << 31);
	assert_true(cpuid_find(&t, 1, 0)->ecx & 1u << 24);
	assert_false(cpuid_find(&t, 1, 0)->edx & (1u << 7 | 1u << 14)); /* no machine checks */
	assert_int_equal(cpuid_find(&t, 0xb, 0)->ecx, 0x100);
	assert_int_equal(cpuid_find(&t, 0xb, 1)->eax, 2);
	assert_int_equal(cpuid_find(&t, 0xb, 1)->ebx, 4);
	assert_int_equal(cpuid_find(&t, 0xb, 1)->edx, 2);
	assert_int_equal(cpuid_find(&t, 0xb, 2)->ebx, 0);
	assert_null(cpuid_find(&t, 0x8000001f, 0));
	assert_int_equal(cpuid_find(&t, 0x80000008, 0)->eax, 0x3028);
	assert_int_equal(cpuid_xcr0(&t), 0x100000007);
}

static void cpuid_shows_sev_with_cbit(void **state)
{
	struct cpuid_desc d = {.n_vcpus = 1, .cbit = 45};
	struct cpuid_table t = kvm_table();
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(cpuid_build(&t, &d, &e), 0);
	assert_int_equal(cpuid_find(&t, 0x80000000, 0)->eax, 0x8000001f);
	assert_int_equal(cpuid_find(&t, 0x8000001f, 0)->eax, 2);
	assert_int_equal(cpuid_find(&t, 0x8000001f, 0)->ebx, 45 | 1 << 6);
	assert_int_equal(cpuid_find(&t, 0x80000008, 0)->eax & 0xff, 46);
	assert_true(cpuid_find(&t, 0x40000001, 0)->eax & 1u << 17);
}

static void cpuid_refuses_sev_without_rdrand(void **state)
{
	struct cpuid_desc d = {.n_vcpus = 1, .cbit = 45};
	struct cpuid_table t = kvm_table();
	struct err e = ERR_INIT;

	(void)state;
	t.entries[1].ecx = 0;
	assert_int_equal(cpuid_build(&t, &d, &e), 0);
	d.need_rdrand = true;
	assert_int_equal(cpuid_build(&t, &d, &e), -ENODEV);
}

static void cpuid_fails_when_table_is_full(void **state)
{
	struct cpuid_desc d = {.n_vcpus = 1};
	struct cpuid_table t = kvm_table();
	struct err e = ERR_INIT;

	(void)state;
	while (t.head.nent < CPUID_MAX_ENTRIES)
		t.entries[t.head.nent++] = (struct kvm_cpuid_entry2){.function = 0x12345678};
	assert_int_equal(cpuid_build(&t, &d, &e), -E2BIG);
}

static void msr_answers_sev_status_alone(void **state)
{
	uint64_t v = 99;

	(void)state;
	assert_true(msr_read(MSR_SEV_STATUS, &v));
	assert_int_equal(v, 1);
	assert_false(msr_write(MSR_SEV_STATUS, 0));
	assert_true(msr_write(MSR_KVM_MIGRATION_CONTROL, 1));
	assert_false(msr_read(0xc0010010, &v));
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(cpuid_names_each_vcpu),
	cmocka_unit_test(cpuid_shows_sev_with_cbit),
	cmocka_unit_test(cpuid_refuses_sev_without_rdrand),
	cmocka_unit_test(cpuid_fails_when_table_is_full),
	cmocka_unit_test(msr_answers_sev_status_alone),
};
UNIT_MAIN(tests)
