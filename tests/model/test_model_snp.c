/* SPDX-License-Identifier: Apache-2.0 */
/* The VMM's SNP launch on the model hypervisor: digests, partial progress, every failure. */
#include "tests/model/model.h"
#include "tests/model/run_snp.h"
#include "tests/unit/firmware.h"
#include "tests/unit/unit.h"
#include "vmm/config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static uint8_t fw[FW_LEN];
static char folder[] = "/tmp/model-snp-XXXXXX", firmware[64], other[64];

static void put(const char *path, const void *data, size_t len)
{
	FILE *f = fopen(path, "we");

	assert_non_null(f);
	assert_int_equal(fwrite(data, 1, len, f), len);
	fclose(f);
}

static void flag(struct vm_config *c, const char *name, const char *value)
{
	struct err e = ERR_INIT;

	if (config_flag(c, name, value, &e))
		fail_msg("%s", e.text);
}

static void config_up(struct vm_config *c, const char *confidential, const char *cpus)
{
	config_init(c);
	flag(c, "firmware", firmware);
	flag(c, "memory", "size=64M");
	flag(c, "confidential", confidential);
	flag(c, "cpus", cpus);
}

static void assert_clean(void)
{
	struct model_counts n;

	model_counts(&n);
	assert_int_equal(n.fds, 0);
	assert_int_equal(n.vms, 0);
	assert_int_equal(n.keys_used, 0);
	assert_int_equal(n.assigned, 0);
	assert_int_equal(model_broken(), 0);
}

/* launched() - up, digest as predicted, no rule broken, down, nothing left */
static void launched(const struct model_config *m, const struct vm_config *c)
{
	struct err e = ERR_INIT;
	struct run_snp r;
	uint8_t digest[MODEL_DIGEST];

	model_start(m);
	if (run_snp_up(&r, c, &e))
		fail_msg("%s", e.text);
	assert_true(model_digest(digest));
	assert_memory_equal(digest, r.plan->common.digest, sizeof(digest));
	run_snp_down(&r);
	assert_clean();
	model_stop();
}

static const struct model_config plain = {.fail_call = MODEL_NO_CALL};

static void model_measures_what_is_predicted(void **state)
{
	static const char *const cpus[] = {"boot=1", "boot=2", "boot=3", "boot=4", "boot=8"};
	static const char *const types[] = {"snp,vcpu_type=EPYC-v4", "snp,vcpu_type=EPYC-Milan",
		"snp,policy=0x30037", "snp,policy=0xb0000"};
	unsigned int n = 0;

	(void)state;
	for (size_t t = 0; t < sizeof(types) / sizeof(types[0]); t++)
		for (size_t i = 0; i < 2 * sizeof(cpus) / sizeof(cpus[0]); i++) {
			struct vm_config c;

			config_up(&c, types[t], cpus[i / 2]);
			if (i & 1) {
				flag(&c, "kernel", other);
				flag(&c, "cmdline", "console=ttyS0");
			}
			launched(&plain, &c);
			config_fini(&c);
			n++;
		}
	print_message("%u configurations\n", n);
	assert_int_equal(n, 40);
}

/* Rules R25 and R63: what is taken in pieces, or asked to repeat, is given again. */
static void launch_goes_on_after_partial_progress(void **state)
{
	struct model_config m = plain;
	struct vm_config c;

	(void)state;
	config_up(&c, "snp,vcpu_type=EPYC-v4", "boot=2");
	m.run_pages = 1;
	launched(&m, &c);
	m.busy = 5;
	launched(&m, &c);
	config_fini(&c);
}

static void launch_takes_a_corrected_cpuid_page(void **state)
{
	struct model_config m = plain;
	struct vm_config c;
	struct err e = ERR_INIT;
	struct run_snp r;

	(void)state;
	config_up(&c, "snp,vcpu_type=EPYC-v4", "boot=1");
	m.cpuid_clear_ecx1 = 1;
	m.off[27] = false;
	model_start(&m);
	assert_int_equal(run_snp_up(&r, &c, &e), 0);
	assert_int_equal(r.plan->counts.corrections, 1);
	run_snp_down(&r);
	flag(&c, "require", "snp");
	assert_int_equal(run_snp_up(&r, &c, &e), -EPERM);
	run_snp_down(&r);
	assert_clean();
	model_stop();
	config_fini(&c);
}

/* one_failure() - call number n fails so. Return: false if there is no such call. */
static bool one_failure(const struct vm_config *c, uint32_t n, int error, uint32_t code)
{
	struct model_config m = plain;
	struct model_counts counts;
	struct err e = ERR_INIT;
	struct run_snp r;
	int rc;

	m.fail_call = n;
	m.fail_errno = error;
	m.fail_fw = code;
	model_start(&m);
	rc = run_snp_up(&r, c, &e);
	run_snp_down(&r);
	model_counts(&counts);
	if (rc)
		assert_true(e.text[0]);
	assert_clean();
	if (counts.ioctls > n) { /* the VM can be created again */
		e = (struct err)ERR_INIT;
		if (run_snp_up(&r, c, &e))
			fail_msg("call %u: again: %s", n, e.text);
		run_snp_down(&r);
		assert_clean();
	}
	model_stop();
	return counts.ioctls > n;
}

static void launch_leaves_nothing_when_any_call_fails(void **state)
{
	static const struct {
		int error;
		uint32_t fw;
	} how[] = {{EIO, 0}, {EIO, 0x16}, {ENOMEM, 0}, {EINVAL, 0}, {EINTR, 0}, {EAGAIN, 0},
		{EHWPOISON, 0}};
	struct vm_config c;
	unsigned int n = 0;

	(void)state;
	config_up(&c, "snp,vcpu_type=EPYC-v4", "boot=2");
	for (size_t h = 0; h < sizeof(how) / sizeof(how[0]); h++)
		for (uint32_t i = 0; one_failure(&c, i, how[h].error, how[h].fw); i++)
			n++;
	print_message("%u failures injected\n", n);
	assert_true(n > 7 * 40);
	config_fini(&c);
}

/* The first KVM_RUN comes after as many calls, whatever the size of RAM. */
static void launch_costs_the_same_for_any_ram(void **state)
{
	static const char *const sizes[] = {"size=256M,overcommit=on", "size=1T,overcommit=on"};
	struct model_counts n[2];

	(void)state;
#ifdef __SANITIZE_THREAD__
	skip(); /* leaves no room for 1 TiB of addresses */
#endif
	for (int i = 0; i < 2; i++) {
		struct err e = ERR_INIT;
		struct vm_config c;
		struct run_snp r;

		config_up(&c, "snp,vcpu_type=EPYC-v4", "boot=4");
		flag(&c, "memory", sizes[i]);
		model_start(&plain);
		if (run_snp_up(&r, &c, &e))
			fail_msg("%s", e.text);
		model_counts(&n[i]);
		run_snp_down(&r);
		assert_clean();
		model_stop();
		config_fini(&c);
	}
	print_message("%u calls for 256 MiB, %u for 1 TiB\n", n[0].ioctls, n[1].ioctls);
	assert_true(n[1].ioctls <= n[0].ioctls + 2); /* RAM above 4 GiB is one more slot */
	assert_int_equal(n[0].launch_calls, n[1].launch_calls);
	assert_int_equal(n[0].assigned, n[1].assigned);
}

static int group_setup(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	snprintf(firmware, sizeof(firmware), "%s/fw", folder);
	snprintf(other, sizeof(other), "%s/kernel", folder);
	fw_build(fw);
	put(firmware, fw, sizeof(fw));
	put(other, "hello\n", 6);
	return 0;
}

static int group_teardown(void **state)
{
	(void)state;
	unlink(firmware);
	unlink(other);
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(model_measures_what_is_predicted),
		cmocka_unit_test(launch_goes_on_after_partial_progress),
		cmocka_unit_test(launch_takes_a_corrected_cpuid_page),
		cmocka_unit_test(launch_leaves_nothing_when_any_call_fails),
		cmocka_unit_test(launch_costs_the_same_for_any_ram),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
