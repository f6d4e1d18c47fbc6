/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every call that a stage of vm_create() makes fails in turn; nothing may be left behind: no
 * descriptor, no mapping of guest memory, no thread, no device process. Needs KVM.
 *
 * The linker puts each __wrap_f() in the place of f() (--wrap in meson.build).
 */
#include "base/fd.h"
#include "base/loop.h"
#include "devices/back/spawner.h"
#include "devices/front/bus.h"
#include "devices/front/spawn_client.h"
#include "memory/image.h"
#include "memory/ledger.h"
#include "tests/unit/load/make_kernel.h"
#include "tests/unit/unit.h"
#include "vmm/boot.h"
#include "vmm/report.h"
#include "vmm/vm.h"

#include <dirent.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define SKIP      77
#define CALLS_MAX 200

static unsigned int calls, fail_at;
static const char *failed; /* the call that did */

static bool due(const char *name)
{
	if (++calls != fail_at)
		return false;
	failed = name;
	return true;
}

/* WRAP() - f fails before it does anything, when its turn comes */
#define WRAP(f, params, args)                                                                      \
	int __real_##f params;                                                                     \
	int __wrap_##f params;                                                                     \
	int __wrap_##f params                                                                      \
	{                                                                                          \
		return due(#f) ? err_set(e, EDOM, "injected") : __real_##f args;                   \
	}

WRAP(hv_create, (struct hv * *out, const struct hv_desc *d, struct err *e), (out, d, e))
WRAP(hv_guest_memfd, (struct hv * hv, uint64_t n, bool map, struct err *e), (hv, n, map, e))
WRAP(hv_add_slots, (struct hv * hv, const struct ram_slot *s, unsigned int n, struct err *e),
	(hv, s, n, e))
WRAP(hv_vcpu_create, (struct hv_vcpu * *out, struct hv *hv, unsigned int i, struct err *e),
	(out, hv, i, e))
WRAP(hv_vcpu_enter, (struct hv_vcpu * v, const struct x86_entry *entry, struct err *e),
	(v, entry, e))
WRAP(ram_load, (struct ram * ram, const struct image *image, struct err *e), (ram, image, e))
WRAP(ram_seal, (struct ram * ram, bool keep, struct err *e), (ram, keep, e))
WRAP(ledger_create,
	(struct ledger * *out, const struct layout *l, bool all, uint64_t budget, struct err *e),
	(out, l, all, budget, e))
WRAP(bus_create, (struct bus * *out, struct err *e), (out, e))
WRAP(bus_add, (struct bus * bus, const struct bus_region *r, struct err *e), (bus, r, e))
WRAP(loop_add, (struct loop * loop, struct loop_source *src, uint32_t events, struct err *e),
	(loop, src, events, e))
WRAP(spawn_device, (int s, const struct spawn_desc *d, struct spawn_child *c, struct err *e),
	(s, d, c, e))
WRAP(boot_build, (struct boot * boot, const struct boot_request *req, struct err *e),
	(boot, req, e))

/* ram_init() takes a descriptor even when it fails, so it fails after its work. */
int __real_ram_init(struct ram *ram, const struct ram_desc *desc, struct err *e);
int __wrap_ram_init(struct ram *ram, const struct ram_desc *desc, struct err *e);
int __wrap_ram_init(struct ram *ram, const struct ram_desc *desc, struct err *e)
{
	int rc = __real_ram_init(ram, desc, e);

	return due("ram_init") ? err_set(e, EDOM, "injected") : rc;
}

static unsigned int entries(const char *folder)
{
	unsigned int n = 0;
	DIR *d = opendir(folder);

	assert_non_null(d);
	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

/* guest_mappings() - Return: how many mappings are of a memfd, a guest_memfd or a vCPU. */
static unsigned int guest_mappings(void)
{
	FILE *f = fopen("/proc/self/maps", "re");
	unsigned int n = 0;
	char line[512];

	assert_non_null(f);
	while (fgets(line, sizeof(line), f))
		n += strstr(line, "memfd") || strstr(line, "kvm-vcpu");
	fclose(f);
	return n;
}

/* check_report() - a VM that is up reports its level, ledger, device and stages */
static void check_report(struct vm *vm)
{
	char folder[] = "/tmp/report-XXXXXX", path[64];
	struct err e = ERR_INIT;
	json_t *r, *stages;
	struct stat st;

	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/report", folder);
	assert_int_equal(report_write(vm, path, &e), 0);
	assert_int_equal(report_write(vm, path, &e), 0); /* over the first */
	r = json_load_file(path, 0, NULL);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(folder), 0); /* no temporary file is left */
	assert_string_equal(json_string_value(json_object_get(r, "level")), vm->type->name);
	assert_string_equal(json_string_value(json_object_get(r, "end")), "running");
	assert_int_equal(
		json_integer_value(json_object_get(json_object_get(r, "ledger"), "ram")), MIB(64));
	assert_string_equal(json_string_value(json_object_get(
				    json_array_get(json_object_get(r, "devices"), 0), "id")),
		"rng0");
	stages = json_object_get(r, "stages_ms");
	for (unsigned int i = 0; vm_stage_name(i); i++)
		assert_true(json_is_real(json_object_get(stages, vm_stage_name(i))));
	json_decref(r);
	/* A device is written to, not replaced by a file. */
	assert_int_equal(report_write(vm, "/dev/null", &e), 0);
	assert_int_equal(stat("/dev/null", &st), 0);
	assert_true(S_ISCHR(st.st_mode));
}

static void ended(void *ctx)
{
	(void)ctx;
}

/* one_round() - Return: vm_create()'s result with the call number `at` failing; all is compared. */
static int one_round(struct vm_desc *desc, unsigned int at)
{
	unsigned int fds = entries("/proc/self/fd"), threads = entries("/proc/self/task");
	unsigned int maps = guest_mappings();
	struct err e = ERR_INIT;
	struct vm *vm;
	int rc;

	calls = 0;
	fail_at = at;
	failed = NULL;
	rc = vm_create(&vm, desc, &e);
	assert_int_equal(rc, -e.code);
	if (rc) {
		assert_null(vm);
		assert_true(e.text[0]);
	} else {
		check_report(vm);
	}
	vm_destroy(vm);
	if (entries("/proc/self/fd") != fds || guest_mappings() != maps ||
		entries("/proc/self/task") != threads)
		fail_msg("after %s (call %u): %u descriptors, %u mappings, %u threads; were %u, "
			 "%u, %u",
			failed ? failed : "success", at, entries("/proc/self/fd"), guest_mappings(),
			entries("/proc/self/task"), fds, maps, threads);
	return rc;
}

static void every_call_fails(int level)
{
	const struct make_elf elf = {.entry = 0x200000, .segments = {{0x200000, 0x1000, "code"}}};
	struct vm_config config;
	struct vm_desc desc = {.config = &config, .ended = ended};
	struct made kernel = make_elf(&elf);
	int fd = memfd_create("kernel", MFD_CLOEXEC), spawner = -1, rc = -1;
	struct err e = ERR_INIT;
	unsigned int at = 0, refused = 0;
	pid_t pid;

	fail_at = 0;
	assert_int_equal(spawner_start(&spawner, &pid, FILTER_KILL, &e), 0);
	assert_int_equal(fd_write_full(fd, kernel.at, kernel.len), 0);
	config_init(&config);
	assert_true(asprintf(&config.payload.kernel, "/proc/self/fd/%d", fd) > 0);
	config.rng.src = strdup("/dev/zero");
	config.serial.mode = STREAM_NULL;
	config.sandbox.mode = SANDBOX_BEST_EFFORT;
	config.memory.size = MIB(64);
	config.cpus.boot = 3;
	config.confidential.level = level + 1;
	assert_int_equal(config_check(&config, &e), 0);
	assert_int_equal(loop_create(&desc.loop, &e), 0);
	desc.spawner = spawner;
	/* A refused call that the VM can do without ends nothing; the round without one must work.
	 */
	while (++at < CALLS_MAX && !(rc = one_round(&desc, at), !rc && !failed))
		refused += rc == -EDOM;
	assert_int_equal(rc, 0);
	print_message("level %d: %u calls, %u of them end the creation\n", level, calls, refused);
	assert_true(refused > 15);
	loop_destroy(desc.loop);
	config_fini(&config);
	free(kernel.at);
	close(fd);
	close(spawner);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void vm_create_leaves_nothing_when_a_call_fails_at_off(void **state)
{
	(void)state;
	every_call_fails(LEVEL_OFF);
}

static void vm_create_leaves_nothing_when_a_call_fails_at_soft(void **state)
{
	struct hv_host host;
	char lack[256];
	bool missing;

	(void)state;
	hv_host_probe(&host);
	missing = vm_type_missing(vm_type_of(LEVEL_SOFT), &host, lack, sizeof(lack));
	hv_host_close(&host);
	if (missing)
		skip();
	every_call_fails(LEVEL_SOFT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vm_create_leaves_nothing_when_a_call_fails_at_off),
		cmocka_unit_test(vm_create_leaves_nothing_when_a_call_fails_at_soft),
	};
	struct hv_host host;
	char lack[256];
	bool missing;

	hv_host_probe(&host);
	missing = vm_type_missing(vm_type_of(LEVEL_OFF), &host, lack, sizeof(lack));
	hv_host_close(&host);
	if (missing) {
		print_message("skipped: %s\n", lack);
		return SKIP;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
