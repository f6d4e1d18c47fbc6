/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/launch.h"

#include "base/num.h"
#include "tests/unit/unit.h"
#include "vmm/config.h"

#include <errno.h>
#include <stdlib.h>

static void expect_cmdline(const char *given, bool confidential, const char *want)
{
	struct vm_config c = {.payload.cmdline = (char *)(uintptr_t)given, .n_disks = 1};
	char *text = launch_cmdline(&c, confidential);

	assert_string_equal(text, want);
	free(text);
}

static void launch_cmdline_adds_swiotlb_when_confidential(void **state)
{
	(void)state;
	expect_cmdline("reboot=k", false, "reboot=k");
	expect_cmdline("reboot=k", true, "swiotlb=4096 reboot=k");
	expect_cmdline("reboot=k swiotlb=512", true, "reboot=k swiotlb=512");
	expect_cmdline("swiotlb=512 reboot=k", true, "swiotlb=512 reboot=k");
	expect_cmdline("reboot=k foo.swiotlb=1", true, "swiotlb=4096 reboot=k foo.swiotlb=1");
}

static void launch_cmdline_adds_reboot_at_every_level(void **state)
{
	(void)state;
	expect_cmdline(NULL, false, "reboot=a console=ttyS0");
	expect_cmdline("", false, "reboot=a ");
	expect_cmdline("quiet", false, "reboot=a quiet");
	expect_cmdline("foo.reboot=1", false, "reboot=a foo.reboot=1");
	expect_cmdline("quiet", true, "reboot=a swiotlb=4096 quiet");
}

static void launch_cmdline_adds_before_what_is_inits(void **state)
{
	(void)state;
	expect_cmdline("quiet -- single", true, "reboot=a swiotlb=4096 quiet -- single");
}

static void launch_budget_follows_devices_and_ram_when_not_given(void **state)
{
	struct vm_config c = {.memory.size = MIB(64)};

	(void)state;
	assert_int_equal(launch_shared_budget(&c), MIB(36));
	c.n_disks = 16; /* more than there is RAM */
	assert_int_equal(launch_shared_budget(&c), MIB(64));
	c.memory.size = GIB(2);
	assert_int_equal(launch_shared_budget(&c), MIB(512));
	c.memory.shared_max = MIB(1) + 5000;
	assert_int_equal(launch_shared_budget(&c), MIB(1) + 4096);
	c.memory.shared_max = GIB(4);
	assert_int_equal(launch_shared_budget(&c), GIB(2));
}

static void launch_refuses_more_ram_than_the_host_has(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(launch_check_host_memory(MIB(16), &e), 0);
	assert_int_equal(launch_check_host_memory(UINT64_C(1) << 60, &e), -EINVAL);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(launch_cmdline_adds_swiotlb_when_confidential),
	cmocka_unit_test(launch_cmdline_adds_reboot_at_every_level),
	cmocka_unit_test(launch_cmdline_adds_before_what_is_inits),
	cmocka_unit_test(launch_budget_follows_devices_and_ram_when_not_given),
	cmocka_unit_test(launch_refuses_more_ram_than_the_host_has),
};

UNIT_MAIN(tests)
