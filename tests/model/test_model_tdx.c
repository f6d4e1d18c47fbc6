/* SPDX-License-Identifier: Apache-2.0 */
/* The TDX launch of vmm/hv on the model hypervisor: MRTD, identity, partial progress, failures. */
#include "attestation/mrtd.h"
#include "memory/image.h"
#include "memory/ram.h"
#include "tests/model/model.h"
#include "tests/unit/firmware.h"
#include "tests/unit/unit.h"
#include "vmm/hv/hv.h"
#include "vmm/hv/tdx.h"
#include "vmm/load/ovmf.h"
#include "vmm/load/tdvf.h"

#include <errno.h>
#include <stdlib.h>

#define VCPUS 4
#define HOB   0x809000

static const struct model_config plain = {.fail_call = MODEL_NO_CALL};

/* A TD, as the stages of a launch make it. */
struct td {
	struct hv_host host;
	struct tdx_identity id;
	struct hv *hv;
	struct ram ram;
	struct image image;
	struct hv_vcpu *vcpus[VCPUS];
	unsigned int n_vcpus;
	struct tdx_counts counts;
	uint64_t rom;
};

static int td_memory(struct td *t, uint64_t size, struct err *e)
{
	struct ram_desc desc = {.dual = true, .rom = {gpa_of(OVMF_TOP - t->rom), t->rom}};
	struct ram_slot slots[RAM_MAX_SLOTS];
	int rc = layout_init(&desc.layout, size, e);

	if (rc)
		return rc;
	desc.guest_memfd = hv_guest_memfd(t->hv, ram_private_len(&desc), false, e);
	if (desc.guest_memfd < 0)
		return err_set(e, -desc.guest_memfd, "no guest_memfd");
	rc = ram_init(&t->ram, &desc, e);
	return rc ? rc : hv_add_slots(t->hv, slots, ram_slots(&t->ram, slots), e);
}

static int td_up(struct td *t, struct bytes file, unsigned int vcpus, uint64_t size, struct err *e)
{
	struct hv_desc desc = {
		.type = vm_type_of(LEVEL_TDX), .host = &t->host, .n_vcpus = vcpus, .tdx = &t->id};
	struct tdx_launch launch = {.image = &t->image, .vcpus = t->vcpus, .hob = HOB};
	struct tdvf *fw = malloc(sizeof(*fw));
	int rc;

	t->ram = (struct ram){.shared_fd = -1, .private_fd = -1};
	t->hv = NULL;
	t->n_vcpus = 0;
	t->rom = file.left;
	image_init(&t->image);
	hv_host_probe(&t->host);
	assert_non_null(fw);
	rc = tdvf_parse(fw, file, e);
	if (!rc)
		rc = tdvf_image_add(&t->image, fw, e);
	free(fw);
	if (!rc)
		rc = hv_create(&t->hv, &desc, e);
	if (!rc)
		rc = td_memory(t, size, e);
	for (unsigned int i = 0; i < vcpus && !rc; i++) {
		rc = hv_vcpu_create(&t->vcpus[i], t->hv, i, e);
		t->n_vcpus += !rc;
	}
	launch.n_vcpus = vcpus;
	return rc ? rc : hv_tdx_launch(t->hv, &launch, &t->counts, e);
}

static void td_down(struct td *t)
{
	for (unsigned int i = 0; i < t->n_vcpus; i++)
		hv_vcpu_destroy(t->vcpus[i]);
	hv_destroy(t->hv);
	ram_fini(&t->ram);
	image_fini(&t->image);
	hv_host_close(&t->host);
}

static void assert_clean(void)
{
	struct model_counts n;

	model_counts(&n);
	assert_int_equal(n.fds, 0);
	assert_int_equal(n.keys_used, 0);
	assert_int_equal(n.assigned, 0);
	assert_int_equal(model_broken(), 0);
}

static uint8_t fw[FW_LEN];

static struct bytes firmware(void)
{
	fw_build(fw);
	return bytes_of(fw, sizeof(fw));
}

static void launched(const struct model_config *m, unsigned int vcpus, uint64_t size)
{
	uint8_t want[MRTD_LEN], have[MODEL_DIGEST];
	struct err e = ERR_INIT;
	struct td t = {.id = {.attributes = TDX_ATTR_SEPT_VE_DISABLE}};

	model_start(m);
	if (td_up(&t, firmware(), vcpus, size, &e))
		fail_msg("%s", e.text);
	assert_int_equal(mrtd_of_image(&t.image, MRTD_PAGE_BY_PAGE, NULL, want, &e), 0);
	assert_true(model_digest(have));
	assert_memory_equal(want, have, sizeof(want));
	td_down(&t);
	assert_clean();
	model_stop();
}

static void launch_measures_what_is_predicted(void **state)
{
	(void)state;
	for (unsigned int vcpus = 1; vcpus <= VCPUS; vcpus++)
		launched(&plain, vcpus, MIB(64) * vcpus);
}

/* Rules R42, R44 and R63: what ends early is given again. */
static void launch_goes_on_after_partial_progress(void **state)
{
	struct model_config m = plain;

	(void)state;
	m.run_pages = 1;
	m.busy = 9;
	launched(&m, 2, MIB(64));
}

static void launch_gives_the_td_its_identity(void **state)
{
	struct err e = ERR_INIT;
	struct td t = {.id = {.attributes = TDX_ATTR_SEPT_VE_DISABLE}};
	struct model_td td;

	(void)state;
	memset(t.id.config_id, 1, TDX_ID_LEN);
	memset(t.id.owner, 2, TDX_ID_LEN);
	memset(t.id.owner_config, 3, TDX_ID_LEN);
	model_start(&plain);
	assert_int_equal(td_up(&t, firmware(), 1, MIB(64), &e), 0);
	assert_true(model_td(&td));
	assert_memory_equal(td.mrconfigid, t.id.config_id, TDX_ID_LEN);
	assert_memory_equal(td.mrowner, t.id.owner, TDX_ID_LEN);
	assert_memory_equal(td.mrownerconfig, t.id.owner_config, TDX_ID_LEN);
	assert_int_equal(td.attributes, TDX_ATTR_SEPT_VE_DISABLE);
	assert_int_equal(td.xfam, 7);
	assert_int_equal(td.hob, HOB);
	td_down(&t);
	t.id.attributes = 1; /* a TD that can be debugged: no such host */
	assert_int_equal(td_up(&t, firmware(), 1, MIB(64), &e), -EINVAL);
	assert_non_null(strstr(e.text, "attributes 0x1"));
	td_down(&t);
	assert_clean();
	model_stop();
}

static void launch_costs_the_same_for_any_ram(void **state)
{
	const uint64_t sizes[2] = {MIB(256), GIB(1024)};
	struct model_counts n[2];

	(void)state;
#ifdef __SANITIZE_THREAD__
	skip(); /* leaves no room for 1 TiB of addresses */
#endif
	for (int i = 0; i < 2; i++) {
		struct err e = ERR_INIT;
		struct td t = {.id = {.attributes = 0}};

		model_start(&plain);
		assert_int_equal(td_up(&t, firmware(), 2, sizes[i], &e), 0);
		model_counts(&n[i]);
		td_down(&t);
		assert_clean();
		model_stop();
	}
	assert_true(n[1].ioctls <= n[0].ioctls + 2); /* RAM above 4 GiB is one more slot */
	assert_int_equal(n[0].launch_calls, n[1].launch_calls);
	assert_int_equal(n[0].assigned, n[1].assigned);
}

/* A guest that first asks for a quote and then gives up, as Linux does it: 16 registers. */
static int dying_guest(void *ctx, unsigned int vcpu, struct kvm_run *run)
{
	unsigned int *turn = ctx;

	(void)vcpu;
	if ((*turn)++ == 0) {
		run->exit_reason = 40; /* KVM_EXIT_TDX: KVM has put an answer there */
		return 0;
	}
	run->exit_reason = KVM_EXIT_SYSTEM_EVENT;
	run->system_event.type = 7; /* KVM_SYSTEM_EVENT_TDX_FATAL */
	run->system_event.ndata = 16;
	memset(run->system_event.data, 0, sizeof(run->system_event.data));
	run->system_event.data[12] = 0x10;
	memcpy(&run->system_event.data[14], "no\nmemor", 8);
	memcpy(&run->system_event.data[15], "y", 2);
	return 0;
}

static void run_tells_why_a_td_gave_up(void **state)
{
	struct model_config m = plain;
	struct td t = {.id = {.attributes = 0}};
	struct err e = ERR_INIT;
	unsigned int turn = 0;
	struct hv_exit exit;

	(void)state;
	m.guest = dying_guest;
	m.ctx = &turn;
	model_start(&m);
	assert_int_equal(td_up(&t, firmware(), 1, MIB(64), &e), 0);
	hv_vcpu_run(t.vcpus[0], &exit);
	assert_int_equal(exit.kind, HV_EXIT_AGAIN);
	hv_vcpu_run(t.vcpus[0], &exit);
	assert_int_equal(exit.kind, HV_EXIT_FAILED);
	assert_string_equal(exit.text, "the guest reports a fatal error, code 0x10: no?memory");
	td_down(&t);
	assert_clean();
	model_stop();
}

static bool one_failure(uint32_t n, int error, uint32_t hw)
{
	struct model_config m = plain;
	struct model_counts counts;
	struct err e = ERR_INIT;
	struct td t = {.id = {.attributes = 0}};
	int rc;

	m.fail_call = n;
	m.fail_errno = error;
	m.fail_fw = hw;
	model_start(&m);
	rc = td_up(&t, firmware(), 2, MIB(64), &e);
	td_down(&t);
	model_counts(&counts);
	if (rc)
		assert_true(e.text[0]);
	assert_clean();
	if (counts.ioctls > n) {
		e = (struct err)ERR_INIT;
		assert_int_equal(td_up(&t, firmware(), 2, MIB(64), &e), 0);
		td_down(&t);
		assert_clean();
	}
	model_stop();
	return counts.ioctls > n;
}

static void launch_leaves_nothing_when_any_call_fails(void **state)
{
	static const int errors[] = {EIO, ENOMEM, EINVAL, EINTR, EAGAIN, EBUSY, EHWPOISON, ENOSPC};
	unsigned int n = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
		for (uint32_t at = 0; one_failure(at, errors[i], i & 1 ? 0 : 0xc0000100); at++)
			n++;
	print_message("%u failures injected\n", n);
	assert_true(n > 8 * 40);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(launch_measures_what_is_predicted),
		cmocka_unit_test(launch_goes_on_after_partial_progress),
		cmocka_unit_test(launch_gives_the_td_its_identity),
		cmocka_unit_test(run_tells_why_a_td_gave_up),
		cmocka_unit_test(launch_costs_the_same_for_any_ram),
		cmocka_unit_test(launch_leaves_nothing_when_any_call_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
