/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whole VMs at the levels snp and tdx on the model hypervisor, by vm_create() from a command line's
 * flags: what is launched, what is told of it, what is refused before the first launch command, and
 * that nothing is left after any failure.
 */
#include "base/hex.h"
#include "base/loop.h"
#include "tests/model/model.h"
#include "tests/unit/firmware.h"
#include "tests/unit/unit.h"
#include "vmm/measured.h"
#include "vmm/vm.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const struct model_config plain = {.fail_call = MODEL_NO_CALL};

static uint8_t fw[FW_LEN];
static char folder[] = "/tmp/model-vm-XXXXXX", firmware[64];
static struct vm_config config;
static struct vm_desc desc;

static void flag(const char *name, const char *value)
{
	struct err e = ERR_INIT;

	if (config_flag(&config, name, value, &e))
		fail_msg("%s", e.text);
}

static void ended(void *ctx)
{
	(void)ctx;
}

/* config_up() - a command line: level with its keys, vCPUs */
static void config_up(const char *confidential, const char *cpus)
{
	struct err e = ERR_INIT;

	config_init(&config);
	flag("firmware", firmware);
	flag("memory", "size=64M");
	flag("serial", "null");
	flag("confidential", confidential);
	flag("cpus", cpus);
	assert_int_equal(config_check(&config, &e), 0);
	desc = (struct vm_desc){.config = &config, .spawner = -1, .ended = ended};
	assert_int_equal(loop_create(&desc.loop, &e), 0);
}

static void config_down(void)
{
	loop_destroy(desc.loop);
	config_fini(&config);
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

/* is_measured() - the model's digest is the one that vm.measurement tells, and so on */
static void is_measured(const struct vm *vm, const char *level)
{
	char text[HEX_TEXT_LEN(MODEL_DIGEST)];
	uint8_t digest[MODEL_DIGEST];
	json_t *o = measured_json(vm);

	assert_true(model_digest(digest));
	hex_encode(text, digest, sizeof(digest));
	assert_string_equal(json_string_value(json_object_get(o, "digest")), text);
	assert_string_equal(json_string_value(json_object_get(o, "level")), level);
	assert_true(json_array_size(json_object_get(o, "events")) >= 4);
	json_decref(o);
}

static void vm_launches(const char *level)
{
	static const char *const cpus[] = {"boot=1", "boot=2", "boot=4", "boot=8"};

	for (size_t i = 0; i < ARRAY_SIZE(cpus); i++) {
		struct err e = ERR_INIT;
		struct vm *vm;

		config_up(level, cpus[i]);
		model_start(&plain);
		if (vm_create(&vm, &desc, &e))
			fail_msg("%s", e.text);
		is_measured(vm, level);
		vm_destroy(vm);
		assert_clean();
		model_stop();
		config_down();
	}
}

static void vm_launches_what_it_tells_at_snp(void **state)
{
	(void)state;
	vm_launches("snp");
}

static void vm_launches_what_it_tells_at_tdx(void **state)
{
	(void)state;
	vm_launches("tdx");
}

/* hob_guest() - what the firmware of a TD sees first: it reads its hand-off blocks */
struct hob_guest {
	uint8_t hob[0x2000];
	int rc;
};

static int hob_guest(void *ctx, unsigned int vcpu, struct kvm_run *run)
{
	struct hob_guest *g = ctx;
	struct model_td td;

	(void)vcpu;
	assert_true(model_td(&td));
	g->rc = model_guest_read(run, td.hob, true, g->hob, sizeof(g->hob));
	run->exit_reason = KVM_EXIT_SHUTDOWN;
	return 0;
}

/* hob_covers() - rule R48: a list of resources, sorted, disjoint, that ends within the section.
 * Return: bytes of RAM that it describes; those that were added already go to *added */
static uint64_t hob_covers(const struct hob_guest *g, const struct layout *layout, uint64_t *added)
{
	uint64_t all = 0, last = 0;
	size_t at = 56;

	*added = 0;
	assert_int_equal(load_le32(g->hob), 1 | 56 << 16);
	assert_int_equal(load_le32(g->hob + 8), 9);
	for (; load_le16(g->hob + at) != 0xffff; at += 48) {
		uint64_t start, len;
		uint32_t type;

		assert_true(at + 48 + 8 <= sizeof(g->hob));
		assert_int_equal(load_le32(g->hob + at), 3 | 48 << 16);
		type = load_le32(g->hob + at + 24);
		start = load_le64(g->hob + at + 32);
		len = load_le64(g->hob + at + 40);
		assert_true(type == 7 || type == 0);
		assert_int_equal(load_le32(g->hob + at + 28), 7);
		assert_true(start >= last && layout_contains(layout, gpa_of(start), len));
		last = start + len;
		all += len;
		*added += type ? 0 : len;
	}
	assert_int_equal(load_le16(g->hob + at + 2), 8);
	assert_int_equal(load_le64(g->hob + 48), 0x809000 + at + 8);
	return all;
}

static void td_finds_its_memory_described(void **state)
{
	static const char *const sizes[] = {"size=64M", "size=3G", "size=3073M", "size=7G"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct model_config m = plain;
		struct hob_guest g = {.rc = -1};
		struct err e = ERR_INIT;
		struct hv_exit exit;
		uint64_t added;
		struct vm *vm;

		m.guest = hob_guest;
		m.ctx = &g;
		config_up("tdx", "boot=1");
		flag("memory", sizes[i]);
		flag("memory", "overcommit=on");
		model_start(&m);
		if (vm_create(&vm, &desc, &e))
			fail_msg("%s", e.text);
		hv_vcpu_run(vm->vcpus[0].hv, &exit);
		assert_int_equal(exit.kind, HV_EXIT_RESET);
		assert_int_equal(g.rc, 0);
		assert_int_equal(hob_covers(&g, &vm->ram.layout, &added), vm->ram.layout.ram);
		assert_int_equal(added, 3 * PAGE_SIZE); /* hand-off blocks and scratch memory */
		vm_destroy(vm);
		assert_clean();
		model_stop();
		config_down();
	}
}

static void td_has_the_identity_that_was_asked_for(void **state)
{
	char keys[300] = "tdx", id[2 * 48 + 1], *at = keys + 3;
	struct err e = ERR_INIT;
	struct model_td td;
	struct vm *vm;
	json_t *o;

	(void)state;
	memset(id, '2', sizeof(id) - 1);
	id[sizeof(id) - 1] = 0;
	at += sprintf(at, ",owner=%s", id);
	memset(id, '3', sizeof(id) - 1);
	sprintf(at, ",owner_config=%s", id);
	config_up(keys, "boot=1");
	memset(id, '1', sizeof(id) - 1);
	flag("mrconfigid", id);
	model_start(&plain);
	assert_int_equal(vm_create(&vm, &desc, &e), 0);
	assert_true(model_td(&td));
	assert_int_equal(td.mrconfigid[47], 0x11);
	assert_int_equal(td.mrowner[0], 0x22);
	assert_int_equal(td.mrownerconfig[47], 0x33);
	o = measured_json(vm);
	assert_string_equal(json_string_value(json_object_get(o, "config_id")), id);
	assert_string_equal(json_string_value(json_object_get(o, "attributes")), "0x10000000");
	json_decref(o);
	vm_destroy(vm);
	model_stop();
	config_down();
}

/* refused() - not a single launch command is given */
static void refused(const char *confidential, int code, const char *words)
{
	struct model_counts n;
	struct err e = ERR_INIT;
	struct vm *vm;

	config_up(confidential, "boot=2");
	model_start(&plain);
	assert_int_equal(vm_create(&vm, &desc, &e), -code);
	assert_non_null(strstr(e.text, words));
	model_counts(&n);
	assert_int_equal(n.launch_calls, 0);
	assert_clean();
	model_stop();
	config_down();
}

static void vm_launches_nothing_but_the_expected_digest(void **state)
{
#define OTHER                                                                                      \
	"expected_digest=00000000000000000000000000000000000000000000000000000000000000000000000"  \
	"0000000000000000000000000"
	(void)state;
	refused("snp," OTHER, EPERM, "not launched: the digest would be");
	refused("tdx," OTHER, EPERM, "not launched: the digest would be");
	refused("tdx,expected_digest=xyz", EINVAL, "expected_digest is not 96 hex digits");
	refused("tdx,owner=12", EINVAL, "--confidential: owner is not 96 hex digits");
}

/* one_failure() - call number n fails. Return: false if there were not that many */
static bool one_failure(uint32_t n, int error, uint32_t hw)
{
	struct model_config m = plain;
	struct model_counts counts;
	struct err e = ERR_INIT;
	struct vm *vm;
	int rc;

	m.fail_call = n;
	m.fail_errno = error;
	m.fail_fw = hw;
	model_start(&m);
	rc = vm_create(&vm, &desc, &e);
	assert_int_equal(rc, -e.code);
	if (rc)
		assert_true(e.text[0]);
	vm_destroy(vm);
	model_counts(&counts);
	assert_clean();
	if (counts.ioctls > n) {
		e = (struct err)ERR_INIT;
		assert_int_equal(vm_create(&vm, &desc, &e), 0);
		vm_destroy(vm);
		assert_clean();
	}
	model_stop();
	return counts.ioctls > n;
}

static void every_call_fails(const char *level)
{
	static const int errors[] = {EIO, ENOMEM, EINVAL, EINTR, EAGAIN, EBUSY, EHWPOISON, ENOSPC};
	unsigned int n = 0;

	config_up(level, "boot=2");
	for (size_t i = 0; i < ARRAY_SIZE(errors); i++)
		for (uint32_t at = 0; one_failure(at, errors[i], i & 1 ? 0 : 0xc0000100); at++)
			n++;
	print_message("%s: %u failures injected\n", level, n);
	assert_true(n > 8 * 40);
	config_down();
}

static void vm_leaves_nothing_when_a_call_fails_at_snp(void **state)
{
	(void)state;
	every_call_fails("snp");
}

static void vm_leaves_nothing_when_a_call_fails_at_tdx(void **state)
{
	(void)state;
	every_call_fails("tdx");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vm_launches_what_it_tells_at_snp),
		cmocka_unit_test(vm_launches_what_it_tells_at_tdx),
		cmocka_unit_test(td_finds_its_memory_described),
		cmocka_unit_test(td_has_the_identity_that_was_asked_for),
		cmocka_unit_test(vm_launches_nothing_but_the_expected_digest),
		cmocka_unit_test(vm_leaves_nothing_when_a_call_fails_at_snp),
		cmocka_unit_test(vm_leaves_nothing_when_a_call_fails_at_tdx),
	};
	FILE *f;
	int failed;

	if (!mkdtemp(folder))
		return 1;
	snprintf(firmware, sizeof(firmware), "%s/fw", folder);
	fw_build(fw);
	f = fopen(firmware, "we");
	if (!f || fwrite(fw, sizeof(fw), 1, f) != 1 || fclose(f))
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(firmware);
	rmdir(folder);
	return failed;
}
