/* SPDX-License-Identifier: Apache-2.0 */
#include "base/num.h"
#include "tests/unit/unit.h"
#include "vmm/config.h"
#include "vmm/hv/vm_type.h"

#include <stdio.h>
#include <errno.h>
#include <string.h>

static void config_takes_flags_of_a_whole_vm(void **state)
{
	struct vm_config c;
	struct err e = ERR_INIT;

	(void)state;
	config_init(&c);
	assert_int_equal(config_flag(&c, "kernel", "vmlinuz", &e), 0);
	assert_int_equal(config_flag(&c, "cpus", "boot=4", &e), 0);
	assert_int_equal(config_flag(&c, "memory", "size=1G,shared_max=64M", &e), 0);
	assert_int_equal(config_flag(&c, "disk", "path=a.img,readonly=on", &e), 0);
	assert_int_equal(config_flag(&c, "disk", "path=b.img,num_queues=2", &e), 0);
	assert_int_equal(config_flag(&c, "serial", "file=log", &e), 0);
	assert_int_equal(config_flag(&c, "confidential", "soft", &e), 0);
	assert_int_equal(config_flag(&c, "require", "soft", &e), 0);
	assert_int_equal(config_check(&c, &e), 0);
	assert_int_equal(c.cpus.boot, 4);
	assert_int_equal(c.memory.size, GIB(1));
	assert_int_equal(c.n_disks, 2);
	assert_true(c.disks[0].readonly);
	assert_int_equal(c.disks[1].num_queues, 2);
	assert_int_equal(c.serial.mode, STREAM_FILE);
	assert_int_equal(c.confidential.level, LEVEL_SOFT + 1);
	config_fini(&c);
}

static void config_takes_what_level_snp_needs_there_alone(void **state)
{
	static const struct {
		const char *flags[6], *message;
	} cases[] = {
		{{"confidential", "snp", "firmware", "fd"}, NULL},
		{{"confidential", "snp", "firmware", "fd", "kernel", "k"}, NULL},
		{{"confidential", "snp"}, "--firmware: is missing; level snp needs OVMF for SEV-SNP"},
		{{"confidential", "snp", "firmware", "fd", "cmdline", "quiet"},
			"--kernel: is missing; --initramfs and --cmdline need it"},
		{{"confidential", "snp,id_block=b", "firmware", "fd"},
			"--confidential: id_block and id_auth go together"},
		{{"confidential", "tdx,owner_config=00", "firmware", "fd"}, NULL},
		{{"confidential", "tdx", "firmware", "fd", "host-data", "00"},
			"--host-data: goes with level snp alone"},
		{{"confidential", "tdx"}, "--firmware: is missing; level tdx needs OVMF for TDX"},
		{{"confidential", "snp,quotes=s", "firmware", "fd"},
			"--confidential.quotes: goes with level tdx alone"},
		{{"confidential", "tdx,certs=f", "firmware", "fd"},
			"--confidential.certs: goes with level snp alone"},
		{{"confidential", "snp,owner=00", "firmware", "fd"},
			"--confidential.owner: goes with level tdx alone"},
		{{"kernel", "k", "firmware", "fd"}, "--firmware: goes with level snp or tdx alone"},
		{{"kernel", "k", "confidential", "soft,policy=0x70000"},
			"--confidential.policy: goes with level snp alone"},
		{{"kernel", "k", "confidential", "soft,expected_digest=00"},
			"--confidential.expected_digest: goes with level snp or tdx alone"},
		{{"kernel", "k", "host-data", "00"}, "--host-data: goes with level snp alone"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *const *f = cases[i].flags;
		struct err e = ERR_INIT;
		struct vm_config c;
		int rc;

		config_init(&c);
		for (size_t k = 0; k < ARRAY_SIZE(cases[i].flags) && f[k]; k += 2)
			assert_int_equal(config_flag(&c, f[k], f[k + 1], &e), 0);
		rc = config_check(&c, &e);
		assert_int_equal(rc, cases[i].message ? -EINVAL : 0);
		if (rc)
			assert_string_equal(e.text, cases[i].message);
		config_fini(&c);
	}
}

static void config_refuses_bad_values_by_name(void **state)
{
	static const struct {
		const char *flag, *value, *message;
	} cases[] = {
		{"cpus", "boot=0", "--cpus: boot=0 is out of range (1 to 64)"},
		{"cpus", "boot=10000", "--cpus: boot=10000 is out of range (1 to 64)"},
		{"memory", "size=0", "--memory: size=0 is out of range (16777216 to 35184372088832)"},
		{"memory", "size=4096", "--memory: size=4096 is out of range (16777216 to 35184372088832)"},
		{"confidential", "hard", "--confidential: level 'hard' is none of: auto, off, soft, sw-protected, snp, tdx"},
		{"confidential", "soft,debug=on", "--confidential: unknown key 'debug'"},
		{"require", "auto", "--require: level 'auto' is none of: off, soft, sw-protected, snp, tdx"},
		{"serial", "vt", "--serial: mode 'vt' is none of: off, null, tty, file, pty, socket"},
		{"kernel", "", "--kernel: needs a file name"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct vm_config c;
		struct err e = ERR_INIT;

		config_init(&c);
		assert_int_equal(config_flag(&c, cases[i].flag, cases[i].value, &e), -EINVAL);
		assert_string_equal(e.text, cases[i].message);
		config_fini(&c);
	}
}

static void config_check_refuses_incomplete_or_contradictory(void **state)
{
	struct vm_config c;
	struct err e = ERR_INIT;

	(void)state;
	config_init(&c);
	assert_int_equal(config_check(&c, &e), -EINVAL);
	assert_non_null(strstr(e.text, "--kernel"));
	assert_int_equal(config_flag(&c, "kernel", "k", &e), 0);
	assert_int_equal(config_flag(&c, "kernel", "k", &e), -EINVAL);
	assert_int_equal(config_flag(&c, "nonsense", "k", &e), -ENOENT);
	assert_int_equal(config_flag(&c, "confidential", "off", &e), 0);
	assert_int_equal(config_flag(&c, "require", "soft", &e), 0);
	assert_int_equal(config_check(&c, &e), -EINVAL);
	assert_string_equal(e.text, "--confidential: level off is weaker than --require soft");
	assert_int_equal(config_flag(&c, "confidential", "auto", &e), 0);
	assert_int_equal(config_check(&c, &e), 0);
	assert_int_equal(config_flag(&c, "memory", "size=20000000", &e), 0);
	assert_int_equal(config_check(&c, &e), -EINVAL);
	config_fini(&c);
}

/* ids_check() - Return: config_check() of a config whose disks have these ids, NULL: none given. */
static int ids_check(const char *first, const char *second)
{
	const char *ids[] = {first, second};
	struct err e = ERR_INIT;
	struct vm_config c;
	int rc;

	config_init(&c);
	assert_int_equal(config_flag(&c, "kernel", "k", &e), 0);
	for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
		char value[128];

		snprintf(value, sizeof(value), ids[i] ? "path=f,id=%s" : "path=f", ids[i]);
		assert_int_equal(config_flag(&c, "disk", value, &e), 0);
	}
	rc = config_check(&c, &e);
	config_fini(&c);
	return rc;
}

static void config_refuses_ids_that_are_not_unique(void **state)
{
	(void)state;
	assert_int_equal(ids_check(NULL, NULL), 0);
	assert_int_equal(ids_check("a", "b"), 0);
	assert_int_equal(ids_check("disk0", "disk1"), 0);
	assert_int_equal(ids_check("a", "a"), -EINVAL);
	assert_int_equal(ids_check("disk1", NULL), -EINVAL);
	assert_int_equal(ids_check("rng0", NULL), -EINVAL);
	assert_int_equal(ids_check(NULL, "console0"), -EINVAL);
	assert_int_equal(ids_check("an-id-of-thirty-two-characters..", NULL), -EINVAL);
	assert_int_equal(ids_check("an-id-of-thirty-one-characters.", NULL), 0);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(config_refuses_ids_that_are_not_unique),
	cmocka_unit_test(config_takes_flags_of_a_whole_vm),
	cmocka_unit_test(config_takes_what_level_snp_needs_there_alone),
	cmocka_unit_test(config_refuses_bad_values_by_name),
	cmocka_unit_test(config_check_refuses_incomplete_or_contradictory),
};
UNIT_MAIN(tests)
