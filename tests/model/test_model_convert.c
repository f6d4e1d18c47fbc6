/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Conversions from four vCPUs against running I/O: guests on the model share pages, have a device
 * change them, take them back, accept and check them, for ever. With a number: so many conversions.
 */
#include "memory/ledger.h"
#include "memory/view.h"
#include "tests/model/model.h"
#include "tests/model/run_snp.h"
#include "tests/unit/firmware.h"
#include "tests/unit/unit.h"
#include "vmm/config.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define VCPUS     4u
#define SLICE     512u /* pages of each vCPU */
#define FIRST     0x1000u
#define PAGE      UINT64_C(4096)
#define RUN_PAGES 8u
#define PORT      0x500u

enum step { SHARE, FILL, IO, TAKE_BACK, STRAY };

/* One vCPU's guest. */
struct guest {
	uint64_t random, gpa, n;
	enum step step;
	unsigned int turns;
	bool stray, kept;
	const char *wrong; /* NULL: all is well */
};

static struct guest guests[VCPUS];
static struct run_snp vm;
static struct ledger *ledger;
static struct converter converter;
static struct view view;
static pthread_mutex_t device = PTHREAD_MUTEX_INITIALIZER;
static uint64_t wanted = 20000;
static uint64_t done;

static uint64_t next(struct guest *g)
{
	g->random ^= g->random << 13;
	g->random ^= g->random >> 7;
	return g->random ^= g->random << 17;
}

static void expect(struct guest *g, bool ok, const char *what)
{
	if (!ok && !g->wrong)
		g->wrong = what;
}

static void fill(struct guest *g, struct kvm_run *run)
{
	for (uint64_t i = 0; i < g->n; i++) {
		uint8_t page[64], was[64] = {1};

		model_guest_read(run, g->gpa + i * PAGE, false, was, sizeof(was));
		for (size_t b = 0; b < sizeof(was); b++)
			expect(g, !was[b], "a shared page came with old contents");
		memset(page, (int)(g->gpa >> 12), sizeof(page));
		model_guest_write(run, g->gpa + i * PAGE, false, page, sizeof(page));
	}
}

static void check_io(struct guest *g, struct kvm_run *run)
{
	for (uint64_t i = 0; i < g->n; i++) {
		uint8_t byte = 0;

		expect(g, !model_guest_read(run, g->gpa + i * PAGE, false, &byte, 1), "no access");
		expect(g, byte == (uint8_t) ~(g->gpa >> 12), "the device's bytes are not there");
	}
}

static void accept(struct guest *g, struct kvm_run *run)
{
	for (uint64_t i = 0; i < g->n; i++) {
		uint64_t gpa = g->gpa + i * PAGE;
		uint8_t page[64] = {1};

		expect(g, model_guest_read(run, gpa, true, page, 1) == -EPERM,
			"not to be accepted");
		expect(g, !model_guest_accept(run, gpa), "can't be accepted");
		expect(g, !model_guest_read(run, gpa, true, page, sizeof(page)), "no access");
		for (size_t b = 0; b < sizeof(page); b++)
			expect(g, !page[b], "a private page came with old contents");
		memset(page, 0x77, sizeof(page));
		model_guest_write(run, gpa, true, page, sizeof(page));
	}
}

/* keep() - a page that is never converted: written once, looked at ever after */
static void keep(struct guest *g, struct kvm_run *run)
{
	uint64_t gpa = (FIRST + SLICE * VCPUS + (uint64_t)(g - guests)) * PAGE;
	uint64_t word = 0;

	if (!g->kept) {
		word = gpa;
		model_guest_accept(run, gpa);
		model_guest_write(run, gpa, true, &word, sizeof(word));
	}
	g->kept = true;
	model_guest_read(run, gpa, true, &word, sizeof(word));
	expect(g, word == gpa, "untouched data changed");
}

static void choose(struct guest *g)
{
	uint64_t base = FIRST + SLICE * (uint64_t)(g - guests);

	g->n = 1 + next(g) % RUN_PAGES;
	g->gpa = (base + next(g) % (SLICE - RUN_PAGES)) * PAGE;
}

/* guest_turn() - one KVM_RUN: what the guest does up to its next exit */
static int guest_turn(void *ctx, unsigned int vcpu, struct kvm_run *run)
{
	struct guest *g = &guests[vcpu];
	uint8_t byte;
	int rc;

	(void)ctx;
	g->turns++;
	switch (g->step) {
	case SHARE:
		keep(g, run);
		choose(g);
		g->step = FILL;
		return model_guest_map(run, g->gpa, g->n, false);
	case FILL:
		fill(g, run);
		g->step = IO;
		run->exit_reason = KVM_EXIT_IO;
		run->io = (typeof(run->io)){.direction = KVM_EXIT_IO_OUT, .size = 4, .port = PORT};
		return 0;
	case IO:
		check_io(g, run);
		g->step = TAKE_BACK;
		return model_guest_map(run, g->gpa, g->n, true);
	case TAKE_BACK:
		accept(g, run);
		g->step = next(g) % 4 ? SHARE : STRAY;
		run->exit_reason = KVM_EXIT_INTR;
		return 0;
	default: /* touches a private page as if it were shared; the monitor converts */
		rc = model_guest_read(run, g->gpa, false, &byte, 1);
		if (rc == -EFAULT)
			return rc;
		expect(g, !byte, "a page that was touched came with old contents");
		g->n = 1;
		g->step = TAKE_BACK;
		return model_guest_map(run, g->gpa, 1, true);
	}
}

/* serve() - the device: through the shared view, as a device process does it */
static void serve(struct guest *g)
{
	struct iovec iov[RUN_PAGES];
	int n;

	pthread_mutex_lock(&device);
	n = view_iov(&view, gpa_of(g->gpa), g->n * PAGE, iov, RUN_PAGES);
	expect(g, n > 0, "the device does not see a shared page");
	for (int i = 0; i < n; i++)
		for (size_t b = 0; b < iov[i].iov_len; b++)
			((uint8_t *)iov[i].iov_base)[b] ^= 0xff;
	pthread_mutex_unlock(&device);
}

static void *vcpu_thread(void *arg)
{
	struct guest *g = arg;
	struct hv_vcpu *vcpu = vm.vcpus[g - guests];
	struct hv_exit exit;

	while (__atomic_load_n(&done, __ATOMIC_RELAXED) < wanted && !g->wrong) {
		int rc;

		hv_vcpu_run(vcpu, &exit);
		if (exit.kind == HV_EXIT_PORT)
			serve(g);
		if (exit.kind == HV_EXIT_FAILED)
			expect(g, false, "the vCPU failed");
		if (exit.kind != HV_EXIT_CONVERT)
			continue;
		rc = convert(
			&converter, exit.convert.gpa, exit.convert.len, exit.convert.to_shared);
		expect(g, !rc, "a conversion failed");
		if (!exit.convert.implicit)
			hv_vcpu_answer(vcpu, rc);
		__atomic_add_fetch(&done, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

static int set_private(void *ctx, gpa_t gpa, uint64_t len, bool private)
{
	(void)ctx;
	return hv_set_private(vm.hv, gpa, len, private);
}

static int discard(void *ctx, gpa_t gpa, uint64_t len, bool private_side)
{
	(void)ctx;
	return ram_discard(&vm.ram, gpa, len, private_side);
}

static const struct convert_ops ops = {.set_private = set_private, .discard = discard};

static void vm_up(const char *firmware)
{
	const struct view_spec spec = {.size = MIB(64)};
	struct err e = ERR_INIT;
	struct vm_config c;

	config_init(&c);
	assert_int_equal(config_flag(&c, "firmware", firmware, &e), 0);
	assert_int_equal(config_flag(&c, "memory", "size=64M", &e), 0);
	assert_int_equal(config_flag(&c, "confidential", "snp,vcpu_type=EPYC-v4", &e), 0);
	assert_int_equal(config_flag(&c, "cpus", "boot=4", &e), 0);
	if (run_snp_up(&vm, &c, &e))
		fail_msg("%s", e.text);
	config_fini(&c);
	assert_int_equal(ledger_create(&ledger, &vm.ram.layout, false, MIB(64), &e), 0);
	converter = (struct converter){
		.layout = &vm.ram.layout, .ledger = ledger, .ops = &ops, .one_gpa = true};
	assert_int_equal(view_init(&view, ledger_device_fd(ledger), &e), 0);
	assert_int_equal(view_add(&view, &spec, vm.ram.shared_fd, &e), 0);
}

static void convert_keeps_one_copy_under_load(void **state)
{
	struct model_config m = {.fail_call = MODEL_NO_CALL, .guest = guest_turn};
	char firmware[] = "/tmp/model-convert-XXXXXX";
	pthread_t threads[VCPUS];
	static uint8_t fw[FW_LEN];
	struct model_counts n;
	int fd = mkstemp(firmware);

	(void)state;
	fw_build(fw);
	assert_int_equal(write(fd, fw, sizeof(fw)), sizeof(fw));
	close(fd);
	model_start(&m);
	vm_up(firmware);
	for (unsigned int i = 0; i < VCPUS; i++) {
		guests[i] = (struct guest){.random = 88172645463325252u + i};
		assert_int_equal(pthread_create(&threads[i], NULL, vcpu_thread, &guests[i]), 0);
	}
	for (unsigned int i = 0; i < VCPUS; i++)
		pthread_join(threads[i], NULL);
	for (unsigned int i = 0; i < VCPUS; i++)
		if (guests[i].wrong)
			fail_msg("vcpu%u, turn %u: %s", i, guests[i].turns, guests[i].wrong);
	model_counts(&n);
	assert_int_equal(n.both, 0);
	assert_int_equal(model_broken(), 0);
	print_message("%llu conversions, %u runs\n", (unsigned long long)done, n.runs);
	view_fini(&view);
	ledger_destroy(ledger);
	run_snp_down(&vm);
	model_counts(&n);
	assert_int_equal(n.fds + n.assigned + n.keys_used, 0);
	model_stop();
	unlink(firmware);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(convert_keeps_one_copy_under_load),
	};

	if (argc > 1)
		wanted = strtoull(argv[1], NULL, 10);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
